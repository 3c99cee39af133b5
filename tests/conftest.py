import pytest
from argon2 import PasswordHasher


@pytest.fixture(autouse=True)
def _cheap_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash PINs fast: what it costs on purpose would be most of the time of these tests."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("scanner_station.service.people._HASHER", cheap)
