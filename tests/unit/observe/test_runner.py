"""The program that runs on a host, run here as it is sent, without sudo."""

from __future__ import annotations

import ast
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from kitsurvie.model import Answer
from kitsurvie.observe import request
from kitsurvie.observe.answers import RubbishAnswer, decode

ARGV = shlex.split(request.COMMAND)[2:]


def ask(*commands: str, env: Mapping[str, str] | None = None, **limits: float) -> list[Answer]:
    bounds = {"command_s": 10, "deadline_s": 30, "max_answer_bytes": 1 << 20, **limits}
    stdin = request.build(commands, **bounds)  # type: ignore[arg-type]
    done = subprocess.run(ARGV, input=stdin, capture_output=True, timeout=60, env=env)
    assert not done.stderr, done.stderr.decode()
    return list(decode("here", commands, done.stdout).answers.values())


def processes_saying(mark: str) -> list[str]:
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in cmdline.read_bytes():
                found.append(cmdline.parent.name)
        except OSError:
            continue
    return found


def gone(mark: str) -> bool:
    """Whether no such process is left, once the kernel has had a moment to end the killed."""
    until = time.monotonic() + 5
    while processes_saying(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return processes_saying(mark) == []


def test_a_command_answers_with_both_streams_and_its_exit_status() -> None:
    (answer,) = ask("echo out; echo err >&2; exit 7")
    assert answer == Answer(7, b"out\n", b"err\n")


def test_answers_come_in_the_order_of_the_commands_however_long_each_took() -> None:
    slow_first = ask("sleep 0.4; echo a", "echo b", "sleep 0.2; echo c", "echo d")
    assert [answer.stdout for answer in slow_first] == [b"a\n", b"b\n", b"c\n", b"d\n"]


def test_any_bytes_come_back_as_they_are() -> None:
    (answer,) = ask(r"printf '\377\000\n\r\376'")
    assert answer.stdout == b"\xff\x00\n\r\xfe"


def test_a_command_that_looks_like_an_answer_header_changes_nothing() -> None:
    lines = "printf '\\nkitsurvie-answers 1 0123456789abcdef 5\\n0 - 3 0\\nabc'"
    first, second = ask(lines, "echo after")
    assert first.stdout.endswith(b"abc")
    assert second.stdout == b"after\n"


def test_a_command_is_handed_over_verbatim() -> None:
    (answer,) = ask("printf %s 'é ; $HOME \"x\" %d\n\ttwo'")
    assert answer.stdout.decode() == 'é ; $HOME "x" %d\n\ttwo'


def test_standard_input_is_empty() -> None:
    (answer,) = ask("cat; readlink /proc/self/fd/0")
    assert answer.stdout == b"/dev/null\n"


def test_the_environment_is_fixed_whatever_the_login_brings() -> None:
    (answer,) = ask("env", env={"LANG": "fr_FR.UTF-8", "LD_PRELOAD": "", "PYTHONPATH": "/tmp"})
    names = dict(line.split("=", 1) for line in answer.stdout.decode().splitlines())
    assert names.pop("PWD", "/") == "/"
    assert names == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": "/",
    }


def test_a_command_inherits_no_open_file_of_the_runner() -> None:
    (answer,) = ask("ls /proc/self/fd")
    assert answer.stdout.split() == [b"0", b"1", b"2", b"3"]  # 3 is the directory ls reads


def test_a_pipeline_ends_by_a_broken_pipe_as_in_any_shell() -> None:
    (answer,) = ask("yes | head -1; yes | head -1 >/dev/null")
    assert answer == Answer(0, b"y\n", b"")


def test_a_signal_is_a_negative_exit_status() -> None:
    (answer,) = ask("kill -TERM $$")
    assert answer.rc == -signal.SIGTERM


def test_a_time_out_kills_the_grandchildren_too() -> None:
    mark = f"kitsurvie-test-{os.getpid()}"
    started = time.monotonic()
    late, after = ask(
        f"sh -c 'exec sh -c \"while :; do sleep 1; done # {mark}\"' & sleep 60",
        "echo still here",
        command_s=0.5,
    )
    assert (late.flaw, late.rc) == ("timeout", -signal.SIGKILL)
    assert after.stdout == b"still here\n"
    assert time.monotonic() - started < 30
    assert gone(mark)


def test_what_a_command_leaves_behind_is_killed_when_it_ends() -> None:
    mark = f"kitsurvie-test-left-{os.getpid()}"
    (answer,) = ask(f"sh -c 'while :; do sleep 1; done # {mark}' >/dev/null 2>&1 & echo gone")
    assert answer == Answer(0, b"gone\n", b"")
    assert gone(mark)


def test_a_process_that_fled_its_group_does_not_hold_the_answer() -> None:
    started = time.monotonic()
    (answer,) = ask("setsid sleep 20 & echo said", command_s=0.5)
    assert (answer.stdout, answer.flaw) == (b"said\n", "timeout")
    assert time.monotonic() - started < 10


def test_a_command_that_closes_its_streams_is_still_waited_for() -> None:
    (answer,) = ask("exec >&- 2>&-; sleep 0.3; exit 4")
    assert answer == Answer(4, b"", b"")


@pytest.mark.parametrize("redirect", ["", ">&2"])
def test_an_endless_stream_is_cut_and_its_command_killed(redirect: str) -> None:
    endless, after = ask(f"cat /dev/zero {redirect}", "echo on", max_answer_bytes=100_000)
    assert (endless.flaw, endless.rc) == ("truncated", -signal.SIGKILL)
    assert len(endless.stdout + endless.stderr) == 100_000
    assert after.stdout == b"on\n"


def test_an_answer_of_exactly_the_cap_is_whole() -> None:
    (answer,) = ask("head -c 5000 /dev/zero", max_answer_bytes=5000)
    assert (len(answer.stdout), answer.flaw) == (5000, "")


def test_all_answers_together_are_capped() -> None:
    answers = ask(*(f"head -c 40000 /dev/zero # {n}" for n in range(5)), max_total_bytes=100_000)
    assert sum(len(answer.stdout) for answer in answers) == 100_000
    assert [answer.flaw for answer in answers[3:]] == ["truncated", "truncated"]


def test_the_deadline_ends_what_runs_and_starts_nothing_more() -> None:
    started = time.monotonic()
    answers = ask("sleep 60 # 1", "sleep 60 # 2", "touch /nowhere/ever", deadline_s=0.6)
    assert [answer.flaw for answer in answers] == ["deadline"] * 3
    assert answers[2].rc == -1
    assert time.monotonic() - started < 30


def test_the_runner_takes_its_commands_along_when_it_is_told_to_end() -> None:
    mark = f"kitsurvie-test-term-{os.getpid()}"
    stdin = request.build(
        [f"while :; do sleep 1; done # {mark}"], command_s=60, deadline_s=60, max_answer_bytes=10
    )
    with subprocess.Popen(ARGV, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as runner:
        assert runner.stdin is not None
        runner.stdin.write(stdin)
        runner.stdin.close()
        # the runner's own command line does not hold the mark: the commands are on its stdin
        while not processes_saying(mark):
            time.sleep(0.02)
        runner.terminate()
        runner.wait(5)
    assert gone(mark)


def test_the_command_that_is_just_being_started_is_taken_along_too() -> None:
    mark = f"kitsurvie-test-amid-{os.getpid()}"
    loops = [f"while :; do sleep 1; done # {mark} {n}" for n in range(200)]
    stdin = request.build(loops, width=200, command_s=60, deadline_s=60, max_answer_bytes=10)
    with subprocess.Popen(ARGV, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as runner:
        assert runner.stdin is not None
        runner.stdin.write(stdin)
        runner.stdin.close()
        # the first runs, and nearly all of its time goes into starting the others
        while not processes_saying(mark):
            time.sleep(0.001)
        runner.terminate()
        runner.wait(10)
    assert gone(mark)


@pytest.mark.parametrize("cut", [0, 1, 3, 50, 2000, -60, -5, -1])
def test_a_request_cut_short_runs_nothing_and_is_no_evidence(cut: int, tmp_path: Path) -> None:
    commands = [f"touch {tmp_path}/one", f"touch {tmp_path}/two 1234567"]
    stdin = request.build(commands, command_s=5, deadline_s=5, max_answer_bytes=100)
    done = subprocess.run(ARGV, input=stdin[:cut], capture_output=True, timeout=10)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RubbishAnswer):
        decode("here", commands, done.stdout, done.stderr)


def test_the_same_commands_make_the_same_request() -> None:
    def once() -> bytes:
        return request.build(["a", "b"], command_s=5, deadline_s=9, max_answer_bytes=100)

    assert once() == once()


@pytest.mark.parametrize("commands", [[], ["echo \0"]])
def test_a_request_no_shell_can_run_is_refused(commands: list[str]) -> None:
    with pytest.raises(ValueError, match="NUL"):
        request.build(commands, command_s=5, deadline_s=9, max_answer_bytes=100)


def test_the_runner_is_short_and_speaks_the_python_of_debian_11() -> None:
    source = request.runner().decode()
    assert len(source.splitlines()) < 150
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    # small modules only: importing json or subprocess takes longer than ten commands
    assert imported == {"os", "select", "signal", "sys", "time", "zlib"}
    assert "open(" not in source.replace("os.open(", "").replace("posix_open(", "")


def test_the_command_line_is_one_short_constant_without_the_commands() -> None:
    assert len(request.COMMAND) < 160
    assert shlex.split(request.COMMAND)[:2] == ["sudo", "-n"]
