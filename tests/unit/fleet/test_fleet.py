"""Many hosts at once, against servers that behave as machines in the field do, and worse."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest

from kitsurvie.errors import ExitCode
from kitsurvie.fleet.client import Fleet, Limits, Reply, Target, Trouble
from kitsurvie.fleet.trouble import explain

LIMITS = Limits(connect_s=5, command_s=5, max_bytes=1_000_000, parallel=20, parallel_per_site=4)
QUICK = replace(LIMITS, connect_s=1, command_s=1)


def echo(server: Any, channel: paramiko.Channel, command: str) -> None:
    """Send back the command and its whole standard input."""
    given = b"".join(iter(lambda: channel.recv(65536), b""))
    channel.sendall(command.encode() + b"|" + given)
    channel.sendall_stderr(b"on stderr")
    channel.send_exit_status(3)


SHARED: list[Fleet] = []


@pytest.fixture(scope="module", autouse=True)
def shared() -> Iterator[None]:
    """One worker for the tests that need no other: starting one takes longer than most of them."""
    with Fleet([], LIMITS, None) as fleet:
        SHARED.append(fleet)
        yield
        SHARED.clear()


def ask(
    *targets: Target,
    stdin: bytes = b"",
    limits: Limits | None = None,
    command: str = "run",
    own: bool = False,
) -> dict[str, Reply]:
    """Replies by host name; from a worker of its own for other limits or another home."""
    worker = nullcontext(SHARED[0]) if limits is None and not own else None
    with worker or Fleet([], limits or LIMITS, None) as fleet:
        fleet.add(targets)
        for target in targets:
            fleet.submit(target.name, command, stdin, last=True)
        return {reply.host: reply for reply in fleet.replies()}


def ask_one(target: Target, **more: Any) -> Reply:
    return ask(target, **more)[target.name]


def gone(pid: int, within_s: float = 5) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


# --- what a good host gives -------------------------------------------------------------------


def test_a_host_gives_both_streams_and_its_exit_status(serve: Any, key_file: str) -> None:
    reply = ask_one(serve(echo).target("h1", key_file), stdin=b"in", command="do it")
    assert (reply.exit_code, reply.stdout, reply.stderr) == (3, b"do it|in", b"on stderr")
    assert reply.trouble is None
    assert reply.connect_s > 0


def test_any_bytes_go_both_ways_as_they_are(serve: Any, key_file: str) -> None:
    every = bytes(range(256)) * 300 + b"\xff\xfe\n"
    reply = ask_one(serve(echo).target("h1", key_file), stdin=every)
    assert reply.stdout == b"run|" + every


def test_a_host_that_speaks_before_it_listens_does_not_lock_up(serve: Any, key_file: str) -> None:
    def chatty(server: Any, channel: paramiko.Channel, command: str) -> None:
        channel.sendall_stderr(b"e" * 3_000_000)
        channel.sendall(b"o" * 3_000_000)
        echo(server, channel, "")

    reply = ask_one(
        serve(chatty).target("h1", key_file),
        stdin=b"i" * 3_000_000,
        limits=replace(LIMITS, max_bytes=20_000_000, command_s=60),
    )
    assert (reply.trouble, len(reply.stdout)) == (None, 6_000_001)


def test_several_jobs_of_one_host_share_one_connection(serve: Any, key_file: str) -> None:
    server = serve(echo)
    target = server.target("h1", key_file)
    with Fleet([target], LIMITS, None) as fleet:
        fleet.submit("h1", "first", b"")
        said = []
        for reply in fleet.replies():
            said.append(reply.stdout)
            if len(said) < 3:
                fleet.submit("h1", f"more {len(said)}", b"")
        fleet.finish("h1")
    assert said == [b"first|", b"more 1|", b"more 2|"]
    assert (server.seen["connection"], server.seen["exec"]) == (1, 3)


def test_one_job_is_one_session_and_one_execution_and_nothing_else(
    serve: Any, key_file: str, home: Path
) -> None:
    server = serve(echo)
    ask(*(server.target(f"h{n}", key_file) for n in range(5)), own=True)
    assert server.seen == {"connection": 5, "offered key": 5, "session": 5, "exec": 5}


def test_a_finished_host_is_let_go_while_others_go_on(serve: Any, key_file: str) -> None:
    closed = []

    def wait(server: Any, channel: paramiko.Channel, command: str) -> None:
        if command == "quick":
            channel.send_exit_status(0)
            channel.close()
            transport = channel.get_transport()
            while transport.is_active() and len(closed) < 1:
                time.sleep(0.01)
            closed.append(transport.is_active())
        else:
            while not closed:
                time.sleep(0.01)
            channel.send_exit_status(0)

    server = serve(wait)
    with Fleet([server.target(n, key_file) for n in ("a", "b")], LIMITS, None) as fleet:
        fleet.submit("b", "slow", b"")
        fleet.submit("a", "quick", b"")
        order = []
        for reply in fleet.replies():
            order.append((reply.host, reply.trouble))
            fleet.finish(reply.host)
    assert order == [("a", None), ("b", None)]
    assert closed == [False]


def test_every_finished_host_is_let_go(serve: Any, key_file: str) -> None:
    server = serve(echo)
    targets = [server.target(f"h{n}", key_file) for n in range(30)]
    with Fleet(targets, LIMITS, None) as fleet:
        for target in targets:
            fleet.submit(target.name, "run", b"")
        for reply in fleet.replies():
            fleet.finish(reply.host)
        end = time.monotonic() + 5
        while server.open and time.monotonic() < end:
            time.sleep(0.05)
        assert (server.seen["connection"], server.open) == (30, 0)


def test_a_host_that_hung_up_between_two_jobs_is_called_again(serve: Any, key_file: str) -> None:
    server = serve(echo)
    with Fleet([server.target("h1", key_file)], LIMITS, None) as fleet:
        fleet.submit("h1", "a", b"")
        assert [reply.trouble for reply in fleet.replies()] == [None]
        server.transports[0].close()
        time.sleep(0.3)
        fleet.submit("h1", "b", b"")
        assert [reply.stdout for reply in fleet.replies()] == [b"b|"]
    assert server.seen["connection"] == 2


def test_targets_may_be_named_after_the_worker_was_started(serve: Any, key_file: str) -> None:
    first, second = serve(echo), serve(echo)
    with Fleet([], LIMITS, None) as fleet:
        with pytest.raises(KeyError):
            fleet.submit("h1", "early", b"")
        fleet.add([first.target("h1", key_file)])
        fleet.submit("h1", "a", b"")
        assert [reply.stdout for reply in fleet.replies()] == [b"a|"]
        fleet.add([second.target("h1", key_file, site="moved")])
        fleet.submit("h1", "b", b"")
        assert [reply.stdout for reply in fleet.replies()] == [b"b|"]
    assert (first.seen["exec"], second.seen["exec"]) == (1, 1)


def test_what_a_host_is_doing_is_told_in_order(serve: Any, key_file: str) -> None:
    told: list[tuple[str, str]] = []
    server = serve(echo)
    with Fleet(
        [server.target("h1", key_file)],
        LIMITS,
        None,
        lambda host, state: told.append((host, state)),
    ) as fleet:
        fleet.submit("h1", "a", b"")
        fleet.submit("h1", "b", b"", last=True)
        list(fleet.replies())
    states = [state for _, state in told]
    assert states[:4] == ["connecting", "connected", "running", "done"]
    assert states[4] == "running"


def test_hosts_of_one_site_are_bounded_and_other_sites_do_not_wait_for_them(
    serve: Any, key_file: str
) -> None:
    def slow(server: Any, channel: paramiko.Channel, command: str) -> None:
        time.sleep(0.3)
        channel.send_exit_status(0)

    narrow, wide = serve(slow), serve(slow)
    targets = [narrow.target(f"n{n}", key_file, site="adsl") for n in range(6)]
    targets += [wide.target(f"w{n}", key_file) for n in range(6)]
    replies = ask(*targets, limits=replace(LIMITS, parallel_per_site=2, parallel=8))
    assert [reply.trouble for reply in replies.values()] == [None] * 12
    assert (narrow.most_at_once, wide.most_at_once) == (2, 6)
    assert list(replies)[-1].startswith("n")


def test_no_more_hosts_than_the_limit_are_worked_on_at_once(serve: Any, key_file: str) -> None:
    def slow(server: Any, channel: paramiko.Channel, command: str) -> None:
        time.sleep(0.2)
        channel.send_exit_status(0)

    server = serve(slow)
    ask(*(server.target(f"h{n}", key_file) for n in range(9)), limits=replace(LIMITS, parallel=3))
    assert server.most_at_once == 3


# --- hosts at fault ----------------------------------------------------------------------------


def silent(connection: socket.socket) -> None:
    time.sleep(20)
    connection.close()


def drips_its_banner(connection: socket.socket) -> None:
    try:
        for byte in b"SSH-2.0-slow" * 100:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)
    except OSError:
        return


def speaks_http(connection: socket.socket) -> None:
    connection.sendall(
        b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n" + b"\xff\xfe<html>\r\n" * 300
    )
    time.sleep(5)


def promises_ssh_and_sends_noise(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + os.urandom(5000))
    time.sleep(5)


@pytest.mark.parametrize(
    ("talk", "trouble"),
    [
        (silent, {Trouble.TIMEOUT}),
        (drips_its_banner, {Trouble.TIMEOUT}),
        (speaks_http, {Trouble.RUBBISH}),
        (promises_ssh_and_sends_noise, {Trouble.RUBBISH, Trouble.TIMEOUT}),
        (lambda connection: connection.close(), {Trouble.CLOSED}),
    ],
)
def test_what_is_no_ssh_server_is_given_up_in_time(
    speak: Any, key_file: str, talk: Callable[[socket.socket], None], trouble: set[Trouble]
) -> None:
    started = time.monotonic()
    reply = ask_one(speak(talk).target("h1", key_file), limits=QUICK)
    assert reply.trouble in trouble, reply
    assert reply.exit_code is None
    assert time.monotonic() - started < 6


def test_a_closed_port_and_a_name_without_address_are_unreachable(
    speak: Any, key_file: str
) -> None:
    nobody = speak(silent).target("h1", key_file)
    replies = ask(
        replace(nobody, port=1),
        replace(nobody, name="h2", address="no-such-host.invalid"),
        replace(nobody, name="h3", address="10.0.0.1; touch /tmp/x $(id)"),
        replace(nobody, name="h4", address="-oProxyCommand=id"),
    )
    assert {reply.trouble for reply in replies.values()} == {Trouble.UNREACHABLE}


def test_a_host_without_a_pinned_key_is_not_even_called(serve: Any, key_file: str) -> None:
    server = serve(echo)
    reply = ask_one(server.target("h1", key_file, host_keys=()))
    assert reply.trouble == Trouble.NOT_ENROLLED
    assert server.seen["connection"] == 0


@pytest.mark.parametrize("pinned", [paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)])
def test_another_key_than_the_one_pinned_is_refused_before_any_login(
    serve: Any, key_file: str, pinned: paramiko.PKey
) -> None:
    server = serve(echo)
    key = f"{pinned.get_name()} {pinned.get_base64()}"
    reply = ask_one(server.target("h1", key_file, host_keys=(key,)))
    assert reply.trouble == Trouble.KEY_CHANGED
    assert (server.seen["offered key"], server.seen["exec"]) == (0, 0)


def test_two_hosts_with_one_address_keep_their_own_keys(serve: Any, key_file: str) -> None:
    server = serve(echo)
    other = paramiko.ECDSAKey.generate()
    replies = ask(
        server.target("right", key_file),
        server.target("wrong", key_file, host_keys=(f"{other.get_name()} {other.get_base64()}",)),
        server.target("right too", key_file),
    )
    assert replies["right"].trouble is replies["right too"].trouble is None
    assert replies["wrong"].trouble == Trouble.KEY_CHANGED


def test_what_is_in_the_home_folder_changes_nothing(serve: Any, key_file: str, home: Path) -> None:
    server = serve(echo)
    place = f"[127.0.0.1]:{server.port}"
    host_key = server.target("h1", key_file).host_keys[0]
    other = paramiko.ECDSAKey.generate()
    (home / ".ssh" / "config").write_text("Host *\n  ProxyCommand false\n  User nobody\n")
    (home / ".ssh" / "known_hosts").write_text(f"{place} {host_key}\n")
    not_pinned_here = server.target("h2", key_file, host_keys=())
    pinned_otherwise = server.target(
        "h3", key_file, host_keys=(f"{other.get_name()} {other.get_base64()}",)
    )
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    replies = ask(server.target("h1", key_file), not_pinned_here, pinned_otherwise, own=True)
    assert replies["h1"].trouble is None
    assert replies["h2"].trouble == Trouble.NOT_ENROLLED
    assert replies["h3"].trouble == Trouble.KEY_CHANGED
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_a_refused_login_tries_no_password(serve: Any, key_file: str) -> None:
    server = serve(echo)
    reply = ask_one(server.target("h1", key_file, user="stranger"))
    assert reply.trouble == Trouble.AUTHENTICATION
    assert server.seen["password"] == 0


def test_a_key_file_that_is_missing_or_locked_is_an_authentication_trouble(
    serve: Any, tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    paramiko.ECDSAKey.generate().write_private_key_file(str(locked), password="secret")
    server = serve(echo)
    replies = ask(server.target("a", str(tmp_path / "none")), server.target("b", str(locked)))
    assert [replies[name].trouble for name in "ab"] == [Trouble.AUTHENTICATION] * 2
    assert "No such private key file" in replies["a"].detail
    assert "ssh-add it" in replies["b"].detail
    assert server.seen["connection"] == 0


@pytest.fixture
def agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A running agent; call it with the file of a key to give it that key."""
    sock = str(home / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
    while not Path(sock).exists():
        time.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", sock)
    yield lambda key: subprocess.run(["ssh-add", "-q", str(key)], check=True) and None
    process.terminate()
    process.wait()


def test_without_a_key_file_the_keys_of_the_person_are_used(serve: Any, home: Path) -> None:
    server = serve(echo)
    paramiko.ECDSAKey.generate().write_private_key_file(str(home / ".ssh" / "id_ecdsa"))
    assert ask_one(server.target("h1", None), own=True).trouble is None
    assert server.seen["agent forwarding"] == 0


def test_a_key_with_a_passphrase_is_used_through_the_agent(
    serve: Any, tmp_path: Path, agent: Callable[[Path], None]
) -> None:
    server = serve(echo)
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(tmp_path / "open"))
    key.write_private_key_file(str(tmp_path / "locked"), password="secret")
    locked = server.target("h1", str(tmp_path / "locked"))
    assert ask_one(locked, own=True).trouble == Trouble.AUTHENTICATION
    agent(tmp_path / "open")
    assert ask_one(locked, own=True).trouble is None
    assert ask_one(replace(locked, key_file=None), own=True).trouble is None
    assert server.seen["agent forwarding"] == 0


def test_an_endless_answer_is_cut_and_memory_stays_flat(serve: Any, key_file: str) -> None:
    sent = []

    def endless(server: Any, channel: paramiko.Channel, command: str) -> None:
        for _ in range(500):
            channel.sendall(b"\0" * 1_000_000)
            sent.append(1)

    server = serve(endless)
    limits = replace(LIMITS, max_bytes=5_000_000, command_s=60)
    with Fleet([server.target(f"h{n}", key_file) for n in range(3)], limits, None) as fleet:
        for n in range(3):
            fleet.submit(f"h{n}", "cat /dev/zero", b"")
        replies = list(fleet.replies())
        status = Path(f"/proc/{fleet._worker.pid}/status").read_text()
    assert {reply.trouble for reply in replies} == {Trouble.TOO_LARGE}
    assert all(len(reply.stdout) <= 1024 for reply in replies)
    peak_mb = int(status.split("VmHWM:")[1].split()[0]) / 1024
    assert peak_mb < 120
    assert sum(sent) < 100


def test_an_endless_stderr_is_cut_too(serve: Any, key_file: str) -> None:
    def endless(server: Any, channel: paramiko.Channel, command: str) -> None:
        while True:
            channel.sendall_stderr(b"\xff" * 100_000)

    reply = ask_one(serve(endless).target("h1", key_file))
    assert reply.trouble == Trouble.TOO_LARGE


def test_a_command_without_end_is_given_up_in_time(serve: Any, key_file: str) -> None:
    def drip(server: Any, channel: paramiko.Channel, command: str) -> None:
        while True:
            channel.sendall(b".")
            time.sleep(0.1)

    started = time.monotonic()
    reply = ask_one(serve(drip).target("h1", key_file), limits=QUICK)
    assert reply.trouble == Trouble.TIMEOUT
    assert time.monotonic() - started < 25, "given up, whatever else this machine is doing"


def test_a_host_that_takes_no_input_is_given_up_in_time(serve: Any, key_file: str) -> None:
    def deaf(server: Any, channel: paramiko.Channel, command: str) -> None:
        time.sleep(10)

    reply = ask_one(serve(deaf).target("h1", key_file), stdin=b"x" * 5_000_000, limits=QUICK)
    assert reply.trouble == Trouble.TIMEOUT


def test_a_host_that_dies_in_the_middle_is_closed_not_short(serve: Any, key_file: str) -> None:
    def dies(server: Any, channel: paramiko.Channel, command: str) -> None:
        channel.sendall(b"half an ans")
        time.sleep(0.2)
        channel.get_transport().sock.close()

    reply = ask_one(serve(dies).target("h1", key_file))
    assert (reply.trouble, reply.exit_code) == (Trouble.CLOSED, None)


def test_a_channel_that_ends_without_a_status_is_no_answer(serve: Any, key_file: str) -> None:
    reply = ask_one(serve(lambda s, channel, c: channel.sendall(b"ok")).target("h1", key_file))
    assert (reply.trouble, reply.exit_code) == (Trouble.CLOSED, None)


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (b"sudo: a password is required\n", Trouble.SUDO),
        ("sudo : il est nécessaire de saisir un mot de passe\n".encode(), Trouble.SUDO),
        (b"Warning\nsudo: a terminal is required to read the password\n", Trouble.SUDO),
        (b"sudo: unable to resolve host x\nsudo: a password is required\n", Trouble.SUDO),
        (b"sudo: python3: command not found\n", Trouble.MISSING),
        (b"sudo: unable to resolve host x\nTraceback ...\nMemoryError\n", None),
    ],
)
def test_a_sudo_that_refuses_is_named(
    serve: Any, key_file: str, words: bytes, trouble: Trouble | None
) -> None:
    def refuse(server: Any, channel: paramiko.Channel, command: str) -> None:
        channel.sendall_stderr(words)
        channel.send_exit_status(1)

    target = serve(refuse).target("h1", key_file)
    reply = ask_one(target, command="sudo -n python3", stdin=b"x" * 100_000)
    assert reply.trouble == trouble
    assert ask_one(target, command="other").trouble is None


def test_what_a_host_says_cannot_steer_the_terminal(serve: Any, key_file: str) -> None:
    def paint(server: Any, channel: paramiko.Channel, command: str) -> None:
        channel.sendall_stderr(b"sudo: \x1b[2J\x1b]0;owned\x07 no\n")
        channel.send_exit_status(1)

    reply = ask_one(serve(paint).target("h1", key_file), command="sudo -n x")
    assert reply.detail == "sudo says: ?[2J?]0;owned? no"


def test_one_bad_host_does_not_hold_the_others(serve: Any, speak: Any, key_file: str) -> None:
    good, mute = serve(echo), speak(silent)
    targets = [mute.target(f"mute{n}", key_file) for n in range(5)]
    targets += [good.target(f"good{n}", key_file) for n in range(5)]
    replies = ask(*targets, limits=replace(LIMITS, connect_s=2))
    assert [name for name in replies if name.startswith("good")] == list(replies)[:5]
    assert all(replies[f"mute{n}"].trouble == Trouble.TIMEOUT for n in range(5))


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_a_sentence_and_a_remedy(trouble: Trouble) -> None:
    error = explain(Reply("mairie-1", None, b"", b"", trouble, "some detail."))
    assert error.what.startswith(("mairie-1", "The jump host of mairie-1", "sudo on mairie-1")) or (
        "mairie-1" in error.what
    )
    assert error.what.endswith("some detail.")
    assert error.remedy.endswith((".", "mairie-1", "--profile PROFILE"))
    assert (error.where, error.exit_code) == ("mairie-1", ExitCode.HOSTS)


# --- the worker's life -------------------------------------------------------------------------


def forever(server: Any, channel: paramiko.Channel, command: str) -> None:
    time.sleep(30)


def test_a_worker_that_dies_answers_for_the_rest_and_nothing_hangs(
    serve: Any, key_file: str
) -> None:
    server = serve(lambda s, ch, c: echo(s, ch, c) if c == "quick" else forever(s, ch, c))
    targets = [server.target(f"h{n}", key_file) for n in range(4)]
    limits = replace(LIMITS, command_s=60)
    with Fleet(targets, limits, None) as fleet:
        fleet.submit("h0", "quick", b"")
        for n in range(1, 4):
            fleet.submit(f"h{n}", "slow", b"")
        replies = []
        for reply in fleet.replies():
            replies.append(reply)
            if reply.host == "h0":
                fleet._worker.kill()
        fleet.submit("h1", "after", b"")
        replies += fleet.replies()
    assert replies[0].trouble is None
    assert [reply.trouble for reply in replies[1:]] == [Trouble.WORKER] * 4


def test_a_fault_of_the_worker_itself_is_told_at_once(serve: Any, key_file: str) -> None:
    server = serve(forever)
    with Fleet([server.target("h1", key_file)], replace(LIMITS, command_s=60), None) as fleet:
        (fleet._folder / "1.known_hosts").mkdir()  # where it will want to write a file
        fleet.submit("h1", "slow", b"")
        started = time.monotonic()
        (reply,) = fleet.replies()
    assert reply.trouble == Trouble.WORKER
    assert "known_hosts" in reply.detail
    assert time.monotonic() - started < 20


def test_leaving_early_ends_the_worker_and_its_folder(serve: Any, key_file: str) -> None:
    target = serve(forever).target("h1", key_file)
    fleet = Fleet([target], LIMITS, None)
    with fleet:
        fleet.submit("h1", "slow", b"")
        pid, folder = fleet._worker.pid, fleet._folder
        assert folder.stat().st_mode & 0o777 == 0o700
        time.sleep(0.5)
    assert gone(pid, 0.1)
    assert not folder.exists()


PARENT = """
import sys, time
from kitsurvie.fleet.client import Fleet, Limits, Target
target = Target("h1", "127.0.0.1", int(sys.argv[1]), "admin1", sys.argv[2], (sys.argv[3],))
with Fleet([target], Limits(5, 60, 1000, 5, 5), None, lambda h, s: print(s, flush=True)) as fleet:
    fleet.submit("h1", "slow", b"")
    print(fleet._worker.pid, fleet._folder, flush=True)
    list(fleet.replies())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_worker_does_not_outlive_its_parent(serve: Any, key_file: str, how: int) -> None:
    target = serve(forever).target("h1", key_file)
    arguments = [sys.executable, "-c", PARENT, str(target.port), key_file, *target.host_keys]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        while parent.stdout.readline().strip() != "running":
            pass
        parent.send_signal(how)
        parent.wait(60)
    assert gone(int(pid))
    assert not Path(folder).exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_told_to_end_ends_at_once(serve: Any, key_file: str, how: int) -> None:
    server = serve(forever)
    target = server.target("h1", key_file)
    with Fleet([target], replace(LIMITS, command_s=60), None) as fleet:
        fleet.submit("h1", "slow", b"")
        while not server.seen["exec"]:
            time.sleep(0.02)
        os.kill(fleet._worker.pid, how)
        started = time.monotonic()
        (reply,) = fleet.replies()
        assert reply.trouble == Trouble.WORKER
        assert time.monotonic() - started < 20
        assert not fleet._folder.exists()
