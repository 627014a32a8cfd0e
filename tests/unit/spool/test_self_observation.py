"""The program on the PC: it asks its list, keeps what could not be handed in, decides nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import runpy
import subprocess
import time
from pathlib import Path

import pytest

from kitsurvie.cli import observer, self_observation, survey
from kitsurvie.ledger import Ledger
from kitsurvie.model import Item, Mode
from kitsurvie.observe import hand_in, request

ROLE = Path(__file__).parents[3] / "roles" / "self_observation"


class Machine:
    """The program in a folder of the test's own, with an ssh that does as it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.outbox = root / "outbox"
        self.outbox.mkdir(parents=True)
        text = (ROLE / "files" / "self_observation.py").read_text()
        text = text.replace('FOLDER = "/var/lib/kitsurvie/self_observation"', f'FOLDER = "{root}"')
        text = text.replace('PROGRAMS = "/usr/local/lib/kitsurvie"', f'PROGRAMS = "{root}"')
        (root / "self_observation.py").write_text(text)
        (root / "runner.py").write_bytes((ROLE / "files" / "runner.py").read_bytes())
        (root / "settings.json").write_text('{"name": "pc-1"}')
        self.ask("echo one", "printf '\\377'; exit 3")
        self.control(0)

    def ask(self, *commands: str) -> None:
        (self.root / "commands.json").write_text(self_observation.content(commands))

    def control(self, status: int, says: str = "") -> None:
        """What the control node answers from now on; what it is given is kept as got-N."""
        (self.root / "bin").mkdir(exist_ok=True)
        ssh = self.root / "bin" / "ssh"
        ssh.write_text(
            f'#!/bin/sh\nn=$(ls {self.root} | grep -c got-)\necho "$@" >{self.root}/words\n'
            f"cat >{self.root}/got-$n\necho '{says}' >&2\nexit {status}\n"
        )
        ssh.chmod(0o755)

    def run(self, word: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["/usr/bin/python3", "-I", "-S", "-B", self.root / "self_observation.py", word],
            capture_output=True, check=False, timeout=120,
            env={**os.environ, "PATH": f"{self.root}/bin:/usr/bin:/bin"},
        )  # fmt: skip

    def look(self) -> bytes:
        done = self.run("observe")
        assert done.returncode == 0, done.stderr
        (self.root / "new").write_bytes(done.stdout)
        return done.stdout

    def got(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.root.glob("got-*"))]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "pc")


def test_what_it_sees_is_what_the_control_node_reads(machine: Machine) -> None:
    before = int(time.time())
    found = hand_in.read(machine.look())
    assert found.host == "pc-1"
    assert before <= found.moment <= time.time()
    assert {c: (a.rc, a.stdout) for c, a in found.evidence.answers.items()} == {
        "echo one": (0, b"one\n"),
        "printf '\\377'; exit 3": (3, b"\xff"),
    }


def test_what_was_handed_in_does_not_wait_any_more(machine: Machine) -> None:
    data = machine.look()
    assert machine.run("hand-in").returncode == 0
    assert machine.got() == [data]
    assert list(machine.outbox.iterdir()) == []
    assert (machine.root / "words").read_text().strip() == f"-F {machine.root}/ssh_config control"
    assert machine.run("hand-in").returncode == 0
    assert len(machine.got()) == 1


@pytest.mark.parametrize(("status", "says"), [(255, "No route to host"), (75, "busy"), (1, "")])
def test_what_could_not_be_handed_in_is_kept_and_comes_later_in_order(
    machine: Machine, status: int, says: str
) -> None:
    machine.control(status, says)
    looks = []
    for moment in (100, 200):
        looks.append(machine.look().replace(b"", b""))
        assert machine.run("hand-in").returncode == 0
        (path,) = [p for p in machine.outbox.iterdir() if int(p.name) > 1000]
        path.rename(machine.outbox / f"{moment:011d}")
    machine.control(0)
    for path in machine.root.glob("got-*"):
        path.unlink()
    assert machine.run("hand-in").returncode == 0
    assert machine.got() == looks
    assert list(machine.outbox.iterdir()) == []


@pytest.mark.parametrize(
    "says",
    ["Host key verification failed.", "kitsurvie-spool@x: Permission denied (publickey)."],
)
def test_another_control_node_is_a_failure_that_is_seen(machine: Machine, says: str) -> None:
    machine.control(255, says)
    machine.look()
    done = machine.run("hand-in")
    assert (done.returncode, says.encode() in done.stderr) == (1, True)
    assert len(list(machine.outbox.iterdir())) == 1


def test_what_is_refused_for_good_is_let_go(machine: Machine) -> None:
    machine.control(65, "too large")
    machine.look()
    assert machine.run("hand-in").returncode == 0
    assert list(machine.outbox.iterdir()) == []


def test_only_the_newest_few_are_kept(machine: Machine) -> None:
    machine.control(255, "No route to host")
    for number in range(12):
        (machine.outbox / f"{number:011d}").write_bytes(b"x")
    machine.run("hand-in")
    assert sorted(int(p.name) for p in machine.outbox.iterdir()) == list(range(4, 12))
    (machine.outbox / f"{99:011d}").write_bytes(b"x" * (4 << 20))
    machine.run("hand-in")
    assert [int(p.name) for p in machine.outbox.iterdir()] == [99]


def test_a_look_that_is_not_whole_is_not_handed_in(machine: Machine) -> None:
    data = machine.look()
    (machine.root / "new").write_bytes(data[:-1])
    assert machine.run("hand-in").returncode == 0
    assert machine.got() == []
    (machine.root / "new").write_bytes(data)
    machine.run("hand-in")
    assert machine.got() == [data]


def test_what_is_too_large_fails_where_it_is_seen(machine: Machine) -> None:
    machine.ask(*(f"head -c 250000 /dev/urandom # {n}" for n in range(6)))
    done = machine.run("observe")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"too large" in done.stderr


CHECKS = runpy.run_path(str(ROLE / "checks" / "test_self_observation.py"))


def test_the_checks_know_what_the_kit_brings_and_kitsurvie_reads_their_answers() -> None:
    for path, digest in CHECKS["BROUGHT"].items():
        content = (ROLE / "files" / Path(path).name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, path
    assert (ROLE / "files" / "runner.py").read_bytes() == request.runner()
    assert (CHECKS["LIST"], CHECKS["KEY"]) == (self_observation.LIST, self_observation.KEY)
    first = (ROLE / "files" / "commands.json").read_text()
    assert first == self_observation.content(survey.STANDING)


def test_the_program_asks_within_what_the_control_node_takes() -> None:
    program = runpy.run_path(str(ROLE / "files" / "self_observation.py"), run_name="read")
    assert program["EACH"] <= hand_in.MAX_ANSWER_BYTES
    assert program["TOTAL"] < hand_in.MAX_ANSWERS_BYTES + 1
    assert program["MOST_BYTES"] <= hand_in.MAX_BYTES


def test_a_list_of_its_own_is_known_again_in_later_runs(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    lists = observer.Lists(ledger)
    lists.asked("pc-1", "laptops", ["cat {{ x }}", "b\nc"])
    lists.asked("pc-2", "laptops", ["d"])
    told = self_observation.told(lists.commands_of("pc-1"))[self_observation.VARIABLE]
    file = base64.b64decode(told)
    assert json.loads(file) == ["b\nc", "cat {{ x }}", "d"]
    digest = hashlib.sha256(file).hexdigest()
    later = observer.Lists(ledger)
    later.asked("pc-1", "laptops", ["b\nc"])
    assert not later.old("pc-1", digest)
    later.asked("pc-1", "laptops", ["b\nc", "new"])
    assert later.old("pc-1", digest)
    assert later.old("pc-1", "")


def test_a_machine_without_a_control_node_is_not_asked_to_observe_itself() -> None:
    def item(mode: Mode, server: str) -> Item:
        return Item("h", "self_observation", mode, {"self_observation__server": server}, "s")

    assert self_observation.wanted([item(Mode.ENFORCE, "192.0.2.1")])
    assert not self_observation.wanted([item(Mode.ENFORCE, "")])
    assert not self_observation.wanted([item(Mode.OBSERVE, "192.0.2.1")])
