"""One look a host: scouts learn what to ask, the others are asked once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, ClassVar, Self

import pytest

from kitsurvie import workspace
from kitsurvie.cli import survey
from kitsurvie.cli.progress import Progress
from kitsurvie.fleet.target import Reply, Target, Trouble
from kitsurvie.ledger import Ledger
from kitsurvie.model import (
    Answer,
    Host,
    Inventory,
    Item,
    Measure,
    Mode,
    Profile,
    Status,
    Step,
    Text,
)
from kitsurvie.observe import request

CHECKS = """
def test_two_steps(host, params):
    first = host.run("echo one").stdout.strip()
    found = host.run("echo %s two", first).stdout.strip()
    expected = params["demo__word"] + " two"
    assert found == expected


def test_host_of_its_own(host):
    name = host.run("echo $KITSURVIE_TEST_HOST").stdout.strip()
    found = host.run("echo %s", name).stdout.strip()
    expected = name
    assert found == expected
"""


class LocalFleet:
    """The road replaced, nothing else: each job runs the real runner, here, without sudo."""

    executions: ClassVar[Counter[str]] = Counter()
    down: ClassVar[set[str]] = set()
    finished: ClassVar[list[str]] = []
    let_in: ClassVar[bool] = False

    def __init__(self, targets: Any, *_: Any) -> None:
        self.targets: list[Target] = list(targets)
        self.queue: list[tuple[str, str, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, host: str, command: str, stdin: bytes) -> None:
        self.queue.append((host, command, stdin))

    def finish(self, host: str) -> None:
        self.finished.append(host)

    def replies(self) -> Iterator[Reply]:
        while self.queue:
            host, command, stdin = self.queue.pop(0)
            self.executions[host] += 1
            if host in self.down:
                trouble = Trouble.TIMEOUT if self.let_in else Trouble.UNREACHABLE
                yield Reply(host, None, b"", b"", trouble, "no route", logged_in=self.let_in)
                continue
            words = ["/bin/sh", "-c", command.removeprefix("sudo -n ")]
            done = subprocess.run(words, input=stdin, capture_output=True, check=False)
            yield Reply(host, done.returncode, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def road(monkeypatch: pytest.MonkeyPatch) -> None:
    LocalFleet.executions = Counter()
    LocalFleet.down = set()
    LocalFleet.let_in = False
    LocalFleet.finished = []
    monkeypatch.setattr(survey, "Fleet", LocalFleet)


def hosts(*names: str) -> dict[str, Host]:
    return {
        name: Host(name, "198.18.0.1", 22, "a", None, "1", None, "50002", Profile.SERVER, (), {})
        for name in names
    }


Look = Callable[..., dict[str, survey.Look]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Look at hosts with the demo measure: `look("a", "b", word="one")`."""
    (tmp_path / "kitsurvie.toml").write_text("")
    (tmp_path / "role" / "checks").mkdir(parents=True)
    place = workspace.load(tmp_path)
    text = Text("fr", "en")
    measure = Measure(
        "demo", Step.SECURE, text, text, text, text, text, text, frozenset(Profile), (), False,
        False, False, tmp_path / "role", {},
    )  # fmt: skip
    ledger = Ledger.open(place.ledger_url)

    def run(
        *names: str,
        word: str = "one",
        code: str = CHECKS,
        mode: Mode = Mode.OBSERVE,
        observer: Path | None = None,
    ) -> Any:
        (tmp_path / "role" / "checks" / "test_demo.py").write_text(dedent(code))
        LocalFleet.executions.clear()
        inventory = Inventory(hosts(*names), {}, {}, "")
        catalogue = survey.read_catalogue([measure])
        plan = {n: (Item(n, "demo", mode, {"demo__word": word}, "s"),) for n in names}
        looker = survey.Survey(place, inventory, catalogue, ledger, Progress(), observer=observer)
        return {seen.host: seen for seen in looker.look(plan)}

    return run


def test_a_scout_learns_and_everybody_else_is_asked_once(look: Look) -> None:
    seen = look("a", "b", "c")
    assert {s.status for s in seen.values()} == {Status.COMPLIANT}
    assert LocalFleet.executions["a"] > 1
    assert (LocalFleet.executions["b"], LocalFleet.executions["c"]) == (1, 1)
    assert sorted(LocalFleet.finished) == ["a", "b", "c"]


def test_a_known_fleet_is_asked_once_each_ever_after(look: Look) -> None:
    look("a", "b")
    look("a", "b")
    assert LocalFleet.executions == {"a": 1, "b": 1}


def test_when_the_scout_is_away_another_host_scouts(look: Look) -> None:
    LocalFleet.down = {"a"}
    seen = look("a", "b", "c")
    assert seen["a"].status is Status.UNREACHABLE
    assert "a cannot be reached" in seen["a"].trouble
    assert {seen["b"].status, seen["c"].status} == {Status.COMPLIANT}
    assert LocalFleet.executions["c"] == 1


def test_changed_parameters_make_a_class_of_their_own_with_a_scout(look: Look) -> None:
    look("a", "b")
    seen = look("a", "b", word="other")
    assert {s.status for s in seen.values()} == {Status.DRIFT}


def test_what_is_off_is_not_asked_about(look: Look) -> None:
    seen = look("a", mode=Mode.OFF)
    assert seen["a"].verdicts == ()
    assert LocalFleet.executions == {"a": 1}


def test_a_check_that_asks_without_end_is_unknown_and_no_hang(look: Look) -> None:
    code = """
        import itertools

        def test_endless(host):
            for number in itertools.count():
                host.run("echo %s", str(number))
    """
    seen = look("a", code=code)
    assert seen["a"].status is Status.UNKNOWN
    assert LocalFleet.executions["a"] == survey.MOST_BATCHES


def test_the_evidence_of_a_look_holds_every_answer_a_verdict_read(look: Look) -> None:
    seen = look("a")["a"]
    assert seen.evidence is not None
    assert {c for v in seen.verdicts for c in v.commands} <= set(seen.evidence.answers)
    assert set(survey.STANDING) <= set(seen.evidence.answers)


def test_a_system_the_kit_was_not_proved_on_is_drift_though_its_checks_do_not_apply(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "SUPPORTED", ("debian 99",))
    code = """
        def test_it(host):
            found, expected = host.run("echo asked").stdout, "never asked"
            assert found == expected
    """
    seen = look("a", code=code)["a"]
    assert seen.status is Status.DRIFT
    (drift,) = [v for v in seen.verdicts if v.status is Status.DRIFT]
    assert (drift.measure, drift.check, drift.expected) == ("kit", "supported_release", "debian 99")
    assert drift.found.startswith("debian 1")
    (passed_over,) = [v for v in seen.verdicts if v.measure != "kit"]
    assert passed_over.status is Status.NOT_APPLICABLE
    assert passed_over.message.startswith("proved on debian 99 only, not on debian 1")
    assert seen.evidence is not None
    assert "echo asked" not in seen.evidence.answers


def test_a_host_that_lets_us_in_and_then_falls_silent_is_in_error_and_not_away(look: Look) -> None:
    LocalFleet.down = {"a"}
    LocalFleet.let_in = True
    seen = look("a")["a"]
    assert (seen.status, seen.verdicts) == (Status.ERROR, ())


def test_stamps_that_could_not_be_read_are_not_taken_for_none(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "STAMPS", "sleep 30")
    monkeypatch.setattr(survey, "STANDING", ("sleep 30", survey.RELEASE))
    monkeypatch.setattr(survey, "COMMAND_S", 0.3)
    seen = look("a")["a"]
    assert seen.status is Status.ERROR
    assert "could not say which measures it carries" in seen.trouble


def test_the_worst_status_is_the_one_that_is_read_first() -> None:
    order = [Status.COMPLIANT, Status.UNKNOWN, Status.DRIFT, Status.ERROR]
    assert survey.worst(order) is Status.ERROR
    assert survey.worst(order[:3]) is Status.DRIFT
    assert survey.worst([]) is Status.COMPLIANT


def test_a_machine_says_who_asks_for_a_restart_and_since_when() -> None:
    said = b"kernel_hardening 1700000000.5000000000\nreboot-required 1700000100.0\nnonsense\n"
    found = survey.restarts_of({survey.RESTART: Answer(1, said, b"")})
    assert found == {"kernel_hardening": 1700000000.5, "debian": 1700000100.0}
    assert survey.restarts_of({}) == {}


@pytest.fixture
def observed(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., survey.Look]:
    """A look as the observer at a host that lets it ask these commands: `observed("id", ...)`."""
    role = Path(__file__).parents[2] / "roles" / "observer" / "files"
    program = (role / "observe").read_text(encoding="utf-8")
    program = program.replace("/var/lib/kitsurvie/observer/commands", str(tmp_path / "commands"))
    program = program.replace("/usr/lib/kitsurvie/observer/runner.py", str(role / "runner.py"))
    (tmp_path / "observe").write_text(program, encoding="utf-8")
    words = f"sudo -n {sys.executable} -ISB {tmp_path / 'observe'}"
    monkeypatch.setattr(request, "OBSERVER_COMMAND", words)

    def run(*commands: str, **more: Any) -> survey.Look:
        digests = [hashlib.sha256(command.encode()).hexdigest() for command in commands]
        (tmp_path / "commands").write_text("\n".join(digests))
        return look("a", observer=tmp_path / "key", **more)["a"]

    return run


ASKED = ("echo one", "echo one two", "echo $KITSURVIE_TEST_HOST", "echo ''")


def test_an_observer_sees_what_an_administrator_sees(
    look: Look, observed: Callable[..., survey.Look]
) -> None:
    mine = look("a")["a"]
    theirs = observed(*survey.STANDING, *ASKED)
    assert (theirs.verdicts, theirs.trouble) == (mine.verdicts, "")


def test_what_the_host_does_not_let_an_observer_ask_is_unknown_and_teaches_nothing(
    look: Look, observed: Callable[..., survey.Look]
) -> None:
    seen = observed(*survey.STANDING, "echo one")
    assert seen.status is Status.UNKNOWN
    for verdict in seen.verdicts:
        assert verdict.status is Status.UNKNOWN
        assert "not on the host's list" in verdict.message
    LocalFleet.executions.clear()
    # the class is found out by whoever may ask, not taken from what was refused
    assert look("a")["a"].status is Status.COMPLIANT
    assert LocalFleet.executions["a"] > 1


def test_without_a_list_an_observer_says_what_to_do(observed: Callable[..., survey.Look]) -> None:
    seen = observed("echo one")
    assert (seen.status, seen.verdicts) == (Status.ERROR, ())
    assert "kitsurvie deploy renews it" in seen.trouble
