"""What the watch over files says of a folder of the test, and what it lets out."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).parents[3] / "roles/filesystem_hygiene/files/filesystem_hygiene.py"
ROOT_DISK = "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


@pytest.fixture
def watch() -> ModuleType:
    spec = importlib.util.spec_from_file_location("filesystem_hygiene", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "looked_at"),
    [
        ("30 25 8:2 / /home rw - xfs /dev/sda2 rw", ["/", "/home"]),
        ("30 25 8:2 / /srv/a\\040b rw - ext4 /dev/sda2 rw", ["/", "/srv/a b"]),
        # seen from its disk already
        ("30 25 8:1 /srv/data /mnt rw - ext4 /dev/sda1 rw", ["/"]),
        ("30 25 0:50 / /mnt/nas rw - nfs4 nas:/share rw", ["/"]),
        ("30 25 0:51 / /mnt/nas rw - cifs //nas/share rw", ["/"]),
        ("30 25 0:52 / /run rw - tmpfs tmpfs rw", ["/"]),
        ("30 25 0:53 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw", ["/"]),
        ("30 25 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro", ["/"]),
    ],
)
def test_local_disks_are_looked_at_once_and_nothing_else(
    watch: ModuleType, line: str, looked_at: list[str]
) -> None:
    assert watch.mounts([ROOT_DISK, line]) == looked_at


def test_every_subvolume_of_btrfs_is_looked_at(watch: ModuleType) -> None:
    lines = [
        "25 1 0:30 / / rw - btrfs /dev/sda1 rw",
        "30 25 0:30 /home /home rw - btrfs /dev/sda1 rw",
    ]
    assert watch.mounts(lines) == ["/", "/home"]


@pytest.mark.parametrize(
    ("path", "leaves"),
    [
        ("/usr/bin/tool", "/usr/bin/tool"),
        ("/opt/supplier/tool", "/opt/supplier/tool"),
        ("/home/somebody/letter to the doctor.odt", "/home"),
        ("/srv/shared/Personnel/somebody.pdf", "/srv"),
        ("/var/lib/nextcloud/somebody/files/letter.odt", "/var/lib"),
        ("/root/keys", "/root"),
    ],
)
def test_no_name_of_peoples_files_leaves_the_machine(
    watch: ModuleType, path: str, leaves: str
) -> None:
    assert watch.shown(path) == leaves
    assert watch.counted([["644", "1500:1500", path]]) == {leaves: 1}


def test_a_flood_of_names_is_cut_and_still_counted(watch: ModuleType) -> None:
    told = watch.counted([["644", "9:9", f"/opt/{n:04}"] for n in range(200)])
    assert len(told) == watch.MOST_NAMES + 1
    assert sum(told.values()) == 200


def run(folder: Path, what: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", PROGRAM, folder, what],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def prepared(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The watch's folder, a file and a folder open to everybody in a folder of the system."""
    system = tmp_path / "var"
    opened = system / "spool"
    opened.mkdir(parents=True)
    opened.chmod(0o777)
    file = system / "settings"
    file.touch()
    file.chmod(0o666)
    watched = tmp_path / "watch"
    watched.mkdir()
    settings = {
        "accepted": [], "not_looked_at": [], "setid_removed": [], "system_folders": [str(system)],
    }  # fmt: skip
    found = {
        "open_files": [["666", "a:a", str(file)], ["666", "a:a", str(tmp_path / "home/letter")]],
        "open_folders": [["777", "a:a", str(opened)]],
        "setid": [],
        "sensitive": [],
    }
    (watched / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    (watched / "found.json").write_text(json.dumps(found), encoding="utf-8")
    return watched, file, opened


def mode(path: Path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_what_is_the_systems_own_is_mended_and_a_preview_changes_nothing(tmp_path: Path) -> None:
    watched, file, opened = prepared(tmp_path)
    letter = tmp_path / "home/letter"
    letter.parent.mkdir()
    letter.touch()
    letter.chmod(0o666)
    said = run(watched, "preview")
    assert len(said.splitlines()) == 2
    assert (mode(file), mode(opened)) == (0o666, 0o777)
    assert run(watched, "mend") == said
    assert (mode(file), mode(opened), mode(letter)) == (0o664, 0o1777, 0o666)


def test_a_link_put_in_the_place_of_a_file_leads_nowhere(tmp_path: Path) -> None:
    watched, file, _ = prepared(tmp_path)
    target = tmp_path / "target"
    target.touch()
    target.chmod(0o666)
    file.unlink()
    file.symlink_to(target)
    run(watched, "mend")
    assert mode(target) == 0o666


def test_before_the_first_look_there_is_nothing_to_mend(tmp_path: Path) -> None:
    assert run(tmp_path, "preview") == ""
