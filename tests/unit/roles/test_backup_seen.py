"""What the checks of backup_seen make of real files, and of what was never declared."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from .test_commands_of_checks import checks

MODULE = checks("backup_seen")
DAY = 86400


class Server:
    """A machine whose commands are run here; there is no systemd to ask."""

    def run(self, command: str) -> Any:
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True)
        return SimpleNamespace(rc=done.returncode, stdout=done.stdout, stderr=done.stderr)


def given(*proofs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "backup_seen__proofs": list(proofs),
        "backup_seen__max_age_days": 3,
        "backup_seen__known": [],
        "backup_seen__same_disk_reason": "",
        **more,
    }


def aged(path: Path, days: float, text: str = "x") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return str(path)


def recent(*proofs: dict[str, Any]) -> bool:
    try:
        MODULE.test_a_recent_backup_exists(Server(), given(*proofs))
    except AssertionError:
        return False
    return True


def test_the_newest_file_of_a_folder_counts(tmp_path: Path) -> None:
    aged(tmp_path / "it's here" / "old.tar", 40)
    proof = {"path": str(tmp_path / "it's here"), "name": "*.tar"}
    assert not recent(proof)
    aged(tmp_path / "it's here" / "sub" / "new.tar", 1)
    assert recent(proof)
    assert not recent({**proof, "name": "*.borg"})


def test_an_empty_file_is_no_backup_and_an_empty_marker_is_one(tmp_path: Path) -> None:
    path = aged(tmp_path / "dump.sql", 0, "")
    assert not recent({"path": path})
    assert recent({"marker": path})


def test_every_proof_that_was_declared_must_hold(tmp_path: Path) -> None:
    new, old = aged(tmp_path / "new", 1), aged(tmp_path / "old", 9)
    assert recent({"marker": new}, {"marker": old, "max_age_days": 10})
    assert not recent({"marker": new}, {"marker": old})
    assert not recent({"marker": new}, {"marker": str(tmp_path / "gone")})
    assert not recent({"marker": new}, {})


def test_none_declared_is_said_plainly_and_a_known_tool_is_recognised(tmp_path: Path) -> None:
    known = [{"path": str(tmp_path), "name": "*.0"}]
    with pytest.raises(AssertionError):
        MODULE.test_a_backup_is_declared(Server(), given(backup_seen__known=known))
    aged(tmp_path / "daily.0", 1)
    MODULE.test_a_backup_is_declared(Server(), given(backup_seen__known=known))


def test_a_backup_on_the_disk_of_the_system_goes_with_it(tmp_path: Path) -> None:
    check = MODULE.test_the_backup_is_not_on_the_disk_it_saves
    with pytest.raises(AssertionError):
        check(Server(), given({"path": "/etc/os-release"}))
    check(Server(), given({"path": "/proc/version"}))
    fetched = given({"path": "/etc/os-release"}, backup_seen__same_disk_reason="fetched at night")
    with pytest.raises(pytest.skip.Exception, match="fetched at night"):
        check(Server(), fetched)
