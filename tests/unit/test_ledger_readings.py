"""What probes counted, in the ledger: of each day once, and of a day for as long as it serves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from kitsurvie.ledger import Ledger, Outcome, Record, Retention, RunState
from kitsurvie.ledger.readings import KEPT_DAYS
from kitsurvie.model import Evidence, Reading, Status, Verdict

TODAY = date(2026, 11, 26)


def reading(host: str, day: date, joules: float = 1.0, used: str | None = None) -> Reading:
    return Reading(
        host, day.isoformat(), "2026-01-01", "physical", "laptop", {"rapl": joules},
        (1.0, 2.0, 3.0), {"powered": 60.0}, used,
    )  # fmt: skip


def record(ledger: Ledger, *taken: Reading, at: float | None = None) -> None:
    run = ledger.start_run("compliance", "somebody", {}, [one.host for one in taken])
    moment = time.time() if at is None else at
    verdict = Verdict("firewall", "test_it", Status.COMPLIANT)
    ledger.record(
        run,
        [
            Record(
                one.host, moment, (verdict,), Evidence(one.host, {}), Outcome.DONE, "", one
            )
            for one in taken
        ],
    )  # fmt: skip
    ledger.end_run(run, RunState.ENDED)


def days(found: Sequence[Reading]) -> list[str]:
    return [one.day for one in found]


def test_a_ledger_without_readings_has_none(ledger: Ledger) -> None:
    assert ledger.readings(TODAY, TODAY) == ()
    assert ledger.last_uses() == {}


def test_a_reading_comes_back_as_it_was_written(ledger: Ledger) -> None:
    one = reading("pc-1", TODAY, used="2026-11-20")
    record(ledger, one)
    assert ledger.readings(TODAY, TODAY) == (one,)
    assert ledger.last_uses() == {"pc-1": "2026-11-20"}


def test_what_is_said_again_of_a_day_takes_the_place_of_what_was(ledger: Ledger) -> None:
    record(ledger, reading("pc-1", TODAY, 5.0))
    record(ledger, reading("pc-1", TODAY, 7.0))
    assert [one.joules for one in ledger.readings(TODAY, TODAY)] == [{"rapl": 7.0}]


def test_use_that_is_no_longer_collected_is_gone(ledger: Ledger) -> None:
    record(
        ledger, reading("pc-1", TODAY, used="2026-11-20"), reading("pc-2", TODAY, used="2026-11-02")
    )
    record(ledger, reading("pc-1", TODAY))
    assert ledger.last_uses() == {"pc-2": "2026-11-02"}


def test_a_period_has_the_last_reading_before_it_of_each_machine(ledger: Ledger) -> None:
    for back in (20, 11, 9, 5, 1):
        record(ledger, reading("pc-1", TODAY - timedelta(days=back)))
    record(ledger, reading("pc-2", TODAY - timedelta(days=5)))
    start, end = TODAY - timedelta(days=10), TODAY - timedelta(days=2)
    found = ledger.readings(start, end)
    assert [(one.host, one.day) for one in found] == [
        ("pc-1", "2026-11-15"), ("pc-1", "2026-11-17"), ("pc-1", "2026-11-21"),
        ("pc-2", "2026-11-21"),
    ]  # fmt: skip


def test_of_days_long_past_one_a_week_is_left(ledger: Ledger) -> None:
    for back in range(80, -1, -1):
        record(ledger, reading("pc-1", TODAY - timedelta(days=back)))
    found = days(ledger.readings(date(2026, 1, 1), TODAY))
    recent = (TODAY - timedelta(days=KEPT_DAYS)).isoformat()
    old = [date.fromisoformat(day) for day in found if day < recent]
    assert len([day for day in found if day >= recent]) == KEPT_DAYS + 1
    # of each week its last day
    assert all(day.isoweekday() == 7 for day in old)
    assert len(old) == 5


def test_what_another_look_overtook_counts_nothing(ledger: Ledger) -> None:
    record(ledger, reading("pc-1", TODAY, 9.0), at=2000.0)
    run = ledger.start_run("ingest", "somebody", {})
    late = reading("pc-1", TODAY, 1.0)
    gone = ledger.record(
        run, [Record("pc-1", 1000.0, (), None, Outcome.DONE, "", late)], brought_in=True
    )
    assert gone == {"pc-1"}
    assert [one.joules for one in ledger.readings(TODAY, TODAY)] == [{"rapl": 9.0}]


@pytest.mark.parametrize("dry", [True, False])
def test_what_is_older_than_verdicts_are_kept_goes_with_them(ledger: Ledger, dry: bool) -> None:
    record(ledger, reading("pc-1", TODAY - timedelta(days=500)))
    record(ledger, reading("pc-1", TODAY))
    then = time.mktime((TODAY - timedelta(days=400)).timetuple())
    keep = Retention(then, then)
    gone = ledger.prunable(keep) if dry else ledger.prune(keep)
    assert gone.readings == 1
    left = ["2025-07-14", "2026-11-26"] if dry else ["2026-11-26"]
    assert days(ledger.readings(date(2025, 1, 1), TODAY)) == left
