"""The observer's key on real machines: it sees what an administrator sees, and can do nothing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab.spine import Desk, Said, silent
from tests.lab.test_observation import journal, now, shell, written

from kitsurvie.lab import Lab, Machine
from kitsurvie.observe import answers, request

LIST = "/var/lib/kitsurvie/observer/commands"


@pytest.fixture(scope="module")
def desk(lab_fleet: Lab) -> Iterator[Desk]:
    """A workspace that looks at the whole kit, and enforces the measure observer alone."""
    made = Desk(lab_fleet.folder)
    key = lab_fleet.folder / "keys" / "observer"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    settings = lab_fleet.folder / "kitsurvie.toml"
    before = settings.read_text()
    settings.write_text(f'{before}\nobserver_key = "keys/observer"\n')
    given = {
        "observer__mode": "enforce",
        "observer__keys": [key.with_suffix(".pub").read_text().strip()],
        # the strictest rules of sudo must let it look all the same
        "accounts__exclusive": True,
    }
    with made.variables("group:all", **given):
        done = made.run("deploy", "--yes", "--json")
        assert done.code in {0, 1}, done.why()
        assert {p.partition("/")[2] for p in done.ran()} == {"observer"}, done.why()
        yield made
    settings.write_text(before)


def verdicts(said: Said) -> dict[str, tuple[Any, ...]]:
    return {
        f"{host['name']}/{measure['id']}/{check['name']}": (
            check["status"], check["found"], check["expected"], check["message"],
        )
        for host in said.document["hosts"]
        for measure in host["measures"]
        for check in measure["checks"]
    }  # fmt: skip


def test_the_observer_gives_the_verdicts_of_the_administrator(desk: Desk, lab_fleet: Lab) -> None:
    mine = desk.run("compliance", "run", "--json")
    theirs = desk.run("compliance", "run", "--as-observer", "--json")
    assert theirs.code == mine.code, theirs.why()
    assert verdicts(theirs) == verdicts(mine)
    assert len(verdicts(theirs)) > 100 * len(lab_fleet.machines)
    assert {host["state"] for host in theirs.document["hosts"]} <= {"done", "drift"}


def test_a_deployment_after_it_has_nothing_to_do(desk: Desk) -> None:
    again = desk.run("deploy", "--yes", "--json")
    assert again.ran() == set(), again.why()


def ssh(
    fleet: Lab, machine: Machine, *words: str, stdin: bytes = b"", timeout_s: float = 20
) -> subprocess.CompletedProcess[bytes]:
    """The key in the hands of a thief, who has OpenSSH."""
    options = {
        "HostKeyAlias": machine.name,
        "UserKnownHostsFile": fleet.folder / "inventory" / "known_hosts",
        "IdentitiesOnly": "yes",
        "IdentityFile": fleet.folder / "keys" / "observer",
        "BatchMode": "yes",
        "ForwardAgent": "yes",
    }
    given = [part for k, v in options.items() for part in ("-o", f"{k}={v}")]
    return subprocess.run(
        ["ssh", "-F", "none", *given, *words[:-1], f"kitsurvie-observer@{machine.address}",
         *([words[-1]] if words and words[-1] else [])],
        input=stdin, capture_output=True, timeout=timeout_s, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("",), ("-tt", ""), ("id",), ("-tt", "id"), ("sudo -n id",), ("sh -c 'id >/tmp/proof'",),
        ("$(touch /tmp/proof)",), ("-s", "sftp"), ("-X", "id"), ("-A", "ssh-add -l"),
        ("-o", "SetEnv=LC_ALL=$(id) LANG=x", "env"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_whatever_is_asked_for_the_program_alone_answers(
    desk: Desk, lab_fleet: Lab, words: tuple[str, ...]
) -> None:
    machine = lab_fleet.machines[0]
    done = ssh(lab_fleet, machine, *words, stdin=b"touch /tmp/proof\nid\n")
    assert done.stdout == b""
    if "-tt" in words:
        assert (done.returncode, done.stderr[:14]) == (255, b"PTY allocation")
    else:
        # sshd passes on no complaint of what it takes for a subsystem
        assert b"kitsurvie: this is not a request" in done.stderr or words[0] == "-s"
        assert done.returncode == 1
    assert machine.run(["ls", "/tmp/proof"]).returncode != 0


def test_no_file_is_copied_either_way(desk: Desk, lab_fleet: Lab, tmp_path: Path) -> None:
    machine = lab_fleet.machines[0]
    (tmp_path / "proof").write_text("x")
    to = f"kitsurvie-observer@{machine.address}"
    key = ["-F", "none", "-i", lab_fleet.folder / "keys" / "observer", "-o", "BatchMode=yes",
           "-o", f"HostKeyAlias={machine.name}", "-o",
           f"UserKnownHostsFile={lab_fleet.folder / 'inventory' / 'known_hosts'}"]  # fmt: skip
    for words in (
        ["scp", *key, tmp_path / "proof", f"{to}:/tmp/proof"],
        ["scp", "-O", *key, tmp_path / "proof", f"{to}:/tmp/proof"],
        ["scp", "-O", *key, f"{to}:/etc/passwd", tmp_path / "passwd"],
        ["sftp", *key, f"{to}:/etc/passwd", tmp_path / "passwd"],
    ):
        # what speaks sftp waits for an answer, and the program for a request
        done = subprocess.run(words, capture_output=True, timeout=40, stdin=subprocess.DEVNULL)
        assert done.returncode != 0, words
    assert machine.run(["ls", "/tmp/proof"]).returncode != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["proof"]


@pytest.mark.parametrize(
    "way", [["-W", "127.0.0.1:22", ""], ["-N", "-R", "127.0.0.1:0:127.0.0.1:22", ""]], ids=" ".join
)
def test_it_is_no_tunnel(desk: Desk, lab_fleet: Lab, way: list[str]) -> None:
    done = ssh(lab_fleet, lab_fleet.machines[0], "-o", "ExitOnForwardFailure=yes", *way)
    assert done.returncode != 0
    assert b"SSH-2.0" not in done.stdout
    assert b"prohibited" in done.stderr or b"forwarding failed" in done.stderr


def asked(*commands: str, runner: bytes | None = None) -> bytes:
    stdin = request.build(
        commands, command_s=5, deadline_s=20, max_answer_bytes=9999, with_runner=False
    )
    return stdin if runner is None else b"%d\n%b" % (len(runner), runner) + stdin[2:]


def test_a_command_that_is_not_on_the_list_is_not_run(desk: Desk, lab_fleet: Lab) -> None:
    machine = lab_fleet.machines[1]
    commands = (
        "touch /tmp/proof",
        "id",
        'grep -rs "" /var/lib/kitsurvie/stamps',
        "cat /etc/shadow",
    )
    done = ssh(lab_fleet, machine, "observe", stdin=asked(*commands))
    found = answers.decode(machine.name, commands, done.stdout, done.stderr).answers
    assert {answer.flaw for answer in found.values()} == {"unlisted"}
    known = "grep -rs '' /var/lib/kitsurvie/stamps"
    mine = b"import os; os.system('touch /tmp/proof')"
    done = ssh(lab_fleet, machine, "observe", stdin=asked(known, runner=mine))
    found = answers.decode(machine.name, [known], done.stdout, done.stderr).answers
    assert b"/stamps/observer:" in found[known].stdout
    assert machine.run(["ls", "/tmp/proof"]).returncode != 0


def as_account(machine: Machine, *words: str) -> subprocess.CompletedProcess[bytes]:
    return machine.run(["runuser", "-u", "kitsurvie-observer", "--", *words])


def test_the_account_itself_can_do_nothing_with_sudo_nor_change_its_limits(
    desk: Desk, lab_fleet: Lab
) -> None:
    for machine in lab_fleet.machines[:2]:  # one of each Debian release
        program = "/usr/lib/kitsurvie/observer/observe"
        for words in (
            ["id"], [program, "-c"], [program, ""], ["-u", "admin1", program],
            ["-e", "/etc/passwd"], ["python3", program], ["-s"], ["-i"],
        ):  # fmt: skip
            done = as_account(machine, "sudo", "-n", *words)
            assert done.returncode == 1, words
            assert b"a password is required" in done.stderr or b"not allowed" in done.stderr, words
        for place in ("", ".ssh/", ".ssh/authorized_keys", "commands"):
            path = f"/var/lib/kitsurvie/observer/{place}"
            for words in (
                ["rm", "-rf", path],
                ["sh", "-c", f"echo x >>{path}"],
                ["touch", f"{path}x"],
            ):
                assert as_account(machine, *words).returncode != 0, words
        assert as_account(machine, "sh", "-c", f"echo >>{program}").returncode != 0
        assert machine.run(["test", "-s", LIST]).returncode == 0


def test_a_night_writes_nothing_on_a_host_but_logs_and_costs_one_session(
    desk: Desk, lab_fleet: Lab
) -> None:
    machine = lab_fleet.machines[0]
    # what writes at its own times, and what notes how far it has read the journal
    timers = (
        "systemctl list-units --type=timer --state=active --plain --no-legend; "
        "systemctl list-units --state=active --plain --no-legend fail2ban.service"
    )
    stopped = " ".join(line.split()[0] for line in shell(machine, timers).splitlines())
    shell(machine, f"systemctl stop {stopped}; sync; sleep 1")
    before, since = written(machine.upper_dir), now(machine)
    assert desk.run("compliance", "run", "--as-observer", "--limit", machine.name).code in {0, 1}
    after, lines = written(machine.upper_dir), journal(machine, since)
    shell(machine, f"systemctl start {stopped}")
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert {path for path in changed if not path.startswith("var/log/")} == set()
    assert len([x for x in lines if "Accepted publickey for kitsurvie-observer" in x]) == 1
    assert len([x for x in lines if "COMMAND=/usr/lib/kitsurvie/observer/observe" in x]) == 1


def test_what_a_check_asks_anew_is_unknown_until_a_deployment_lets_it(
    desk: Desk, lab_fleet: Lab
) -> None:
    machine = lab_fleet.machines[0]
    more = {"accounts__administrators": [
        {"name": "admin1", "keys": [lab_fleet.admin_key.with_suffix(".pub").read_text().strip()]},
        {"name": "admin2", "keys": [lab_fleet.admin_key.with_suffix(".pub").read_text().strip()]},
    ]}  # fmt: skip
    with desk.variables(f"host:{machine.name}", **more):
        night = desk.run("compliance", "run", "--as-observer", "--json")
        check = (
            f"{machine.name}/accounts/test_every_administrator_has_an_account_and_the_right_keys"
        )
        status, _, _, message = verdicts(night)[check]
        assert status == "unknown"
        assert "not on the host's list" in message
        planned = desk.run("plan", "--json")
        due = planned.measure(machine.name, "observer")["due"]
        assert due == "the checks ask more than its list allows"
        done = desk.run("deploy", "--yes", "--json")
        assert done.ran() == {f"{machine.name}/observer"}, done.why()
        night = desk.run("compliance", "run", "--as-observer", "--json")
        assert verdicts(night)[check][0] == "drift"
        assert "unknown" not in {status for status, *_ in verdicts(night).values()}
        assert desk.run("deploy", "--yes", "--json").ran() == set()
    # what was asked before is asked anew by now: the list is what is asked, and no heap of it
    back = desk.run("deploy", "--yes", "--json")
    assert back.ran() == {f"{machine.name}/observer"}, back.why()


def test_a_machine_without_its_list_says_what_to_do_and_is_mended(
    desk: Desk, lab_fleet: Lab
) -> None:
    machine = lab_fleet.machines[1]
    shell(machine, f"rm {LIST}")
    night = desk.run("compliance", "run", "--as-observer", "--json", "--limit", machine.name)
    assert (night.code, night.host(machine.name)["state"]) == (3, "error")
    assert "kitsurvie deploy brings it" in night.host(machine.name)["detail"]
    done = desk.run("deploy", "--yes", "--json", "--limit", machine.name)
    assert done.ran() == {f"{machine.name}/observer"}, done.why()
    night = desk.run("compliance", "run", "--as-observer", "--json", "--limit", machine.name)
    assert night.host(machine.name)["state"] in {"done", "drift"}, night.why()


@pytest.fixture
def one_away(lab_fleet: Lab) -> Iterator[str]:
    """A machine that does not answer, and a night that waits for it long enough to be stopped."""
    machine, settings = lab_fleet.machines[3], lab_fleet.folder / "kitsurvie.toml"
    before = settings.read_text()
    settings.write_text(f"{before}\nconnect_timeout_s = 90\n")
    with silent(machine):
        yield machine.name
    settings.write_text(before)


def test_sigterm_ends_a_night_with_what_is_known(desk: Desk, lab_fleet: Lab, one_away: str) -> None:
    process = desk.start("compliance", "run", "--as-observer", "--json")
    deadline = time.monotonic() + 60
    hosts = len(lab_fleet.machines)
    while not 0 < desk.run("compliance", "show", "--json").document["summary"]["pending"] < hosts:
        assert time.monotonic() < deadline
        assert process.poll() is None
    time.sleep(2)  # the others have been seen by now, and are not written down yet
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 130
    shown = desk.run("compliance", "show", "--json")
    assert shown.host(one_away)["state"] == "pending"
    others = {h["state"] for h in shown.document["hosts"] if h["name"] != one_away}
    assert others <= {"done", "drift"}, shown.why()
    assert "did not come to its end" in shown.document["notes"][0]


def test_switched_off_nothing_of_it_is_left(desk: Desk, lab_fleet: Lab) -> None:
    machine = lab_fleet.machines[1]
    off = {"observer__mode": "off", "observer__off_reason": "the night does not come here"}
    with desk.variables(f"host:{machine.name}", **off):
        done = desk.run("deploy", "--yes", "--json", "--limit", machine.name)
        assert done.ran() == {f"{machine.name}/observer"}, done.why()
        asked = (
            "getent passwd kitsurvie-observer; find / -xdev -name '*observer*' -path '*kitsurvie*'"
        )
        assert shell(machine, f"{asked} 2>/dev/null; true") == ""
        assert b"Permission denied" in ssh(lab_fleet, machine, "id").stderr
    back = desk.run("deploy", "--yes", "--json")
    assert back.ran() == {f"{machine.name}/observer"}, back.why()
