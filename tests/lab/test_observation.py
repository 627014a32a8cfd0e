"""An observation of real machines: what it costs them, what it leaves, and what it survives."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lab.spine import Desk

from kitsurvie import lab
from kitsurvie.fleet.client import Fleet, Limits, Reply, Target, Trouble
from kitsurvie.lab import Lab, Machine
from kitsurvie.model import Evidence
from kitsurvie.observe import request
from kitsurvie.observe.answers import RubbishAnswer, decode

LIMITS = Limits(connect_s=10, command_s=60, max_bytes=20_000_000, parallel=50, parallel_per_site=4)
COMMANDS = (
    "cat /etc/hostname",
    "id -u",
    "cat /proc/sys/net/ipv4/ip_forward",
    r"printf '\377\000\376'",
    "sshd -T | grep -i permitrootlogin",
    "dpkg-query -W -f '${Package} ${Status}\n' openssh-server sudo",
    "systemctl is-active ssh.service",
    "getent passwd root",
    "find /etc/apt -type f",
)
SENT = request.build(COMMANDS, command_s=20, deadline_s=50, max_answer_bytes=1 << 20)


@pytest.fixture(scope="module", autouse=True)
def bare(lab_fleet: Lab) -> None:
    """Machines as they were before any kit: one of them serves as a jump host here."""
    for machine in lab_fleet.machines:
        lab.renew(lab_fleet, machine.name)


def pinned(fleet: Lab, name: str) -> tuple[str, ...]:
    lines = (fleet.folder / "inventory" / "known_hosts").read_text().splitlines()
    return tuple(line.split(" ", 1)[1] for line in lines if line.split(" ", 1)[0] == name)


def target(fleet: Lab, machine: Machine, **changes: object) -> Target:
    values: dict[str, object] = {
        "name": machine.name,
        "address": machine.address,
        "port": 22,
        "user": "admin1",
        "key_file": str(fleet.admin_key),
        "host_keys": pinned(fleet, machine.name),
        **changes,
    }
    return Target(**values)  # type: ignore[arg-type]


def ask(
    targets: Sequence[Target], limits: Limits = LIMITS, jumps: Path | None = None
) -> dict[str, Reply]:
    with Fleet(targets, limits, jumps) as fleet:
        for each in targets:
            fleet.submit(each.name, request.COMMAND, SENT, last=True)
        return {reply.host: reply for reply in fleet.replies()}


def observe(fleet: Lab, machine: Machine) -> Evidence:
    reply = ask([target(fleet, machine)])[machine.name]
    assert reply.trouble is None, reply
    return decode(machine.name, COMMANDS, reply.stdout, reply.stderr)


def shell(machine: Machine, script: str) -> str:
    done = machine.run(["sh", "-c", script])
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(errors="replace")


def journal(machine: Machine, since: str) -> list[str]:
    shell(machine, "journalctl --sync")
    return shell(machine, f"journalctl -o cat --since '{since}'").splitlines()


def now(machine: Machine) -> str:
    time.sleep(1.1)  # the journal is asked by the second
    return shell(machine, "date '+%F %T'").strip()


def test_an_observation_gives_what_the_machine_says(lab_fleet: Lab) -> None:
    machine = lab_fleet.machines[0]
    answers = observe(lab_fleet, machine).answers
    assert answers["cat /etc/hostname"].stdout.decode().strip() == machine.name
    assert answers["id -u"].stdout == b"0\n"
    assert answers[r"printf '\377\000\376'"].stdout == b"\xff\x00\xfe"
    for command in COMMANDS[4:]:
        plain = machine.run(["sh", "-c", command])
        assert (answers[command].rc, answers[command].stdout) == (plain.returncode, plain.stdout)


def test_two_dozen_hosts_at_once_each_give_their_own(lab_fleet: Lab) -> None:
    targets = [
        target(lab_fleet, machine, name=f"{machine.name} as {n}")
        for machine in lab_fleet.machines
        for n in range(6)
    ]
    replies = ask(targets)
    assert len(replies) == 24
    for name, reply in replies.items():
        evidence = decode(name, COMMANDS, reply.stdout, reply.stderr)
        assert evidence.answers["cat /etc/hostname"].stdout.decode().strip() == name.split()[0]


def test_a_known_host_costs_one_session_one_execution_and_one_short_line_of_sudo(
    lab_fleet: Lab,
) -> None:
    desk = Desk(lab_fleet.folder)
    assert desk.run("compliance", "run").code in {0, 1}, "the scouts learn"
    machine = lab_fleet.machines[0]
    shell(
        machine,
        "echo LogLevel DEBUG1 >/etc/ssh/sshd_config.d/00-1-log.conf && systemctl reload ssh",
    )
    since = now(machine)
    assert desk.run("compliance", "run").code in {0, 1}
    lines = journal(machine, since)
    shell(machine, "rm /etc/ssh/sshd_config.d/00-1-log.conf && systemctl reload ssh")

    def count(pattern: str) -> int:
        return len([line for line in lines if re.search(pattern, line)])

    assert count("^Connection from ") == 1
    assert count("^Accepted publickey for admin1 ") == 1
    assert count("^Starting session: ") == 1
    assert count("^Starting session: command for admin1 ") == 1
    assert count("server_input_channel_req: .* request exec") == 1
    assert count("request (pty-req|auth-agent-req|env|subsystem|x11-req)") == 0
    # one of the kit's checks asks sudo what root may do, which is logged as a command "list"
    sudo = [line for line in lines if "COMMAND=" in line and "COMMAND=list" not in line]
    assert len(sudo) == 1
    assert len(sudo[0]) < 400


def written(upper: Path) -> dict[str, tuple[int, ...]]:
    """Every entry of an overlay's upper directory, with what changes when it is written."""
    found = {}
    for folder, names, files in os.walk(upper):
        for name in (*names, *files):
            path = Path(folder) / name
            status = path.lstat()
            at = str(path.relative_to(upper))
            found[at] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
    return found


def test_an_observation_writes_nothing_on_a_host_but_logs(lab_fleet: Lab) -> None:
    for machine in lab_fleet.machines[:2]:  # one of each Debian release
        timers = "systemctl list-units --type=timer --state=active --plain --no-legend"
        stopped = " ".join(line.split()[0] for line in shell(machine, timers).splitlines())
        shell(machine, f"systemctl stop {stopped}; sync; sleep 1")
        before = written(machine.upper_dir)
        observe(lab_fleet, machine)
        # the kit's own checks, first as a scout asks them, then as they are asked every night
        for _ in range(2):
            desk = Desk(lab_fleet.folder)
            assert desk.run("compliance", "run", "--limit", machine.name).code in {0, 1}
        after = written(machine.upper_dir)
        shell(machine, f"systemctl start {stopped}")
        changed = {
            path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
        }
        beside_logs = {path for path in changed if not path.startswith("var/log/")}
        assert beside_logs == set()
        # the comparison sees what is written: the log of the login itself
        assert changed


@contextmanager
def changed_file(machine: Machine, path: str, content: bytes, mode: str = "0644") -> Iterator[None]:
    machine.run(["sh", "-c", f"test ! -e {path} || cp -a {path} {path}.kept"])
    done = machine.run(["sh", "-c", f"cat >{path} && chmod {mode} {path}"], content)
    assert done.returncode == 0
    try:
        yield
    finally:
        machine.run(["sh", "-c", f"rm {path}; test ! -e {path}.kept || mv {path}.kept {path}"])


def test_a_sudo_that_wants_a_password_is_named_at_once(lab_fleet: Lab) -> None:
    for machine in lab_fleet.machines[:2]:
        rule = b"admin1 ALL=(ALL) PASSWD: ALL\n"
        since = now(machine)
        with changed_file(machine, "/etc/sudoers.d/zzz-password", rule, "0440"):
            reply = ask([target(lab_fleet, machine)])[machine.name]
        assert reply.trouble == Trouble.SUDO
        assert "password is required" in reply.detail
        assert reply.command_s < 5
        assert not [line for line in journal(machine, since) if "incorrect password" in line]
        assert observe(lab_fleet, machine)


def test_a_host_without_python_is_named(lab_fleet: Lab) -> None:
    machine = lab_fleet.machines[0]
    shell(machine, "mv /usr/bin/python3 /usr/bin/python3.away")
    try:
        reply = ask([target(lab_fleet, machine)])[machine.name]
    finally:
        shell(machine, "mv /usr/bin/python3.away /usr/bin/python3")
    assert (reply.trouble, reply.detail) == (
        Trouble.MISSING,
        "sudo says: python3: command not found",
    )


def test_a_start_file_that_talks_does_no_harm(lab_fleet: Lab) -> None:
    machine = lab_fleet.machines[0]
    noise = b"printf 'Bienvenue \\377\\n'; echo warning >&2\n"
    quiet = observe(lab_fleet, machine)
    with changed_file(machine, "/home/admin1/.bashrc", noise):
        assert observe(lab_fleet, machine) == quiet


@pytest.mark.parametrize(
    "greedy", [b"cat >/dev/null\n", b"read line\n", b"head -c 3000 >/dev/null\n"]
)
def test_a_start_file_that_eats_the_request_is_found_and_nothing_hangs(
    lab_fleet: Lab, greedy: bytes
) -> None:
    machine = lab_fleet.machines[0]
    with changed_file(machine, "/home/admin1/.bashrc", greedy):
        reply = ask([target(lab_fleet, machine)])[machine.name]
        assert reply.command_s < 10
        with pytest.raises(RubbishAnswer):
            decode(machine.name, COMMANDS, reply.stdout, reply.stderr)


def test_a_full_disk_does_not_stop_an_observation(lab_fleet: Lab) -> None:
    machine = lab_fleet.machines[0]
    places = ("/tmp", "/var/tmp", "/var/log", "/dev/shm")
    for place in places:
        shell(machine, f"mount -t tmpfs -o size=8k full {place}")
        assert machine.run(["sh", "-c", f"head -c 100000 /dev/zero >{place}/filled"]).returncode
    try:
        answers = observe(lab_fleet, machine).answers
        assert answers["cat /etc/hostname"].stdout.decode().strip() == machine.name
        assert answers["systemctl is-active ssh.service"].stdout == b"active\n"
    finally:
        shell(machine, "; ".join(f"umount -l {place}" for place in places))


def test_an_unplugged_host_is_unreachable_within_the_limit(lab_fleet: Lab) -> None:
    machine, other = lab_fleet.machines[2], lab_fleet.machines[3]
    lab.sleep(lab_fleet, machine.name, unplug=True)
    try:
        replies = ask(
            [target(lab_fleet, machine), target(lab_fleet, other)], replace(LIMITS, connect_s=2)
        )
    finally:
        lab.wake(lab_fleet, machine.name)
    assert replies[machine.name].trouble == Trouble.UNREACHABLE
    assert replies[machine.name].connect_s < 4
    assert replies[other.name].trouble is None


# --- behind jump hosts ---------------------------------------------------------------------------

PRIVATE = "10.99.0.1"


@pytest.fixture
def two_sites(lab_fleet: Lab, tmp_path: Path) -> Iterator[tuple[list[Target], Path]]:
    """Two town halls that both have a 10.99.0.1, each behind its own jump host."""
    machines = lab_fleet.machines[:2]
    jumps = tmp_path / "known_hosts"
    lines = [
        f"jump:{machine.address}:22 {key}\n"
        for machine in machines
        for key in pinned(lab_fleet, machine.name)
    ]
    jumps.write_text("".join(lines))
    for machine in machines:
        shell(machine, f"ip addr add {PRIVATE}/32 dev lo")
    try:
        yield (
            [
                target(lab_fleet, machine, address=PRIVATE, jump=f"admin1@{machine.address}")
                for machine in machines
            ],
            jumps,
        )
    finally:
        for machine in machines:
            shell(machine, f"ip addr del {PRIVATE}/32 dev lo")


def test_two_sites_with_the_same_private_address_are_never_mixed(
    two_sites: tuple[list[Target], Path],
) -> None:
    targets, jumps = two_sites
    for name, reply in ask(targets, jumps=jumps).items():
        assert reply.trouble is None, reply
        answers = decode(name, COMMANDS, reply.stdout).answers
        assert answers["cat /etc/hostname"].stdout.decode().strip() == name
    one, two = targets
    crossed = [replace(one, host_keys=two.host_keys), replace(two, host_keys=one.host_keys)]
    replies = ask(crossed, jumps=jumps)
    assert {reply.trouble for reply in replies.values()} == {Trouble.KEY_CHANGED}


def test_a_jump_host_at_fault_is_told_from_a_host_at_fault(
    two_sites: tuple[list[Target], Path], tmp_path: Path
) -> None:
    (one, two), jumps = two_sites
    beyond = replace(one, name="beyond", port=1)
    stranger = replace(one, name="stranger", jump=str(one.jump).replace("admin1", "nobody"))
    malformed = replace(one, name="malformed", jump="-oProxyCommand=id@10.0.0.1")
    replies = ask([beyond, stranger, malformed], jumps=jumps)
    assert replies["beyond"].trouble == Trouble.UNREACHABLE
    assert replies["stranger"].trouble == Trouble.JUMP
    assert replies["malformed"].trouble == Trouble.JUMP

    swapped = tmp_path / "swapped"
    text = jumps.read_text()
    first, second = (str(jump).partition("@")[2] for jump in (one.jump, two.jump))
    swapped.write_text(
        text.replace(f"jump:{first}:", "jump:x:")
        .replace(f"jump:{second}:", f"jump:{first}:")
        .replace("jump:x:", f"jump:{second}:")
    )
    (tmp_path / "empty").write_text("")
    for file in (swapped, tmp_path / "empty"):
        (reply,) = ask([one], jumps=file).values()
        assert reply.trouble == Trouble.JUMP
        assert "verification failed" in reply.detail.lower()
