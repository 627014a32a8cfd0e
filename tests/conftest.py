"""What holds for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings
from tests import databases

from kitsurvie.ledger import Ledger

# a busy machine is no reason for a test to fail: no example is timed
settings.register_profile("kitsurvie", deadline=None)
settings.load_profile("kitsurvie")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[databases.Server]:
    """A PostgreSQL for the time of the tests."""
    with databases.postgresql() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_ledger_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Gives the address of a new ledger each time, on each database in turn."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.sqlite'}"
    server: databases.Server = request.getfixturevalue("postgresql")
    return server.url


@pytest.fixture
def ledger_url(new_ledger_url: Callable[[], str]) -> str:
    """The address of a new ledger, on each database in turn."""
    return new_ledger_url()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A new ledger, on each database in turn."""
    book = Ledger.open(ledger_url)
    yield book
    book.close()
