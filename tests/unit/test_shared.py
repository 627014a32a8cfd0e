"""A workspace that a group shares: what one makes, the other can go on with."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitsurvie import workspace
from kitsurvie.cli import run_lock
from kitsurvie.errors import RunError
from kitsurvie.inventory import cache, write
from kitsurvie.inventory.resolved import Resolved
from kitsurvie.ledger import Ledger


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def work(root: Path, mode: int) -> dict[str, int]:
    """The rights of all that a first run leaves in a workspace whose folder has this mode."""
    (root / "kitsurvie.toml").write_text("")
    root.chmod(mode)
    place = workspace.load(root)
    with run_lock.hold(place.lock, "a test", wait_for_orphan=False, tell=print):
        ledger = Ledger.open(place.ledger_url)
        ledger.start_run("compliance", "me", {})
        cache.write(place.state / "cache", "0" * 64, Resolved((), (), {}))
        workspace.make_private(place.state / "runs" / "1" / "wave-1")
        place.make_state()
        found = {
            str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode)
            for path in root.rglob("*")
            if path.name != "kitsurvie.toml"
        }
        ledger.close()
    return found


def test_in_a_group_s_folder_the_group_may_go_on_with_everything(tmp_path: Path) -> None:
    found = work(tmp_path, 0o2770)
    assert {name.rpartition("/")[2] for name in found} >= {
        ".kitsurvie", "run.lock", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm",
        "cache", "runs", "1", "wave-1",
    }  # fmt: skip
    assert {f"{name} {mode:o}" for name, mode in found.items()} == {
        f"{name} {0o2770 if (tmp_path / name).is_dir() else 0o660:o}" for name in found
    }


@pytest.mark.parametrize("mode", [0o755, 0o775, 0o2755])
def test_in_any_other_folder_it_is_its_owner_s_alone(tmp_path: Path, mode: int) -> None:
    found = work(tmp_path, mode)
    assert found
    # a folder made below a setgid one is setgid too, which gives nobody a right
    assert {name: oct(m) for name, m in found.items() if m & 0o077} == {}


def test_a_file_of_the_inventory_that_is_new_is_the_group_s_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    write.replace(tmp_path / "host_vars" / "a.yml", "---\n")
    made = tmp_path / "host_vars" / "a.yml"
    assert stat.S_IMODE(made.stat().st_mode) == 0o664
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o2775


def test_who_holds_the_lock_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "daemon")
    path = tmp_path / "run.lock"
    with (
        run_lock.hold(path, "a deployment", wait_for_orphan=False, tell=print),
        pytest.raises(RunError) as refused,
        run_lock.hold(path, "another", wait_for_orphan=False, tell=print),
    ):
        pass
    assert "a deployment, process " in refused.value.what
    assert "by daemon@" in refused.value.what
