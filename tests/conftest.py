from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher


@pytest.fixture(autouse=True, scope="session")
def _cheap_secrets() -> Iterator[None]:
    """Hash PINs fast: what it costs on purpose would be most of the time of these tests."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner_station.service.people._HASHER", cheap)
        yield
