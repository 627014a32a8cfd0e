"""What a machine spent in a period, out of counters."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie.energy.spent import spent
from kitsurvie.model import Reading

START, END = date(2026, 11, 1), date(2026, 11, 30)


def counted(
    day: str, joules: float, *, since: str = "2026-01-01", host: str = "pc-1",
    modelled: float | None = None,
) -> Reading:  # fmt: skip
    bounds = None if modelled is None else (modelled / 2, modelled, modelled * 2)
    return Reading(
        host, day, since, "physical", "desktop", {"rapl": joules}, bounds, {"rapl": joules / 10}
    )


def test_it_is_counted_from_the_reading_of_the_day_before_to_the_last() -> None:
    (found,) = spent(
        [counted("2026-10-31", 1000), counted("2026-11-15", 1500), counted("2026-11-30", 2200)],
        START, END,
    )  # fmt: skip
    assert found.joules == {"rapl": 1200}
    assert found.seconds == {"rapl": pytest.approx(120)}
    assert (found.start, found.end) == ("2026-10-31", "2026-11-30")
    assert found.modelled is None
    assert found.covered == {"rapl"}


def test_a_machine_that_began_to_count_in_the_period_is_counted_from_nothing() -> None:
    (found,) = spent([counted("2026-11-20", 300, since="2026-11-10", modelled=400)], START, END)
    assert found.joules == {"rapl": 300}
    assert found.modelled == (200, 400, 800)


def test_a_machine_that_was_installed_again_loses_no_part_of_either_life() -> None:
    (found,) = spent(
        [
            counted("2026-10-31", 1000), counted("2026-11-10", 1400),
            counted("2026-11-20", 50, since="2026-11-11"),
            counted("2026-11-30", 90, since="2026-11-11"),
        ],
        START, END,
    )  # fmt: skip
    assert found.joules == {"rapl": 490}


def test_what_was_counted_before_anybody_read_it_is_of_no_period() -> None:
    (found,) = spent([counted("2026-11-10", 5000), counted("2026-11-30", 5600)], START, END)
    assert found.joules == {"rapl": 600}
    assert found.start == "2026-11-10"
    (one,) = spent([counted("2026-11-10", 5000)], START, END)
    assert one.joules == {}
    assert one.covered == frozenset()


def test_a_reading_of_long_before_is_not_counted_from() -> None:
    (found,) = spent(
        [counted("2026-10-01", 1000), counted("2026-11-05", 3000), counted("2026-11-30", 3100)],
        START, END,
    )  # fmt: skip
    assert found.joules == {"rapl": 100}


def test_a_counter_that_went_down_loses_that_day_and_no_more() -> None:
    (found,) = spent(
        [counted("2026-10-31", 1000), counted("2026-11-10", 200), counted("2026-11-30", 500)],
        START, END,
    )  # fmt: skip
    assert found.joules == {"rapl": 300}


def test_each_machine_has_its_own_and_one_without_a_reading_in_the_period_has_none() -> None:
    found = spent(
        [
            counted("2026-10-31", 1, host="a"), counted("2026-11-30", 3, host="a"),
            counted("2026-10-31", 1, host="b"),
            counted("2026-10-31", 1, host="c"), counted("2026-11-30", 9, host="c"),
        ],
        START, END,
    )  # fmt: skip
    assert {one.host: dict(one.joules) for one in found} == {"a": {"rapl": 2}, "c": {"rapl": 8}}


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=40), st.integers(1, 39))
def test_periods_that_touch_add_up(daily: list[float], cut: int) -> None:
    first = date(2026, 11, 1)
    total, readings = 0.0, []
    for number, joules in enumerate(daily):
        total += joules
        day = (first + timedelta(days=number)).isoformat()
        readings.append(counted(day, total, since="2026-11-01"))
    last = first + timedelta(days=len(daily) - 1)
    edge = first + timedelta(days=min(cut, len(daily) - 1))

    def joules(start: date, end: date) -> float:
        return sum(one.joules.get("rapl", 0.0) for one in spent(readings, start, end))

    parts = joules(first, edge - timedelta(days=1)) + joules(edge, last)
    assert parts == pytest.approx(joules(first, last)) == pytest.approx(sum(daily))
