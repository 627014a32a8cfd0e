"""The program behind the key of a PC: it puts one thing into one place, and is not talked round."""

from __future__ import annotations

import grp
import json
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[3] / "roles" / "spool" / "files" / "spool"
SETTINGS = {
    "bytes": 1000, "seconds": 20, "kept": 3, "most_in_period": 5, "period_seconds": 60,
    "free_bytes": 0, "total_bytes": 1 << 20,
}  # fmt: skip
Spool = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def slots(tmp_path: Path) -> Path:
    (tmp_path / "slots").mkdir()
    shutil.copy(PROGRAM, tmp_path / "spool")
    return tmp_path / "slots"


def words(slots: Path, *arguments: str, **settings: int) -> tuple[list[str], dict[str, str]]:
    told = {**SETTINGS, "slots": str(slots), **settings}
    (slots.parent / "settings.json").write_text(json.dumps(told))
    environment = {
        "PATH": "/usr/bin:/bin",
        "SSH_CONNECTION": "192.0.2.7 51000 192.0.2.1 22",
        "SSH_ORIGINAL_COMMAND": "pc-2; cat /etc/passwd",
    }
    return ["/usr/bin/python3", "-ISB", str(slots.parent / "spool"), *arguments], environment


def spool(
    slots: Path, data: bytes, *arguments: str, **settings: int
) -> subprocess.CompletedProcess[bytes]:
    command, environment = words(slots, *(arguments or ("pc-1",)), **settings)
    return subprocess.run(
        command, input=data, capture_output=True, check=False, env=environment, timeout=60
    )


def taken(slots: Path, host: str = "pc-1") -> list[bytes]:
    return [path.read_bytes() for path in sorted((slots / host).glob("[0-9]*"))]


def test_what_comes_is_kept_with_its_arrival_and_address(slots: Path) -> None:
    before = int(time.time())
    done = spool(slots, b"\x00any bytes\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (kept,) = taken(slots)
    head, _, data = kept.partition(b"\n")
    words = head.split()
    assert (words[:2], words[3]) == ([b"kitsurvie-spooled", b"1"], b"192.0.2.7")
    assert before <= int(words[2]) <= time.time()
    assert data == b"\x00any bytes\n"


def test_the_name_comes_with_the_key_and_never_from_the_client(slots: Path) -> None:
    spool(slots, b"x")
    assert [entry.name for entry in slots.iterdir()] == ["pc-1"]


@pytest.mark.parametrize("name", ["", "../x", ".lock", "a/b", "a..b", "-x", "x" * 300, "a\n"])
def test_a_name_that_is_none_writes_nothing(slots: Path, name: str) -> None:
    assert spool(slots, b"x", name).returncode == 65
    assert list(slots.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"x" * 1001, b"x" * 5_000_000])
def test_what_is_empty_or_too_large_is_never_taken(slots: Path, data: bytes) -> None:
    done = spool(slots, data)
    assert (done.returncode, done.stderr) == (65, b"kitsurvie: empty, or too large\n")
    assert taken(slots) == []


def test_a_slot_holds_the_newest_few(slots: Path) -> None:
    for number in range(5):
        assert spool(slots, b"look %d" % number).returncode == 0
    assert [kept.rpartition(b"\n")[2] for kept in taken(slots)] == [b"look 2", b"look 3", b"look 4"]


def test_too_many_in_a_period_are_put_off_and_another_machine_is_not(slots: Path) -> None:
    statuses = [spool(slots, b"x").returncode for _ in range(7)]
    assert statuses == [0, 0, 0, 0, 0, 75, 75]
    assert spool(slots, b"x", "pc-2").returncode == 0


def test_a_clock_that_was_put_back_shuts_nobody_out(slots: Path) -> None:
    (slots / "pc-1").mkdir()
    future = "".join(f"{time.time() + 9999:.3f}\n" for _ in range(9))
    (slots / "pc-1" / ".lock").write_text(future)
    assert spool(slots, b"x").returncode == 0


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"free_bytes": 1 << 60}, b"disk is too full"), ({"total_bytes": 900}, b"spool is full")],
)
def test_the_disk_is_never_filled(slots: Path, settings: dict[str, int], says: bytes) -> None:
    done = spool(slots, b"x", **settings)
    assert (done.returncode, says in done.stderr, taken(slots)) == (75, True, [])


def test_a_second_one_at_once_is_sent_away_and_a_slow_one_ends(slots: Path) -> None:
    command, environment = words(slots, "pc-1", seconds=2)
    slow = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 20
        while not (slots / "pc-1" / ".lock").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        second = spool(slots, b"x", seconds=2)
        assert (second.returncode, b"under way" in second.stderr) == (75, True)
        assert slow.wait(20) == 75
    finally:
        slow.kill()
        slow.communicate()
    assert spool(slots, b"x").returncode == 0


def test_a_link_in_the_slot_is_not_followed(slots: Path, tmp_path: Path) -> None:
    (slots / "pc-1").mkdir()
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (slots / "pc-1" / ".new").symlink_to(victim)
    assert spool(slots, b"x").returncode == 75
    assert victim.read_text() == "kept"


def test_what_was_cut_short_by_a_kill_is_never_seen(slots: Path) -> None:
    command, environment = words(slots, "pc-1")
    cut = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    assert cut.stdin is not None
    cut.stdin.write(b"half")
    cut.stdin.flush()
    time.sleep(0.5)
    cut.kill()
    cut.communicate()
    assert taken(slots) == []


def test_it_is_short_enough_to_be_read(slots: Path) -> None:
    assert len(PROGRAM.read_text().splitlines()) < 150


def mend(slots: Path, group: str) -> list[str]:
    command = ["/usr/bin/python3", "-ISB", PROGRAM.with_name("mend_slots"), slots, group]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def another_group() -> str:
    """A group of ours, so that it may be given to what is ours; root has any."""
    mine = {*os.getgroups(), 1} if os.geteuid() == 0 else set(os.getgroups())
    mine -= {os.getegid()}
    if not mine:
        pytest.skip("this account is in one group alone")
    return grp.getgrgid(min(mine)).gr_name


def test_what_was_handed_in_before_is_given_to_the_group(slots: Path) -> None:
    spool(slots, b"x")
    spool(slots, b"x", "pc-2")
    (slots / "pc-1").chmod(0o770)
    group = another_group()
    assert mend(slots, group) == ["pc-1", "pc-2"]
    for path in (slots / "pc-1", *(slots / "pc-1").iterdir()):
        assert path.group() == group
    assert stat.S_IMODE((slots / "pc-1").stat().st_mode) == 0o2770
    assert mend(slots, group) == []
    # what comes next is the group's by itself
    spool(slots, b"y")
    assert {path.group() for path in (slots / "pc-1").iterdir()} == {group}


def test_what_mends_slots_follows_no_link(slots: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    (victim / "file").write_text("")
    (victim / "file").chmod(0o600)
    (slots / "pc-1").mkdir()
    (slots / "pc-1" / "00000000000000000001").symlink_to(victim / "file")
    os.mkfifo(slots / "pc-1" / "00000000000000000002")
    (slots / "pc-2").symlink_to(victim)
    before = victim.stat(), (victim / "file").stat()
    mend(slots, another_group())
    after = victim.stat(), (victim / "file").stat()
    assert [(s.st_gid, s.st_mode) for s in after] == [(s.st_gid, s.st_mode) for s in before]


KEYS = PROGRAM.with_name("keys")
GOOD = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "x" * 43


@pytest.fixture
def offered(tmp_path: Path) -> Callable[..., str]:
    """What sshd is answered for a key, from a list of these lines."""
    program = tmp_path / "keys"
    text = KEYS.read_text().replace("/var/lib/kitsurvie-spool/keys/list", str(tmp_path / "list"))
    program.write_text(text)

    def ask(lines: str, kind: str = "ssh-ed25519", key: str = GOOD) -> str:
        (tmp_path / "list").write_text(lines)
        done = subprocess.run(
            ["/bin/sh", program, kind, key], capture_output=True, text=True, check=False,
            env={**os.environ},
        )  # fmt: skip
        return done.stdout

    return ask


def test_a_key_of_the_list_may_speak_for_its_machine(offered: Any) -> None:
    said = offered(f"pc-2 ssh-ed25519 {GOOD[:-1]}y\npc-1 ssh-ed25519 {GOOD}\n")
    assert said == (f'restrict,command="/usr/lib/kitsurvie-spool/spool pc-1" ssh-ed25519 {GOOD}\n')


@pytest.mark.parametrize(
    "lines",
    [
        "",
        f"pc-1 ssh-ed25519 {GOOD[:-1]}y\n",
        f"pc-1 ssh-rsa {GOOD}\n",
        f'pc-1";date;" ssh-ed25519 {GOOD}\n',
        f"pc-1$(date) ssh-ed25519 {GOOD}\n",
        f"../pc-1 ssh-ed25519 {GOOD}\n",
        f"pty pc-1 ssh-ed25519 {GOOD}\n",
        f"pc-1 ssh-ed25519 {GOOD} more\n",
        f"pc-1 ssh-ed25519 {GOOD}\npc-2 ssh-ed25519 {GOOD}\n",
    ],
)
def test_no_line_of_the_list_gives_more_than_that(offered: Any, lines: str) -> None:
    assert offered(lines) == ""


def test_another_kind_of_key_is_never_taken(offered: Any) -> None:
    assert offered(f"pc-1 ssh-rsa {GOOD}\n", kind="ssh-rsa") == ""
    assert offered(f"pc-1 ssh-ed25519 {GOOD}\n", key="") == ""
