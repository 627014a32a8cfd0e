"""One run at a time, and the orphan of a killed one."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from kitsurvie.cli import run_lock
from kitsurvie.errors import RunError, WorkspaceError

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from kitsurvie.cli import run_lock
with run_lock.hold(Path(sys.argv[1]), "a deployment", wait_for_orphan=False, tell=print) as lock:
    child = subprocess.Popen(["sleep", sys.argv[2]], pass_fds=(lock,), stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    time.sleep(60)
"""


def holder(
    path: Path, orphan_lives: str, what: str = "a deployment"
) -> tuple[subprocess.Popen[str], int]:
    program = HOLDER.replace("a deployment", what)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path), orphan_lives], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def hold(path: Path, *, wait: bool = False, told: list[str] | None = None) -> None:
    tell = (told if told is not None else []).append
    with run_lock.hold(path, "a test", wait_for_orphan=wait, tell=tell):
        pass


def test_a_second_run_is_refused_while_the_first_is_alive(tmp_path: Path) -> None:
    process, child = holder(tmp_path / "lock", "30")
    try:
        for wait in (False, True):
            with pytest.raises(RunError, match=f"a deployment, process {process.pid}"):
                hold(tmp_path / "lock", wait=wait)
    finally:
        process.kill()
        process.wait()
        os.kill(child, 9)


def test_a_run_that_is_alive_is_waited_for_as_long_as_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_lock, "ORPHAN_POLL_S", 0.05)
    process, _ = holder(tmp_path / "lock", "0", "an ingest")
    told: list[str] = []
    got: list[BaseException | None] = []

    def wait(seconds: float) -> None:
        try:
            with run_lock.hold(
                tmp_path / "lock", "an ingest", wait_for_orphan=False, tell=told.append,
                wait_s=seconds,
            ):  # fmt: skip
                got.append(None)
        except RunError as error:
            got.append(error)

    try:
        wait(0.3)
        assert isinstance(got[0], RunError)
        assert str(got[0]).startswith(f"An ingest is under way here already, process {process.pid}")
        waiting = threading.Thread(target=wait, args=(60,))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    finally:
        process.kill()
        process.wait()
    waiting.join(10)
    assert got[1:] == [None]
    assert [line.startswith("Waiting for the end of an ingest") for line in told] == [True] * 2


@pytest.mark.parametrize(
    ("group", "says"),
    [
        ("0::/system.slice/kitsurvie-ingest.service", "there: systemctl stop kitsurvie-ingest"),
        ("1:name=systemd:/system.slice/kitsurvie-night.service\n0::/x", "stop kitsurvie-night"),
        ("0::/user.slice/user-1000.slice/session-3.scope", "with Ctrl-C where it runs"),
    ],
)
def test_how_to_stop_a_run_depends_on_who_sits_in_front_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, says: str
) -> None:
    whole = Path.read_text

    def read(path: Path, *words: Any, **more: Any) -> str:
        return f"{group}\n" if path.name == "cgroup" else whole(path, *words, **more)

    monkeypatch.setattr(Path, "read_text", read)
    with (
        run_lock.hold(tmp_path / "lock", "a night", wait_for_orphan=False, tell=print),
        pytest.raises(RunError) as refused,
    ):
        hold(tmp_path / "lock")
    assert refused.value.remedy.endswith(f"{says}.")


def test_what_a_killed_run_left_at_work_is_waited_for_only_by_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_lock, "ORPHAN_POLL_S", 0.05)
    process, child = holder(tmp_path / "lock", "30")
    process.kill()
    process.wait()
    with pytest.raises(RunError, match="still finishing"):
        hold(tmp_path / "lock")
    told: list[str] = []
    waiting = threading.Thread(
        target=hold, args=(tmp_path / "lock",), kwargs={"wait": True, "told": told}
    )
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    os.kill(child, 9)
    waiting.join(10)
    assert not waiting.is_alive()
    assert len(told) == 1
    assert "Waiting for Ansible" in told[0]


def test_a_process_that_got_the_number_of_the_dead_one_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, child = holder(tmp_path / "lock", "30")
    try:
        written = json.loads((tmp_path / "lock").read_text())
        process.kill()
        process.wait()
        # as if this very test had got its number
        (tmp_path / "lock").write_text(json.dumps({**written, "pid": os.getpid()}))
        with pytest.raises(RunError, match="still finishing"):
            hold(tmp_path / "lock")
    finally:
        os.kill(child, 9)


def test_a_lock_file_full_of_rubbish_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"\xff{not json")
    hold(tmp_path / "lock")


def test_a_lock_is_no_link_to_a_file_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(WorkspaceError):
        hold(tmp_path / "lock")
    assert (tmp_path / "victim").read_text() == "kept"


def test_a_lock_held_by_who_knows_whom_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"\xff")
    with (tmp_path / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="an earlier run"):
            hold(tmp_path / "lock")
