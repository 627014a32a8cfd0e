"""Today's checks over what hosts answered on a past night: what is said, and what is not."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from kitsurvie import workspace
from kitsurvie.cli import compliance, init
from kitsurvie.cli.rejudge import rejudge
from kitsurvie.cli.survey import RELEASE, STAMPS
from kitsurvie.errors import LedgerError, UsageError
from kitsurvie.ledger import Ledger, Outcome, Record, Retention, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict

SRV, PC, OTHER = "agneaux-srv-01", "agneaux-pc-01", "granville-srv-01"
MEASURE = "support_contact"
DOOR = """
    def test_door(host):
        found = host.run("door").stdout.strip()
        expected = "{closed}"
        assert found == expected
"""
LIGHT = """
    def test_light(host):
        found = host.run("light").stdout.strip()
        expected = "off"
        assert found == expected
"""
OK, DRIFT = Status.COMPLIANT, Status.DRIFT


def verdict(check: str, status: Status = OK, measure: str = MEASURE) -> Verdict:
    return Verdict(measure, check, status, commands=("door",))


class Past:
    """The example's workspace with one measure of our own, and nights on record."""

    def __init__(self, root: Path) -> None:
        init.init(root)
        shutil.copytree(workspace.shipped("roles") / MEASURE, root / "roles" / MEASURE)
        self.root = root
        self.place = workspace.load(root)
        self.ledger = Ledger.open(self.place.ledger_url)
        self.checks(DOOR)

    def checks(self, *code: str, closed: str = "closed") -> None:
        text = "\n".join(dedent(one).format(closed=closed) for one in code)
        (self.root / "roles" / MEASURE / "checks" / f"test_{MEASURE}.py").write_text(text)

    def night(
        self,
        looks: Mapping[str, tuple[dict[str, str], tuple[Verdict, ...]] | None],
        *,
        kind: str = "compliance",
        **options: Any,
    ) -> int:
        """By host what it answered and what was said of it; None when it did not answer."""
        run = self.ledger.start_run(kind, "admin1@desk", options, looks)
        for host, given in looks.items():
            if given is None:
                away = Record(host, time.time(), (), None, Outcome.UNREACHABLE, f"{host} is away")
                self.ledger.record(run, [away])
                continue
            said, verdicts = given
            answers = {c: Answer(0, out.encode(), b"") for c, out in said.items()}
            drifts = any(one.status is DRIFT for one in verdicts)
            state = Outcome.DRIFT if drifts else Outcome.DONE
            self.ledger.record(
                run, [Record(host, time.time(), verdicts, Evidence(host, answers), state)]
            )
        self.ledger.end_run(run, RunState.ENDED)
        return run

    def long_ago(self, run: int) -> None:
        """A run of ten days ago."""
        with sqlite3.connect(self.place.state / "ledger.sqlite") as raw:
            raw.execute("UPDATE runs SET started_at = started_at - 864000 WHERE id = ?", (run,))

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything the ledger holds."""
        with sqlite3.connect(self.place.state / "ledger.sqlite") as raw:
            names = [
                row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")
            ]
            return {name: sorted(raw.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


def answered(**said: str) -> dict[str, str]:
    return {STAMPS: "", RELEASE: "debian 12", **said}


def well() -> tuple[dict[str, str], tuple[Verdict, ...]]:
    return answered(door="closed"), (verdict("test_door"),)


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path / "syndicate")


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def again(past: Past, capsys: pytest.CaptureFixture[str]) -> Ask:
    """The document of a rejudgement of our measure, with its exit code."""

    def ask(run: int | None = None, **options: Any) -> dict[str, Any]:
        capsys.readouterr()
        options.setdefault("measure", [MEASURE])
        code = rejudge(run, json=True, workspace=past.root, **options)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {**found, "code": code}

    return ask


def states(told: dict[str, Any]) -> dict[str, str]:
    return {host["name"]: host["standing"] for host in told["hosts"]}


def test_the_same_checks_say_the_same_and_nothing_is_written(past: Past, again: Ask) -> None:
    run = past.night({SRV: well(), PC: well()})
    before = past.rows()
    told = again(run)
    assert past.rows() == before
    assert (told["kind"], told["run"], told["code"]) == ("run", run, 0)
    assert told["rejudged"]["otherwise"] == told["rejudged"]["not_judged"] == []
    assert set(states(told).values()) == {"compliant"}
    assert f"Run {run} of " in told["notes"][0]
    assert "judged again" in told["notes"][0]
    assert "today's checks, inventory variables and waivers" in told["notes"][0]


def test_a_stricter_check_drifts_and_says_what_it_was(past: Past, again: Ask) -> None:
    run = past.night({SRV: well(), PC: (answered(door="locked"), (verdict("test_door", DRIFT),))})
    past.checks(DOOR, closed="locked")
    told = again(run)
    by_host = {one["host"]: one for one in told["rejudged"]["otherwise"]}
    (srv,), (pc,) = by_host[SRV]["changed"], by_host[PC]["changed"]
    assert (srv["measure"], srv["check"]) == (MEASURE, "test_door")
    assert (srv["was"], srv["status"]) == ("compliant", "drift")
    assert (pc["was"], pc["status"]) == ("drift", "compliant")
    assert (states(told), told["code"]) == ({SRV: "drift", PC: "compliant"}, 1)


def test_a_new_check_is_judged_where_its_answer_is_there_and_unknown_elsewhere(
    past: Past, again: Ask
) -> None:
    lit = answered(door="closed", light="off")
    run = past.night({SRV: (lit, (verdict("test_door"),)), PC: well()})
    past.checks(DOOR, LIGHT)
    told = again(run)
    by_host = {one["host"]: one for one in told["rejudged"]["otherwise"]}
    assert [(one["check"], one["was"], one["status"]) for one in by_host[SRV]["new"]] == [
        ("test_light", None, "compliant")
    ]
    assert by_host[SRV]["not_asked"] == by_host[PC]["new"] == []
    (unasked,) = by_host[PC]["not_asked"]
    assert (unasked["check"], unasked["status"]) == ("test_light", "unknown")
    assert (states(told), told["code"]) == ({SRV: "compliant", PC: "unknown"}, 3)
    (pc,) = [host for host in told["hosts"] if host["name"] == PC]
    (measure,) = [one for one in pc["measures"] if one["id"] == MEASURE]
    (light,) = [one for one in measure["checks"] if one["name"] == "test_light"]
    assert "was not asked that night" in light["message"]


def test_what_was_not_asked_hides_no_drift(past: Past, again: Ask) -> None:
    run = past.night({SRV: well()})
    past.checks(DOOR, LIGHT, closed="locked")
    told = again(run)
    assert (states(told), told["code"]) == ({SRV: "drift"}, 3)
    assert told["hosts"][0]["detail"] == "1 check was not asked that night"


def test_a_check_that_asks_otherwise_today_is_unknown_and_says_what_it_was(
    past: Past, again: Ask
) -> None:
    run = past.night({SRV: (answered(), (verdict("test_door", DRIFT),))})
    (unasked,) = again(run)["rejudged"]["otherwise"][0]["not_asked"]
    assert (unasked["was"], unasked["status"]) == ("drift", "unknown")


def test_a_check_that_is_gone_is_no_longer_asked_and_not_mended(past: Past, again: Ask) -> None:
    run = past.night({SRV: (answered(door="closed"), (*well()[1], verdict("test_old", DRIFT)))})
    (one,) = again(run)["rejudged"]["otherwise"]
    assert one["changed"] == []
    assert one["no_longer_asked"] == [
        {"measure": MEASURE, "check": "test_old", "was": "drift", "status": None}
    ]


def test_a_machine_that_was_never_asked_what_it_is_is_unknown(past: Past, again: Ask) -> None:
    run = past.night({SRV: ({STAMPS: "", "door": "closed"}, (verdict("test_door"),))})
    told = again(run)
    assert states(told) == {SRV: "unknown"}
    assert {one["check"] for one in told["rejudged"]["otherwise"][0]["not_asked"]} == {
        "test_door", "supported_release",
    }  # fmt: skip


def test_a_system_the_kit_was_since_proved_on_is_told_as_met(past: Past, again: Ask) -> None:
    release = Verdict("kit", "supported_release", DRIFT, "debian 12", "debian 11")
    run = past.night({SRV: (answered(door="closed"), (release, *well()[1]))})
    (one,) = again(run)["rejudged"]["otherwise"][0]["changed"]
    assert (one["check"], one["was"], one["status"]) == ("supported_release", "drift", "compliant")


def test_todays_variables_and_waivers_hold(past: Past, again: Ask) -> None:
    past.checks("""
        def test_number(host, params):
            found = host.run("number").stdout.strip()
            expected = params["support_contact__phone"]
            assert found == expected
    """)
    run = past.night({SRV: (answered(number="none"), (verdict("test_number"),))})
    past.long_ago(run)
    assert again(run)["code"] == 1
    waivers = past.place.inventory / "waivers.yml"
    waivers.write_text(
        f"waivers:\n  - {{host: {SRV}, measure: {MEASURE}, reason: late, owner: A, "
        f'until: "{date.today() + timedelta(days=2)}"}}\n'
    )
    told = again(run)
    assert (states(told), told["code"]) == ({SRV: "waived"}, 0)
    assert told["rejudged"]["otherwise"][0]["changed"][0]["status"] == "waived"
    # of a run long past, the waiver is read for today
    assert told["waivers_ending"][0]["days_left"] == 2
    (past.place.inventory / "host_vars" / SRV).mkdir(parents=True, exist_ok=True)
    (past.place.inventory / "host_vars" / SRV / "phone.yml").write_text(
        "support_contact__phone: none\n"
    )
    assert again(run)["rejudged"]["otherwise"] == []


def test_a_drift_that_is_waived_today_is_the_same_drift(past: Past, again: Ask) -> None:
    run = past.night({SRV: (answered(door="open"), (verdict("test_door", DRIFT),))})
    (past.place.inventory / "waivers.yml").write_text(
        f"waivers:\n  - {{host: {SRV}, measure: {MEASURE}, reason: late, owner: A, "
        f'until: "{date.today()}"}}\n'
    )
    told = again(run)
    assert (told["rejudged"]["otherwise"], states(told)) == ([], {SRV: "waived"})


def test_hosts_without_an_answer_are_told_with_the_run_that_has_one(past: Past, again: Ask) -> None:
    first = past.night({SRV: well(), OTHER: well()})
    run = past.night({SRV: well(), OTHER: None, PC: None})
    told = again(run)
    assert states(told)[OTHER] == "unreachable"
    whys = {one["host"]: one["why"] for one in told["rejudged"]["not_judged"]}
    assert f"last answered before it in run {first}" in whys[OTHER]
    assert set(whys) == {OTHER, PC}
    assert any(f"rejudge --run {first} --limit {OTHER}" in note for note in told["notes"])
    with pytest.raises(UsageError, match="an answer on record") as refused:
        again(run, limit=OTHER)
    assert f"--run {first} --limit {OTHER}" in refused.value.remedy


def test_a_machine_that_looked_at_itself_since_is_judged_by_that(past: Past, again: Ask) -> None:
    run = past.night({SRV: well(), PC: None})
    own = past.night({PC: (answered(door="locked"), (verdict("test_door", DRIFT),))}, kind="ingest")
    told = again()
    assert (told["run"], states(told)) == (run, {SRV: "compliant", PC: "drift"})
    pc = next(host for host in told["hosts"] if host["name"] == PC)
    assert pc["own_look"] is True
    assert told["rejudged"]["not_judged"] == []
    assert any("has looked at itself" in note for note in told["notes"])
    # of a run that is named, what it saw itself; where there is an answer is said
    named = again(run)
    assert states(named)[PC] == "unreachable"
    (silent,) = named["rejudged"]["not_judged"]
    assert f"first answered later, as in run {own}" in silent["why"]
    assert any(f"rejudge --run {own} --limit {PC}" in note for note in named["notes"])
    assert states(again(own)) == {PC: "drift"}


def test_no_remedy_leads_back_to_where_it_was_given(past: Past, again: Ask) -> None:
    # a deployment after which the machine did not answer any more
    gone = past.night({SRV: well(), OTHER: well()}, kind="deploy")
    away = Record(SRV, time.time(), (), None, Outcome.UNREACHABLE, "away")
    past.ledger.record(gone, [away])
    told = again(gone)
    (why,) = [one["why"] for one in told["rejudged"]["not_judged"]]
    assert "before it was changed, and not after" in why
    assert not any(f"--run {gone}" in note for note in told["notes"])
    # what it answered before is no longer kept: what it answered after is
    first = past.night({SRV: (answered(door="old"), (verdict("test_door"),)), OTHER: well()})
    silent = past.night({SRV: None, OTHER: well()})
    last = past.night({SRV: well(), OTHER: well()})
    past.ledger.prune(Retention(0.0, past.ledger.run(last).started_at))
    for run in (first, silent):
        with pytest.raises(UsageError) as refused:
            again(run, limit=SRV)
        assert f"run {last}" in refused.value.remedy


def test_a_run_cut_short_before_a_machine_was_seen_has_not_judged_it(
    past: Past, again: Ask
) -> None:
    run = past.ledger.start_run("compliance", "admin1@desk", {}, [SRV, PC])
    said, verdicts = well()
    answers = {command: Answer(0, out.encode(), b"") for command, out in said.items()}
    past.ledger.record(
        run, [Record(SRV, time.time(), verdicts, Evidence(SRV, answers), Outcome.DONE)]
    )
    told = again(run)
    assert (states(told), told["code"]) == ({SRV: "compliant", PC: "error"}, 3)
    assert [one["host"] for one in told["rejudged"]["not_judged"]] == [PC]


def test_a_check_that_asked_without_end_is_not_told_as_met(past: Past, again: Ask) -> None:
    endless = Verdict("kit", "endless", Status.UNKNOWN, message="it asks without end")
    run = past.night({SRV: (answered(door="closed"), (endless, *well()[1]))})
    (one,) = again(run)["rejudged"]["otherwise"]
    assert one["changed"] == []
    assert [old["check"] for old in one["no_longer_asked"]] == ["endless"]


def test_a_machine_that_could_not_say_what_it_is_is_not_judged(past: Past, again: Ask) -> None:
    flawed = {STAMPS: Answer(0, b"", b""), RELEASE: Answer(-1, b"", b"", "no time was left")}
    run = past.night({PC: well()})
    past.ledger.record(
        run, [Record(SRV, time.time(), well()[1], Evidence(SRV, flawed), Outcome.DONE)]
    )
    told = again(run)
    assert (states(told), told["code"]) == ({PC: "compliant", SRV: "error"}, 3)
    (silent,) = told["rejudged"]["not_judged"]
    assert (silent["host"], "could not say in run" in silent["why"]) == (SRV, True)
    assert any("that could be judged again" in note for note in told["notes"])


def test_pruned_evidence_is_never_taken_for_anything(past: Past, again: Ask) -> None:
    first = past.night({SRV: (answered(door="old"), (verdict("test_door"),)), PC: well()})
    last = past.night({SRV: well()})
    past.ledger.prune(Retention(0.0, past.ledger.run(last).started_at))
    told = again(first)
    assert (states(told), told["code"]) == ({SRV: "error", PC: "compliant"}, 3)
    srv = next(host for host in told["hosts"] if host["name"] == SRV)
    assert "no longer kept" in srv["detail"]
    assert all(measure["checks"] == [] for measure in srv["measures"])
    with pytest.raises(UsageError, match="evidence_days in") as refused:
        again(first, limit=SRV)
    assert f"run {last}" in refused.value.remedy


def test_a_run_of_some_measures_is_judged_for_those(past: Past, again: Ask) -> None:
    run = past.night({SRV: well()}, measures=[MEASURE])
    told = again(run, measure=None)
    assert [one["id"] for one in told["hosts"][0]["measures"]] == [MEASURE]
    assert (told["code"], told["rejudged"]["otherwise"]) == (0, [])
    assert any("alone: so is this" in note for note in told["notes"])
    with pytest.raises(UsageError, match="not for updates") as refused:
        again(run, measure=["updates"])
    assert "compliance history" in refused.value.remedy
    gone = past.night({SRV: well()}, measures=["of_old"])
    with pytest.raises(UsageError, match="no such measure any more"):
        again(gone, measure=None)


def test_a_run_of_everything_says_which_checks_it_was_not_asked(past: Past, again: Ask) -> None:
    run = past.night(
        {SRV: (answered(door="closed"), (*well()[1], verdict("test_x", OK, "of_old")))}
    )
    told = again(run, measure=None)
    (one,) = told["rejudged"]["otherwise"]
    assert [old["measure"] for old in one["no_longer_asked"]] == ["of_old"]
    assert len(one["not_asked"]) > 20
    assert one["changed"] == []
    # what needs no answer of the host is known all the same
    assert {new["status"] for new in one["new"]} == {"not_applicable"}


@pytest.mark.parametrize("limit", [PC, "no-such-host"])
def test_hosts_that_were_not_in_the_run_are_refused(past: Past, again: Ask, limit: str) -> None:
    run = past.night({SRV: well()})
    with pytest.raises(UsageError) as refused:
        again(run, limit=limit)
    assert refused.value.remedy


def test_a_run_that_does_not_exist_is_refused(past: Past, again: Ask) -> None:
    past.night({SRV: well()})
    with pytest.raises(LedgerError, match="no run 99"):
        again(99)


def test_a_host_that_left_the_inventory_is_named_and_not_judged(past: Past, again: Ask) -> None:
    run = past.night({SRV: well(), "of-old-pc": well()})
    told = again(run)
    assert list(states(told)) == [SRV]
    assert any("No longer in the inventory, and not judged: of-old-pc" in n for n in told["notes"])


def test_every_format_says_that_it_was_judged_again(
    past: Past, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = past.night({SRV: well(), PC: well()})
    past.checks(DOOR, LIGHT, closed="locked")
    names = {"html": "n.html", "junit": "n.xml", "csv": "n.csv"}
    to = [f"{shape}={tmp_path / name}" for shape, name in names.items()]
    rejudge(run, measure=[MEASURE], to=[*to, "table=-"], lang="en", workspace=past.root)
    out = capsys.readouterr().out
    assert out.startswith(f"Run {run} of ")
    assert "compliant then, drift now: agneaux-srv-01, agneaux-pc-01" in out
    assert "test_light: unknown, and did not exist then" in out
    assert f"Run {run}, judged again: 2 hosts: 2 drift." in out
    texts = {name: (tmp_path / name).read_text(encoding="utf-8-sig") for name in names.values()}
    assert "judged again on" in texts["n.html"]
    assert f'name="kitsurvie run {run}, judged again 20' in texts["n.xml"]
    head, first, *_ = texts["n.csv"].splitlines()
    assert head.endswith(",rejudged")
    assert first.rpartition(",")[2].startswith("20")
    compliance.show(to=[f"{s}={tmp_path / n}" for s, n in names.items()], workspace=past.root)
    for name in names.values():
        assert "judged again" not in (tmp_path / name).read_text()


def test_no_alert_is_raised_by_a_night_long_past(past: Past, tmp_path: Path) -> None:
    run = past.night({SRV: well()})
    with pytest.raises(UsageError, match="no look"):
        rejudge(run, to=[f"prometheus={tmp_path / 'n.prom'}"], workspace=past.root)
    assert not (tmp_path / "n.prom").exists()


def test_what_many_hosts_answered_alike_is_read_once(past: Past) -> None:
    from kitsurvie.ledger import reading

    hosts = [f"pc-{number:03}" for number in range(3 * reading.LOOKS_TOGETHER)]
    run = past.night({h: (answered(door=h, same="x"), (verdict("test_door"),)) for h in hosts})
    held = []
    for number, (then, evidence) in enumerate(
        past.ledger.evidences(past.ledger.seen(run).values())
    ):
        assert evidence is not None
        assert evidence.host == then.host == hosts[number]
        assert evidence.answers["door"].stdout == then.host.encode()
        held.append(evidence.answers["same"])
    # what they answered alike is one object, read once
    assert len({id(one) for one in held}) == 1


def test_answers_of_the_group_before_are_let_go(past: Past) -> None:
    from kitsurvie.ledger import reading

    run = past.night({h: (answered(door=h), (verdict("test_door"),)) for h in ("a", "b")})
    one, other = past.ledger.seen(run).values()
    reader = reading.Answers()
    with past.ledger._read() as connection:
        reader.read(connection, [one])
        reader.read(connection, [other])
    assert len(reader._answers) == 3
