"""What is new since yesterday, what was before, and who answers for it until when."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kitsurvie import workspace
from kitsurvie.cli import acknowledge, compliance, diff, history, init, prune
from kitsurvie.cli.difference import choose, compare
from kitsurvie.errors import RunError, UsageError
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict

SRV, PC, LAPTOP = "agneaux-srv-01", "agneaux-pc-01", "gatteville-portable-01"
OK, DRIFT = Status.COMPLIANT, Status.DRIFT


class Nights:
    """A workspace with the example's machines, its ledger, and a clock that nights move on."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        init.init(root)
        self.place = workspace.load(root)
        self.ledger = Ledger.open(self.place.ledger_url)
        # half past two, so many nights ago: what is read today is read with today's clock
        self.clock = 0.0
        self._patch = monkeypatch

    def at(self, nights_ago: int, hour: int = 2) -> float:
        day = date.today() - timedelta(days=nights_ago)
        return datetime(day.year, day.month, day.day, hour, 30).timestamp()

    def night(
        self,
        nights_ago: int,
        looks: dict[str, tuple[Verdict, ...] | str | None],
        *,
        kind: str = "compliance",
        hour: int = 2,
        ended: bool = True,
        **options: Any,
    ) -> int:
        """A host's verdicts, None when it did not answer, why when it could not be judged."""
        moment = self.at(nights_ago, hour)
        with self._patch.context() as patched:
            patched.setattr("time.time", lambda: moment)
            run = self.ledger.start_run(kind, "admin1@desk", options, looks)
            for host, given in looks.items():
                self.ledger.record(run, [_record(host, moment, given)])
            if ended:
                self.ledger.end_run(run, RunState.ENDED)
        return run


def _record(host: str, moment: float, given: tuple[Verdict, ...] | str | None) -> Record:
    if given is None:
        return Record(host, moment, (), None, Outcome.UNREACHABLE, f"{host} cannot be reached")
    if isinstance(given, str):
        return Record(host, moment, (), None, Outcome.ERROR, given)
    drifts = any(v.status is DRIFT for v in given)
    evidence = Evidence(host, {"uname": Answer(0, b"Linux\n", b"")})
    return Record(host, moment, given, evidence, Outcome.DRIFT if drifts else Outcome.DONE)


def drop(status: Status = OK, found: str = "accept") -> tuple[Verdict, ...]:
    told = found if status is DRIFT else ""
    return (Verdict("firewall", "test_drop", status, told, "drop", ("uname",)),)


def timer(status: Status = OK) -> tuple[Verdict, ...]:
    return (Verdict("updates", "test_timer", status, commands=("uname",)),)


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    return Nights(tmp_path / "syndicate", monkeypatch)


@pytest.fixture
def said(nights: Nights, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """The document that a command prints, with its exit code."""

    def ask(command: Callable[..., int], *words: Any, **options: Any) -> dict[str, Any]:
        capsys.readouterr()
        code = command(*words, json=True, workspace=nights.place.root, **options)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {**found, "code": code}

    return ask


Ask = Callable[..., dict[str, Any]]


def hosts(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["host"] for entry in entries]


def test_a_new_drift_and_a_mended_one_are_told_once_each(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: (*drop(DRIFT), *timer()), PC: (*drop(), *timer(DRIFT))})
    last = nights.night(0, {SRV: (*drop(), *timer(DRIFT)), PC: (*drop(), *timer(DRIFT))})
    told = said(diff.diff)
    (new,), (mended,) = told["new_drift"], told["mended"]
    assert (new["host"], new["measure"], new["check"]) == (SRV, "updates", "test_timer")
    assert (new["was"], new["changed_in"]["run"]) == ("compliant", last)
    assert new["member"]["name"] == "Agneaux"
    assert (mended["host"], mended["measure"]) == (SRV, "firewall")
    assert (mended["status"], mended["found"]) == ("drift", "accept")
    assert told["code"] == told["exit_code"] == 1


def test_a_night_in_which_nothing_changed_says_so(
    nights: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    for ago in (1, 0):
        nights.night(ago, {SRV: (*drop(DRIFT), *timer())})
    assert diff.diff(workspace=nights.place.root) == 0
    assert "Nothing is new." in capsys.readouterr().out


def test_absent_is_neither_drift_nor_mended(nights: Nights, said: Ask) -> None:
    nights.night(2, {SRV: drop(DRIFT), LAPTOP: drop(DRIFT), PC: None})
    nights.night(1, {SRV: drop(DRIFT), LAPTOP: drop(DRIFT), PC: None})
    nights.night(0, {SRV: None, LAPTOP: None, PC: None})
    told = said(diff.diff)
    assert told["new_drift"] == told["mended"] == told["no_longer_judged"] == []
    assert hosts(told["newly_absent"]) == [SRV, LAPTOP]
    assert told["newly_absent"][0]["last_judged"] is not None
    # a server is expected up at night
    assert told["code"] == 3


def test_a_laptop_that_sleeps_is_told_and_counts_for_nothing(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: drop(), LAPTOP: drop()})
    nights.night(0, {SRV: drop(), LAPTOP: None})
    told = said(diff.diff)
    assert (hosts(told["newly_absent"]), told["code"]) == ([LAPTOP], 0)
    assert told["newly_absent"][0]["member"]["name"] == "Gatteville-le-Phare"


def test_one_that_comes_back_brings_what_changed_while_it_was_away(
    nights: Nights, said: Ask
) -> None:
    nights.night(2, {SRV: drop(), PC: (*drop(), *timer(DRIFT))})
    nights.night(1, {SRV: drop(), PC: None})
    nights.night(0, {SRV: drop(), PC: (*drop(DRIFT), *timer())})
    told = said(diff.diff)
    assert hosts(told["back"]) == [PC]
    assert [entry["measure"] for entry in told["new_drift"]] == ["firewall"]
    assert [entry["measure"] for entry in told["mended"]] == ["updates"]


def test_what_a_deployment_mended_in_between_says_by_whom(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: drop(DRIFT)})
    mending = nights.night(1, {SRV: drop()}, kind="deploy", hour=10)
    nights.night(0, {SRV: drop()})
    (mended,) = said(diff.diff)["mended"]
    assert mended["changed_in"] == {"run": mending, "command": "deploy", "by": "admin1@desk"}


def test_what_was_mended_and_drifts_anew_is_new(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: drop(DRIFT)})
    nights.night(1, {SRV: drop()}, kind="deploy", hour=10)
    nights.night(0, {SRV: drop(DRIFT)})
    (new,) = said(diff.diff)["new_drift"]
    assert (new["host"], new["was"]) == (SRV, "compliant")


def test_a_drift_that_says_something_else_is_no_new_one(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: drop(DRIFT, "one")})
    nights.night(0, {SRV: drop(DRIFT, "two")})
    told = said(diff.diff)
    assert (told["new_drift"], told["mended"], told["code"]) == ([], [], 0)


def test_errors_are_told_apart_from_drifts(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: drop(), PC: drop(), LAPTOP: drop(Status.UNKNOWN)})
    nights.night(0, {SRV: drop(Status.UNKNOWN), PC: "its host key changed", LAPTOP: drop()})
    told = said(diff.diff)
    assert [(e["host"], e["status"]) for e in told["new_error"]] == [(SRV, "unknown")]
    assert [(e["host"], e["detail"]) for e in told["newly_in_error"]] == [
        (PC, "its host key changed")
    ]
    # what could not be judged and can be again is over too
    assert [(e["host"], e["was"]) for e in told["mended"]] == [(LAPTOP, "unknown")]
    assert told["code"] == 3


def test_what_nobody_asks_any_more_was_not_mended(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: (*drop(DRIFT), *timer(DRIFT)), PC: drop(DRIFT)})
    nights.night(0, {SRV: timer(Status.NOT_APPLICABLE), PC: drop()})
    told = said(diff.diff)
    assert hosts(told["mended"]) == [PC]
    assert [e["measure"] for e in told["no_longer_judged"]] == ["firewall", "updates"]


def test_a_system_that_is_supported_again_is_mended(nights: Nights, said: Ask) -> None:
    old = Verdict("kit", "supported_release", DRIFT, "debian 11", "debian 12 or debian 13")
    nights.night(1, {SRV: (*drop(), old)})
    nights.night(0, {SRV: drop()})
    assert [e["check"] for e in said(diff.diff)["mended"]] == ["supported_release"]


def test_machines_that_came_and_went_are_told_with_what_drifts_there(
    nights: Nights, said: Ask
) -> None:
    nights.night(1, {SRV: drop(), "retired-pc-01": drop(DRIFT)})
    nights.night(0, {SRV: drop(), PC: (*drop(DRIFT), *timer())})
    told = said(diff.diff)
    assert (hosts(told["came"]), told["came"][0]["drifts"]) == ([PC], ["firewall/test_drop"])
    assert told["went"] == [{"host": "retired-pc-01", "member": None}]
    # they are told there, and are no change of a machine that stayed
    assert told["new_drift"] == told["mended"] == []
    assert told["code"] == 1


def test_a_run_of_some_machines_says_nothing_of_the_others(nights: Nights, said: Ask) -> None:
    nights.night(1, {SRV: drop(), PC: drop()})
    whole = nights.night(0, {SRV: drop(), PC: drop(DRIFT)})
    part = nights.night(0, {SRV: drop(DRIFT)}, hour=7, limit=SRV)
    assert said(diff.diff)["to"]["run"] == whole
    told = said(diff.diff, to_run=part)
    assert (hosts(told["new_drift"]), told["went"]) == ([SRV], [])


def test_a_run_without_an_end_is_never_compared(nights: Nights, said: Ask) -> None:
    first = nights.night(3, {SRV: drop()})
    cut = nights.night(2, {SRV: drop(DRIFT)}, ended=False)
    second = nights.night(1, {SRV: drop()})
    torn = nights.night(0, {SRV: drop(DRIFT)}, ended=False)
    told = said(diff.diff)
    assert (told["from"]["run"], told["to"]["run"], told["new_drift"]) == (first, second, [])
    for wrong in ({"from_run": cut, "to_run": second}, {"to_run": torn}):
        with pytest.raises(UsageError, match="did not come to its end"):
            said(diff.diff, **wrong)


def test_the_run_of_an_earlier_day_is_taken_before_one_of_today(nights: Nights) -> None:
    yesterday = nights.night(1, {SRV: drop()})
    again = nights.night(0, {SRV: drop()}, hour=1)
    last = nights.night(0, {SRV: drop()})
    assert [run.id for run in choose(nights.ledger, None, None, None)] == [yesterday, last]
    assert [run.id for run in choose(nights.ledger, again, None, None)] == [again, last]
    with pytest.raises(UsageError, match="not earlier"):
        choose(nights.ledger, last, yesterday, None)


def test_since_a_day_begins_before_it(nights: Nights) -> None:
    runs = [nights.night(ago, {SRV: drop()}) for ago in (9, 6, 3, 0)]
    day = date.today() - timedelta(days=4)
    assert [run.id for run in choose(nights.ledger, None, None, day)] == [runs[1], runs[3]]
    day = date.today() - timedelta(days=30)
    assert [run.id for run in choose(nights.ledger, None, None, day)] == [runs[0], runs[3]]


@pytest.mark.parametrize("made", [0, 1])
def test_without_two_nights_it_is_said_what_to_do(nights: Nights, said: Ask, made: int) -> None:
    for ago in range(made):
        nights.night(ago, {SRV: drop()})
    with pytest.raises(UsageError, match=r"(no earlier|No) compliance run"):
        said(diff.diff)


def test_a_measure_that_drifts_again_and_again_is_named(nights: Nights, said: Ask) -> None:
    for ago in range(8, 0, -1):
        status = DRIFT if ago % 2 else OK
        nights.night(ago, {SRV: (*drop(status), *timer()), PC: drop(DRIFT)})
    nights.night(0, {SRV: (*drop(), *timer()), PC: drop(DRIFT)})
    nights.night(0, {SRV: (*drop(DRIFT), *timer()), PC: drop(DRIFT)}, hour=3)
    told = said(history.history)
    # one that never ceased to drift does not come back
    assert [(o["host"], o["measure"], o["times"]) for o in told["again_and_again"]] == [
        (SRV, "firewall", 5)
    ]
    (new,) = said(diff.diff, from_run=9)["new_drift"]
    assert new["times_lately"] == 5


def test_checks_that_drift_together_and_nights_without_an_answer_are_one_drift(
    nights: Nights, said: Ask
) -> None:
    other = Verdict("firewall", "test_ssh", DRIFT)
    fine = Verdict("firewall", "test_ssh", OK)
    looks: list[tuple[Verdict, ...] | None] = [
        (*drop(DRIFT), other), (*drop(Status.UNKNOWN), other), None, (*drop(DRIFT), other),
        (*drop(), other), (*drop(DRIFT), fine), (*drop(), fine), (*drop(DRIFT), fine),
    ]  # fmt: skip
    for number, look in enumerate(looks):
        nights.night(len(looks) - number, {SRV: look})
    (nights.place.root / "kitsurvie.toml").write_text("recurrent_times = 2\n")
    told = said(history.history)
    assert [(o["times"], o["checks"]) for o in told["again_and_again"]] == [
        (2, ["test_drop", "test_ssh"])
    ]
    assert len([i for i in told["intervals"] if i["check"] == "test_drop"]) == 3


def test_history_says_from_when_to_when_and_who_ran_what(nights: Nights, said: Ask) -> None:
    first = nights.night(5, {SRV: drop(DRIFT), PC: drop(DRIFT)})
    deploy = nights.night(4, {SRV: drop()}, kind="deploy", hour=9, limit=SRV)
    nights.night(3, {SRV: drop(), PC: drop(DRIFT)})
    told = said(history.history)
    lasting, over = told["intervals"]
    assert (over["found"], over["expected"]) == ("accept", "drop")
    assert (lasting["host"], lasting["until"]) == (PC, None)
    assert (over["host"], over["from"]["run"], over["until"]["run"]) == (SRV, first, deploy)
    assert (over["until"]["command"], over["until"]["by"]) == ("deploy", "admin1@desk")
    assert [(run["command"], run["limit"]) for run in told["runs"]] == [
        ("compliance", ""), ("deploy", SRV), ("compliance", ""),
    ]  # fmt: skip


def test_history_is_narrowed_by_host_measure_member_and_days(nights: Nights, said: Ask) -> None:
    both = (*drop(DRIFT), *timer(DRIFT))
    nights.night(20, {SRV: both, "granville-srv-01": both})
    nights.night(19, {SRV: (*drop(), *timer(DRIFT)), "granville-srv-01": both})

    def found(**options: Any) -> set[tuple[str, str]]:
        told = said(history.history, **options)
        return {(one["host"], one["measure"]) for one in told["intervals"]}

    assert len(found()) == 4
    assert found(limit=SRV) == {(SRV, "firewall"), (SRV, "updates")}
    assert {measure for _, measure in found(measure=["updates"])} == {"updates"}
    assert {host for host, _ in found(member="215000027")} == {SRV}
    # a drift that still stands is of today, however old; one that is over is not
    assert (SRV, "firewall") not in found(days=10)
    assert (SRV, "updates") in found(days=10)
    with pytest.raises(UsageError, match="no member"):
        found(member="000000000")


def tomorrow(days: int = 1) -> str:
    return (date.today() + timedelta(days=days)).isoformat()


def test_an_acknowledged_drift_stays_one_and_says_by_whom_and_until_when(
    nights: Nights, said: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    nights.night(1, {SRV: drop()})
    nights.night(0, {SRV: drop(DRIFT)})
    made = said(
        acknowledge.acknowledge, SRV, "test_drop", reason="the  modem\nis late", until=tomorrow(7),
        by="N. Technician",
    )  # fmt: skip
    assert made["check"] == "test_drop"
    for told in (said(diff.diff)["new_drift"], said(history.history)["intervals"]):
        (one,) = told
        assert one["status"] == "drift"
        assert one["acknowledged"]["by"].startswith("N. Technician (entered by ")
        assert one["acknowledged"]["reason"] == "the modem is late"
        assert one["acknowledged"]["until"] == tomorrow(7)
    host = next(h for h in said(compliance.show)["hosts"] if h["name"] == SRV)
    assert host["acknowledged"][0]["until"] == tomorrow(7)
    for command in (diff.diff, history.history, compliance.show):
        capsys.readouterr()
        command(workspace=nights.place.root)
        assert "acknowledged by N. Technician" in capsys.readouterr().out


def test_an_acknowledgement_is_over_when_the_drift_is_mended(nights: Nights, said: Ask) -> None:
    nights.night(3, {SRV: drop(DRIFT)})
    said(acknowledge.acknowledge, SRV, "firewall/test_drop", reason="x", until=tomorrow())
    # what nobody could judge, and a drift that says something else, mend nothing
    nights.night(2, {SRV: drop(Status.UNKNOWN)})
    nights.night(2, {SRV: None}, hour=3)
    nights.night(2, {SRV: drop(DRIFT, "other")}, hour=4)
    assert len(nights.ledger.acknowledgements()) == 1
    nights.night(1, {SRV: drop()})
    assert nights.ledger.acknowledgements() == ()
    nights.night(0, {SRV: drop(DRIFT)})
    assert nights.ledger.acknowledgements() == ()
    assert said(diff.diff)["new_drift"][0]["acknowledged"] is None


def test_an_acknowledgement_is_over_after_its_day_and_the_morning_says_so(
    nights: Nights, said: Ask
) -> None:
    nights.night(1, {SRV: drop(DRIFT)})
    said(acknowledge.acknowledge, SRV, "test_drop", reason="x", until=tomorrow(0))
    nights.night(0, {SRV: drop(DRIFT)})
    before, after = choose(nights.ledger, None, None, None)

    def over(today: date) -> int:
        found = compare(nights.ledger, before, after, times=3, days=30, today=today)
        return len(found.acknowledgements_over)

    assert over(date.today()) == 0
    assert over(date.today() + timedelta(days=1)) == 1


@pytest.mark.parametrize(
    ("words", "until", "wrong"),
    [
        ((SRV, "test_drop"), "soon", "is no date"),
        ((SRV, "test_drop"), "2020-01-01", "is past"),
        ((SRV, "test_drop"), tomorrow(400), "more than a year"),
        ((SRV, "updates/test_timer"), tomorrow(), "does not drift"),
        ((SRV, "test_dropp"), tomorrow(), "No check"),
        (("nobody", "test_drop"), tomorrow(), "no verdict of a host"),
    ],
)
def test_what_cannot_be_acknowledged_says_why(
    nights: Nights, words: tuple[str, str], until: str, wrong: str
) -> None:
    nights.night(0, {SRV: (*drop(DRIFT), *timer())})
    with pytest.raises(UsageError, match=wrong):
        acknowledge.acknowledge(*words, reason="x", until=until, workspace=nights.place.root)
    assert nights.ledger.acknowledgements() == ()


def test_pruning_tells_what_would_go_then_what_went(nights: Nights, said: Ask) -> None:
    for ago in (500, 499, 100, 99, 1, 0):
        nights.night(ago, {SRV: drop(DRIFT if ago in (500, 100) else OK)})
    told = said(prune.prune, dry_run=True)
    assert told["removed"]["looks"] == 2
    assert nights.ledger.seen(2)
    gone = said(prune.prune)
    assert gone["removed"] == told["removed"]
    assert not nights.ledger.seen(2)
    assert nights.ledger.seen(3)
    assert said(prune.prune, verdicts_days=50)["removed"]["looks"] == 2
    assert [len(said(history.history, days=365)["intervals"])] == [0]


def test_a_clock_that_is_wrong_prunes_nothing(nights: Nights, said: Ask) -> None:
    nights.night(-30, {SRV: drop()})
    with pytest.raises(RunError, match="clock says"):
        said(prune.prune)


def waive(nights: Nights, until: date) -> None:
    (nights.place.inventory / "waivers.yml").write_text(
        f"waivers:\n  - {{host: {SRV}, measure: firewall, reason: the modem is late, "
        f'owner: the director, until: "{until}"}}\n',
        encoding="utf-8",
    )


def test_a_new_drift_that_is_waived_is_told_as_such_and_counts_for_nothing(
    nights: Nights, said: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    nights.night(1, {SRV: drop(), PC: drop()})
    nights.night(0, {SRV: drop(DRIFT), PC: drop()})
    assert said(diff.diff)["code"] == 1
    waive(nights, date.today() + timedelta(days=5))
    told = said(diff.diff)
    (one,) = told["newly_waived"]
    assert (one["host"], one["waiver"]["owner"]) == (SRV, "the director")
    assert (told["new_drift"], told["waivers_over"], told["code"]) == ([], [], 0)
    assert told["waivers_ending"] == [one["waiver"]]
    diff.diff(workspace=nights.place.root)
    out = capsys.readouterr().out
    assert "New drift, waived" in out
    assert f"{SRV}: waived until" in out
    assert "the waiver ends in 5 days" in out


def test_a_drift_whose_waiver_ended_overnight_counts_again(nights: Nights, said: Ask) -> None:
    first = nights.night(1, {SRV: (*drop(DRIFT), *timer(DRIFT)), PC: drop(DRIFT)})
    nights.night(0, {SRV: (*drop(DRIFT), *timer(DRIFT)), PC: drop(DRIFT)})
    waive(nights, date.today())
    assert said(diff.diff)["code"] == 0
    waive(nights, date.today() - timedelta(days=1))
    told = said(diff.diff)
    (again,) = told["waivers_over"]
    assert (again["host"], again["measure"], again["was"]) == (SRV, "firewall", "waived")
    assert (again["changed_in"]["run"], again["waiver"]["days_left"]) == (first, -1)
    assert (told["new_drift"], told["newly_waived"], told["code"]) == ([], [], 1)


def test_history_tells_a_waived_drift_from_one_that_nobody_answers_for(
    nights: Nights, said: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    nights.night(9, {SRV: (*drop(DRIFT), *timer(DRIFT)), PC: drop(DRIFT)})
    nights.night(8, {SRV: (*drop(DRIFT), *timer(DRIFT)), PC: drop(DRIFT)})

    def waived() -> dict[tuple[str, str], tuple[bool, int | None]]:
        told = said(history.history)
        assert {one["status"] for one in told["intervals"]} == {"drift"}
        return {
            (one["host"], one["measure"]): (
                one["waived"], one["waiver"] and one["waiver"]["days_left"]
            )
            for one in told["intervals"]
        }  # fmt: skip

    assert set(waived().values()) == {(False, None)}
    waive(nights, date.today() + timedelta(days=5))
    assert waived() == {
        (SRV, "firewall"): (True, 5), (SRV, "updates"): (False, None),
        (PC, "firewall"): (False, None),
    }  # fmt: skip
    history.history(workspace=nights.place.root)
    out = capsys.readouterr().out
    assert "3 of them still there, 1 of these waived." in out
    assert "of these waived" in out.splitlines()[2]
    assert "(the modem is late)" in " ".join(out.split())
    # over: it counts as a drift again, and the waiver that speaks of it is told
    waive(nights, date.today() - timedelta(days=1))
    assert waived()[SRV, "firewall"] == (False, -1)
    history.history(workspace=nights.place.root)
    out = capsys.readouterr().out
    assert "of these waived" not in out
    assert "over for 1 day" in " ".join(out.split())


def test_history_reads_a_waiver_for_the_last_day_of_what_is_over(nights: Nights, said: Ask) -> None:
    nights.night(9, {SRV: drop(DRIFT)})
    nights.night(5, {SRV: drop()})

    def waived(days_ago: int) -> tuple[bool, bool]:
        waive(nights, date.today() - timedelta(days=days_ago))
        (one,) = said(history.history)["intervals"]
        return one["waived"], one["waiver"] is not None

    assert waived(4) == waived(5) == (True, True)
    assert waived(6) == (False, False)


def test_a_machine_that_comes_with_a_waived_drift_counts_for_nothing(
    nights: Nights, said: Ask
) -> None:
    nights.night(1, {PC: drop()})
    nights.night(0, {PC: drop(), SRV: drop(DRIFT)})
    waive(nights, date.today())
    told = said(diff.diff)
    assert (told["came"][0]["drifts"], told["code"]) == ([], 0)


def test_the_page_says_what_is_new_where_there_is_an_earlier_run_and_who_answers(
    nights: Nights, tmp_path: Path
) -> None:
    page = tmp_path / "night.html"

    def shown() -> str:
        compliance.show(to=[f"html={page}"], lang="en", workspace=nights.place.root)
        return page.read_text(encoding="utf-8")

    first = nights.night(1, {SRV: drop(), PC: drop()})
    assert "New since run" not in shown()
    nights.night(0, {SRV: drop(DRIFT), PC: drop(DRIFT)})
    acknowledge.acknowledge(
        PC, "test_drop", reason="it is replaced", until=tomorrow(), by="A. Roux",
        workspace=nights.place.root,
    )  # fmt: skip
    waive(nights, date.today())
    text = shown()
    assert f"New since run {first}" in text
    assert f"{PC} (Agneaux): firewall/test_drop" in text
    assert "New drifts that are waived (1)" in text
    assert "by A. Roux" in text


def test_what_a_host_answers_cannot_drive_the_terminal(
    nights: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    nights.night(1, {SRV: drop(), PC: drop()})
    nights.night(0, {SRV: drop(DRIFT, "\x1b[2Jgone [red]"), PC: "\x1b[2Jno"})
    diff.diff(workspace=nights.place.root)
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\\x1b[2Jgone [red]" in out
