"""The guard puts back all it promised, or says that it did not and keeps its snapshot."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from pathlib import Path

import pytest

GUARD = Path(__file__).parents[2] / "playbooks" / "files" / "guard"
# a tmpfs of its own for what follows; ends with the command
OWN_MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "-r"]


class Machine:
    """The guard over a folder that stands for the machine; `systemctl` only writes down."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.snapshot = root / "state" / "guard" / "m"
        self.marker = root / "state" / "guard" / "m.restored"
        self.stamp = root / "state" / "stamps" / "m"
        self.timer = root / "units" / "kitsurvie-guard-m.timer"
        self.service = root / "units" / "kitsurvie-guard-m.service"
        for name in ("units", "bin", "etc", "state/stamps"):
            (root / name).mkdir(parents=True)
        self.stamp.write_text("applied\n")
        (root / "state" / "guard").mkdir()
        shutil.copy(GUARD, root / "state" / "guard" / "guard")
        systemctl = root / "bin" / "systemctl"
        systemctl.write_text(f'#!/bin/sh\necho "$@" >>{root}/asked 2>/dev/null || :\n')
        systemctl.chmod(0o755)
        # a busy disk is no business of these tests
        (root / "bin" / "sync").symlink_to("/bin/true")
        self.environment = {
            **os.environ,
            "KITSURVIE_GUARD_STATE": str(root / "state"),
            "KITSURVIE_GUARD_UNITS": str(root / "units"),
            "KITSURVIE_GUARD_PROGRAMS": str(root / "programs"),
            "KITSURVIE_GUARD_PATH": f"{root}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        }

    def guard(self, *arguments: str | Path, said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", GUARD, *arguments], env=self.environment, input=said, capture_output=True,
            text=True, check=False,
        )  # fmt: skip

    def arm(self, *paths: Path, save: str = "", restore: str = "", delay: str = "60") -> str:
        """Its token."""
        done = self.guard("arm", "m", delay, "/bin/sh", save, restore, *paths)
        assert done.returncode == 0, done.stderr
        program = done.stdout.splitlines()[-1]
        assert program.startswith(f"{self.root}/programs/guard-m-")
        return program[-36:]

    def run(self, token: str, *command: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return self.guard("run", "m", token, *command, said=said)

    def files(self) -> dict[str, str]:
        return {p.name: p.read_text() for p in (self.root / "etc").iterdir() if p.is_file()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_was_changed_added_and_removed_comes_back(machine: Machine) -> None:
    etc = machine.root / "etc"
    (etc / "kept").write_text("as it was")
    (etc / "kept").chmod(0o640)
    (etc / "gone").write_text("was here")
    (etc / "same").write_text("untouched")
    (etc / "link").symlink_to("kept")
    untouched = (etc / "same").stat().st_ino
    machine.arm(*(etc / name for name in ("kept", "gone", "same", "link", "new")))
    (etc / "kept").write_text("changed")
    (etc / "kept").chmod(0o600)
    (etc / "gone").unlink()
    (etc / "link").unlink()
    (etc / "link").symlink_to("/dev/null")
    (etc / "new").write_text("added")

    assert machine.guard("restore", "m").returncode == 0
    assert stat.S_IMODE((etc / "kept").stat().st_mode) == 0o640
    assert (etc / "same").stat().st_ino == untouched
    assert (etc / "link").readlink() == Path("kept")
    del (found := machine.files())["link"]
    assert found == {"kept": "as it was", "gone": "was here", "same": "untouched"}
    assert "was never proved" in machine.marker.read_text()
    assert not any(p.exists() for p in (machine.timer, machine.snapshot, machine.stamp))


def test_a_snapshot_that_lost_its_list_is_not_taken_for_an_empty_one(machine: Machine) -> None:
    """As on a disk that was full while the list was made: nothing was put back, all was deleted."""
    path = machine.root / "etc" / "sshd_config"
    path.write_text("as it was")
    for lost in ("listed", "absent", "restore"):
        machine.arm(path)
        path.write_text("locked out")
        (machine.snapshot / lost).rename(machine.root / lost)
        done = machine.guard("restore", "m")
        assert done.returncode == 1, lost
        assert "tries again" in done.stderr
        assert not machine.marker.exists()
        assert machine.timer.exists()
        assert (machine.snapshot / "files" / str(path)[1:]).exists()
        (machine.root / lost).rename(machine.snapshot / lost)
        assert machine.guard("restore", "m").returncode == 0
        assert path.read_text() == "as it was"
        machine.marker.unlink()


def test_a_command_of_the_restoring_that_fails_is_tried_again(machine: Machine) -> None:
    path = machine.root / "etc" / "rules"
    path.write_text("as it was")
    machine.arm(path, restore=f"test -e {machine.root}/ready")
    path.write_text("locked out")
    assert machine.guard("restore", "m").returncode == 1
    assert path.read_text() == "as it was"
    assert machine.timer.exists()
    (machine.root / "ready").touch()
    assert machine.guard("restore", "m").returncode == 0
    assert not machine.timer.exists()


def test_the_countdown_is_never_given_up(machine: Machine) -> None:
    machine.arm()
    unit = machine.service.read_text()
    assert "StartLimitIntervalSec=0" in unit
    assert "Restart=on-failure" in unit


def test_what_was_proved_is_forgotten_without_a_trace(machine: Machine) -> None:
    path = machine.root / "etc" / "sshd_config"
    path.write_text("as it was")
    token = machine.arm(path)
    path.write_text("changed and proved")
    assert machine.guard("disarm", "m", token).returncode == 0
    assert machine.files() == {"sshd_config": "changed and proved"}
    assert not any(p.exists() for p in (machine.timer, machine.snapshot, machine.root / "programs"))
    assert machine.stamp.exists()


def test_no_snapshot_no_countdown(machine: Machine) -> None:
    done = machine.guard("arm", "m", "60", "/bin/sh", "exit 1", "", machine.root / "etc")
    assert done.returncode == 1
    assert "no snapshot" in done.stderr
    assert not any(p.exists() for p in (machine.timer, machine.snapshot))


def test_a_step_is_run_as_it_came_as_long_as_the_guard_is_armed(machine: Machine) -> None:
    token = machine.arm()
    asked = "umask; echo $PATH"
    done = machine.run(token, "/bin/sh", said=f"{asked}; exit 7")
    assert done.returncode == 7
    assert done.stdout == subprocess.check_output(["sh", "-c", asked], text=True)
    assert machine.run(token, "/bin/echo", "by", "arguments").stdout == "by arguments\n"
    (program,) = (machine.root / "programs").iterdir()
    by_it = [program, "-c", "echo as PYTHON"]
    assert subprocess.check_output(by_it, env=machine.environment) == b"as PYTHON\n"


@pytest.mark.parametrize("since", ["fired", "disarmed", "armed anew", "half restored"])
def test_a_step_that_comes_too_late_is_refused(machine: Machine, since: str) -> None:
    path = machine.root / "etc" / "sudoers"
    path.write_text("as it was")
    token = machine.arm(path, restore="exit 1" if since == "half restored" else "")
    if since in {"fired", "half restored"}:
        machine.guard("restore", "m")
    elif since == "disarmed":
        assert machine.guard("disarm", "m", token).returncode == 0
    else:
        machine.arm(path)
    late = machine.run(token, "/bin/sh", said=f"echo locked out >{path}")
    assert late.returncode == 3
    assert '"failed": true' in late.stdout
    assert "already put the machine back" in late.stdout
    assert path.read_text() == "as it was"
    assert machine.guard("disarm", "m", token).returncode == 3
    assert machine.guard("disarm", "m", "").returncode == 3
    assert machine.timer.exists() == (since in {"armed anew", "half restored"})


def test_a_step_under_way_is_finished_and_then_taken_back(machine: Machine) -> None:
    path = machine.root / "etc" / "sudoers"
    path.write_text("as it was")
    token = machine.arm(path)
    step = threading.Thread(
        target=machine.run,
        args=(token, "/bin/sh", "-c", f"touch {machine.root}/begun; sleep 1; echo out >{path}"),
    )
    step.start()
    while not (machine.root / "begun").exists():
        pass
    assert machine.guard("restore", "m").returncode == 0
    assert path.read_text() == "as it was"
    step.join()


def test_a_link_that_stalls_in_the_middle_of_a_step_does_not_hold_up_the_restoring(
    machine: Machine,
) -> None:
    path = machine.root / "etc" / "sudoers"
    path.write_text("as it was")
    token = machine.arm(path, delay="1")
    stalled = subprocess.Popen(
        ["sh", GUARD, "run", "m", token, "/bin/sh"], env=machine.environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    path.write_text("locked out")
    assert machine.guard("restore", "m").returncode == 0
    assert path.read_text() == "as it was"
    assert stalled.communicate(f"echo late >{path}")[0].startswith('{"failed": true')
    token = machine.arm(path, delay="1")
    assert machine.run(token, "/bin/sleep", "30").returncode == 124


def test_a_later_change_starts_from_what_was_never_proved(machine: Machine) -> None:
    path = machine.root / "etc" / "sudoers"
    path.write_text("as it was")
    machine.arm(path)
    path.write_text("half a change")
    machine.arm(path)
    assert path.read_text() == "as it was"
    # a person at the machine has no token
    assert machine.guard("disarm", "m").returncode == 0


def test_a_full_disk_does_not_keep_a_machine_locked_out(machine: Machine) -> None:
    """Armed, changed, then neither a byte nor a file left: all comes back, by renames alone."""
    if subprocess.run([*OWN_MOUNTS, "true"], check=False, capture_output=True).returncode:
        pytest.skip("mounts of one's own need root, or user namespaces")
    script = f"""
        set -e
        mkdir -p "$1/disk"
        mount -t tmpfs -o size=512k,nr_inodes=90 none "$1/disk"
        cd "$1/disk"
        mkdir -p units etc state/stamps
        head -c 20000 /dev/zero | tr '\\0' s >etc/sudoers
        touch state/stamps/m
        sh {GUARD} arm m 60 /bin/sh 'echo saved >live' 'grep -q saved live' \
            "$PWD/etc/sudoers" "$PWD/etc/new"
        echo locked out >etc/sudoers
        echo locked out >etc/new
        n=0
        while touch full.$n 2>/dev/null; do n=$((n + 1)); done
        cat /dev/zero >full.0 2>/dev/null || true
        ! (echo x >full.1) 2>/dev/null
        sh {GUARD} restore m
        test "$(tr -d s <etc/sudoers | wc -c) $(wc -c <etc/sudoers)" = '0 20000'
        test ! -e etc/new
        test ! -e units/kitsurvie-guard-m.timer
        test ! -e state/guard/m
        test ! -e state/stamps/m
        grep -q 'never proved' state/guard/m.restored
    """
    disk = {
        "KITSURVIE_GUARD_STATE": f"{machine.root}/disk/state",
        "KITSURVIE_GUARD_UNITS": f"{machine.root}/disk/units",
        "KITSURVIE_GUARD_PROGRAMS": f"{machine.root}/disk/programs",
    }
    done = subprocess.run(
        [*OWN_MOUNTS, "sh", "-c", script, "sh", machine.root], capture_output=True, text=True,
        env={**machine.environment, **disk}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_measure_that_could_not_be_undone_keeps_its_stamp(machine: Machine) -> None:
    """It is as applied as it was: the next deployment is to undo it again."""
    machine.arm(machine.stamp)
    machine.stamp.unlink()
    assert machine.guard("restore", "m").returncode == 0
    assert machine.stamp.read_text() == "applied\n"
