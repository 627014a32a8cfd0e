"""Real machines for the tests that need them.

Not root: such tests are skipped. Root, or CI=true: a lab that cannot start is a failure.
`KITSURVIE_LAB_PREFIX` and `KITSURVIE_LAB_NETWORK` keep two runs on one host apart; the lower half
of the range is for the lab of the session, the upper half for labs that a test makes itself.
"""

from __future__ import annotations

import ipaddress
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitsurvie import lab
from kitsurvie.errors import LabError

HERE = Path(__file__).parent

# A runner that starts the tests in the background has Ctrl-C ignored, and every program a test
# starts would inherit that: then nothing could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# a runner that is stopped politely takes its machines away first
signal.signal(signal.SIGTERM, signal.default_int_handler)


# First what wants bare machines, then what wants the kit on them: it is then put there once, and
# only brought up to date after. Each file still makes sure of what it needs.
ORDER = ("lab", "observation", "evidence", "bad_input", "enroll", "measures", "guard", "lockout")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"test_{name}.py": number for number, name in enumerate(ORDER)}
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.lab)
    ours.sort(key=lambda item: places.get(item.path.name, len(ORDER)))
    first = next((n for n, item in enumerate(items) if HERE in item.path.parents), 0)
    others = [item for item in items if HERE not in item.path.parents]
    items[:] = [*others[:first], *ours, *others[first:]]


def _halves() -> list[str]:
    network = os.environ.get("KITSURVIE_LAB_NETWORK") or "198.18.32.0/20"
    return [str(half) for half in ipaddress.ip_network(network).subnets()]


def _prefix() -> str:
    return os.environ.get("KITSURVIE_LAB_PREFIX") or "kt"


def _root_or_skip() -> None:
    if os.geteuid() != 0 and os.environ.get("CI", "") != "true":
        pytest.skip("real machines need root")


def _up(folder: Path, request: lab.Request) -> lab.Lab:
    try:
        return lab.up(folder, request)
    except LabError as error:
        lab.down(folder) if os.geteuid() == 0 else None
        pytest.fail(f"the lab cannot start: {error}", pytrace=False)


@pytest.fixture(scope="session")
def lab_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    """Four enrolled machines and their workspace (`lab_fleet.folder`), shared by the session."""
    _root_or_skip()
    folder = tmp_path_factory.mktemp("fleet") / "lab"
    try:
        yield _up(
            folder,
            lab.Request(machines=4, prefix=_prefix(), network=_halves()[0], enrolled=True),
        )
    finally:
        if os.geteuid() == 0:
            lab.down(folder)


@pytest.fixture(scope="session")
def spare_request() -> lab.Request:
    """Two raw machines that no other lab stands in the way of."""
    _root_or_skip()
    return lab.Request(machines=2, prefix=f"{_prefix()}x", network=_halves()[1])


@pytest.fixture
def spare_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a test's own lab, taken down whatever happens."""
    folder = tmp_path / "lab"
    try:
        yield folder
    finally:
        if os.geteuid() == 0:
            lab.down(folder)
