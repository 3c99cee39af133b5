from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine's other work than of the product.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def _cheap_secrets() -> Iterator[None]:
    """Hash PINs fast: what it costs on purpose would be most of the time of these tests."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner_station.service.people._HASHER", cheap)
        yield
