"""Machines summed by whose and what they are; no method is added to another."""

from __future__ import annotations

import pytest

from kitsurvie.energy.lines import Bounds, Machine, Method, lines, total
from kitsurvie.energy.spent import Spent


def counted(**methods: float) -> Spent:
    """What a probe counted: joules by method, `modelled` as its central."""
    central = methods.pop("modelled", None)
    seconds = dict.fromkeys(methods, 60.0) | ({"modelled": 60.0} if central else {})
    modelled = None if central is None else (central / 2, central, central * 2)
    return Spent("h", "physical", "laptop", "2026-11-01", "2026-11-30", methods, modelled, seconds)


PAPER = Bounds(1.0, 2.0, 3.0)


def test_each_method_has_its_own_sum_and_its_own_machines() -> None:
    (line,) = lines(
        [
            Machine("m", "laptop", counted(rapl=10, modelled=100), PAPER),
            Machine("m", "laptop", counted(rapl=5, battery=7, modelled=50), PAPER),
            Machine("m", "laptop", None, PAPER),
            Machine("m", "laptop"),
        ]
    )
    assert line.machines == 4
    assert line.covered == {
        Method.RAPL: 2, Method.BATTERY: 1, Method.MODELLED: 2, Method.PAPER: 1, Method.NONE: 1,
    }  # fmt: skip
    assert line.joules == {
        Method.RAPL: Bounds(15, 15, 15), Method.BATTERY: Bounds(7, 7, 7),
        Method.MODELLED: Bounds(75, 150, 300), Method.PAPER: PAPER,
    }  # fmt: skip
    assert line.whole == Bounds(76, 152, 303)


def test_what_nothing_is_known_of_is_no_zero() -> None:
    line = total([Machine("m", "server")])
    assert line.covered == {Method.NONE: 1}
    assert line.joules == {}
    assert line.whole is None


def test_a_sensor_that_counted_for_no_time_covers_nothing() -> None:
    one = Spent("h", "physical", "laptop", "a", "b", {"rapl": 0.0}, None, {"rapl": 0.0})
    assert Machine("m", "laptop", one, PAPER).methods == {Method.PAPER}


def test_a_sensor_that_counted_nothing_for_a_time_covers_it_with_a_zero() -> None:
    one = Spent("h", "physical", "laptop", "a", "b", {"battery": 0.0}, None, {"battery": 9.0})
    line = total([Machine("m", "laptop", one, PAPER)])
    assert line.joules[Method.BATTERY] == Bounds(0, 0, 0)


def test_lines_are_by_member_and_kind_and_their_sum_is_the_total() -> None:
    machines = [
        Machine(whose, kind, counted(rapl=n), PAPER)
        for n, (whose, kind) in enumerate([("b", "laptop"), ("a", "server"), ("b", "laptop")])
    ]
    found = lines(machines)
    assert [(one.whose, one.kind, one.machines) for one in found] == [
        ("a", "server", 1), ("b", "laptop", 2),
    ]  # fmt: skip
    every = total(machines)
    assert every.joules[Method.RAPL].central == pytest.approx(
        sum(one.joules[Method.RAPL].central for one in found)
    )
