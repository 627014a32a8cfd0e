"""A workspace is given to its group, and nothing that lies elsewhere with it."""

from __future__ import annotations

import grp
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "roles" / "control_node" / "files" / "share.py"
GROUP = grp.getgrgid(os.getgid()).gr_name


def share(workspace: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-I", "-", str(workspace), GROUP],
        input=SCRIPT.read_text(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    return sorted(done.stdout.splitlines())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def private(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text("x")
    path.chmod(0o600)
    return path


def test_files_and_folders_are_the_groups_and_a_second_time_nothing_changes(
    tmp_path: Path,
) -> None:
    space = tmp_path / "space"
    file = private(space / "inventory" / "hosts.yml")
    space.chmod(0o755)
    assert share(space) == [str(space), str(file.parent), str(file)]
    assert (mode(space), mode(file.parent), mode(file)) == (0o2775, 0o2770, 0o660)
    assert share(space) == []


def test_keys_state_and_history_keep_their_rights(tmp_path: Path) -> None:
    space = tmp_path / "space"
    kept = [
        private(space / name)
        for name in ("keys/observer", ".kitsurvie/ledger.sqlite", "a/.git/config")
    ]
    share(space)
    assert [mode(path) for path in kept] == [0o600] * 3
    assert mode(private(space / "a" / "keys" / "x")) == 0o600
    share(space)
    assert mode(space / "a" / "keys" / "x") == 0o660


def test_a_link_or_a_second_name_gives_nothing_away(tmp_path: Path) -> None:
    space = tmp_path / "space"
    space.mkdir()
    secret = private(tmp_path / "shadow")
    (space / "link").symlink_to(secret)
    (space / "name").hardlink_to(secret)
    (space / "folder").symlink_to(tmp_path)
    os.mkfifo(space / "pipe", 0o600)
    share(space)
    assert mode(secret) == 0o600
    assert mode(tmp_path) & 0o2000 == 0
