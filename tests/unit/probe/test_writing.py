"""What is written is whole: the old or the new, whatever happens meanwhile."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.probe.conftest import QUARTER, SYS, Machine

from kitsurvie import probe

GOLDEN = Path(__file__).parent / "golden.prom"
PROGRAM = Path(probe.__file__)


def whole(machine: Machine) -> Machine:
    """A laptop with two packages, a battery, a screen and a session, read twice."""
    machine.options = ["--use"]
    machine.put(f"{SYS}/dmi/id/chassis_type", 10)
    for number in (0, 1):
        machine.package(number, 1_000_000)
    machine.battery("Discharging", energy_now=50_000_000)
    machine.put(f"{SYS}/drm/card0-HDMI-A-1/status", "connected")
    machine.put("run/systemd/sessions/1", "CLASS=user\nTYPE=x11\nSTATE=active\nUID=300001")
    machine.read()
    machine.passes(QUARTER, asleep=120)
    for number, energy in ((0, 11_000_000), (1, 6_000_000)):
        machine.package(number, energy)
    machine.battery("Discharging", energy_now=48_000_000)
    machine.busy(150, 1350)
    machine.read()
    return machine


def test_the_exposition_is_as_it_was_agreed(machine: Machine) -> None:
    assert whole(machine).textfile.read_text() == GOLDEN.read_text()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_promtool_finds_nothing_to_say_of_it() -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=GOLDEN.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_node_exporter_may_read_the_textfile_and_nobody_the_state(machine: Machine) -> None:
    whole(machine)
    assert machine.textfile.stat().st_mode & 0o777 == 0o644
    assert (machine.state / "state").stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in machine.textfile.parent.iterdir()) == ["kitsurvie_probe.prom"]


@pytest.mark.parametrize("call", ["open", "fsync", "replace", "fchmod"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_disk_that_is_full_leaves_what_stood_and_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    call: str, after: int,
) -> None:  # fmt: skip
    whole(machine)
    before = {one: one.read_bytes() for one in (machine.textfile, machine.state / "state")}
    machine.passes()
    real, calls = getattr(os, call), []

    def full(*args: object, **more: object) -> object:
        calls.append(args)
        # the first that is opened is the folder, to be alone there
        if len(calls) > after + (call == "open"):
            raise OSError(28, "No space left on device")
        return real(*args, **more)

    monkeypatch.setattr(os, call, full)
    machine.read()
    monkeypatch.undo()
    assert machine.code == 1
    assert machine.textfile.read_bytes() == before[machine.textfile]
    assert "what stood stands" in capsys.readouterr().err
    assert "No space left on device" not in machine.textfile.read_text()
    left = [one.name for one in machine.state.iterdir()]
    assert left == ["state"]
    # and the next one counts on
    machine.passes()
    assert machine.read()["powered_seconds_total"] == pytest.approx(3 * QUARTER)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is root's to make")
def test_a_real_disk_that_is_full_leaves_the_old_textfile(machine: Machine) -> None:
    whole(machine)
    small = machine.folder / "small"
    small.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)], check=True
    )  # fmt: skip
    try:
        old = small / "kitsurvie_probe.prom"
        old.write_bytes(machine.textfile.read_bytes())
        (small / "filler").write_bytes(b"x" * 4096)
        with pytest.raises(OSError, match="space"):
            (small / "more").write_bytes(b"x" * 65536)
        words = ["--root", str(machine.root), str(machine.state), str(old)]
        assert probe.main(words, machine.clock()) == 1
        assert old.read_bytes() == machine.textfile.read_bytes()
        assert not (small / probe.TEMPORARY).exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_killed_at_any_moment_it_leaves_the_old_or_the_new(machine: Machine) -> None:
    whole(machine)
    words = [sys.executable, "-I", "-S", str(PROGRAM), "--root", str(machine.root)]
    words += [str(machine.state), str(machine.textfile)]
    killed = 0
    for number in range(60):
        process = subprocess.Popen(words, stderr=subprocess.PIPE)
        time.sleep(number * 0.0012)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        shown = machine.shown()
        assert "boots_total" in shown
        assert probe.read_state((machine.state / "state").read_text())
    assert killed
    done = subprocess.run(words, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reading_waits_for_the_one_that_is_at_work(machine: Machine) -> None:
    whole(machine)
    words = [sys.executable, "-I", "-S", str(PROGRAM), "--root", str(machine.root)]
    words += [str(machine.state), str(machine.textfile)]
    held = os.open(machine.state, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    process = subprocess.Popen(words)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
    os.close(held)
    assert process.wait(timeout=30) == 0


# -- a state that is no state


@pytest.mark.parametrize(
    "content",
    [
        b"", b"kitsurvie-probe 1\n", b"kitsurvie-probe 2\nend\n", b"\xff\xfe\x00", b"{}",
        b"kitsurvie-probe 1\nw day=2026-11-20\nw since=2026-11-20\n",
        b"kitsurvie-probe 1\nn boots=-1\nw day=2026-11-20\nw since=2026-11-20\nend\n",
        b"kitsurvie-probe 1\nn boots=nan\nw day=2026-11-20\nw since=2026-11-20\nend\n",
        b"kitsurvie-probe 1\nn boots=inf\nw day=2026-11-20\nw since=2026-11-20\nend\n",
        b"kitsurvie-probe 1\nw day=2026-13-20\nw since=2026-11-20\nend\n",
        b"kitsurvie-probe 1\nend\n",
    ],
)  # fmt: skip
def test_a_state_that_is_none_is_put_aside_and_counting_begins_anew(
    machine: Machine, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (machine.state / "state").write_bytes(content)
    found = machine.read()
    assert machine.code == 0
    assert found["boots_total"] == 1
    assert (machine.state / "state.bad").read_bytes() == content
    assert "counting begins anew" in capsys.readouterr().err
    machine.passes()
    assert machine.read()["powered_seconds_total"] == QUARTER


@given(st.binary(max_size=300), st.integers(0, 400))
def test_whatever_became_of_the_state_a_reading_is_made(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, where: int
) -> None:
    made = Machine(tmp_path_factory.mktemp("machine"))
    for folder in (made.root, made.state, made.textfile.parent):
        folder.mkdir()
    made.boot("one")
    made.package(0, 5_000_000)
    made.battery("Discharging", energy_now=50_000_000)
    made.since()
    kept = (made.state / "state").read_bytes()
    (made.state / "state").write_bytes(kept[:where] + noise + kept[where:])
    made.passes()
    found = made.read()
    assert made.code == 0
    assert all(value >= 0 for value in found.values())


@pytest.mark.parametrize(
    "words", [[], ["one"], ["--watts", "toaster=3", "a", "b"], ["--watts", "server=-3", "a", "b"],
              ["--root"], ["--what", "a", "b"], ["--watts", "server=x", "a", "b"]],
)  # fmt: skip
def test_words_that_are_not_understood_write_nothing(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe.main(words) == 2
    assert "usage:" in capsys.readouterr().err


def test_the_modules_that_it_imports_are_few() -> None:
    """ADR 0013: each more costs every machine of the estate at every reading."""
    code = (
        f"import sys; sys.path.append({str(PROGRAM.parent)!r}); import probe; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"json", "re", "argparse", "pathlib", "typing", "subprocess"} & set(
        done.stdout.split()
    )
