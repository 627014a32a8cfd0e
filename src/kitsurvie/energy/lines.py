"""The machines of a fleet with what is known of their energy, summed by whose and what they are.

Measured and modelled are kept apart and never added: the processors alone, the whole machine on its
battery, and a model of the whole machine are three answers to three questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from kitsurvie.energy.spent import Spent

JOULES_PER_KWH = 3_600_000.0


class Method(StrEnum):
    """How the energy of a machine is known."""

    RAPL = "rapl"  # measured: its processors, for as long as the probe counted
    BATTERY = "battery"  # measured: all of it, while it ran on its battery
    MODELLED = "modelled"  # by the probe, for the time that it was on
    PAPER = "paper"  # by its kind and the working days of the period
    NONE = "none"


class Bounds(NamedTuple):
    """Low, central and high of one figure; of what was measured all three are the same."""

    low: float
    central: float
    high: float

    def plus(self, other: Bounds) -> Bounds:
        """The sum."""
        return Bounds(*(one + two for one, two in zip(self, other, strict=True)))

    def times(self, other: Bounds) -> Bounds:
        """The product of two that are not below zero."""
        return Bounds(*(one * two for one, two in zip(self, other, strict=True)))


NOTHING = Bounds(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: `whose` and `kind` are what it is summed by, `paper` its joules on paper.

    `spent` is what its probe counted, None without a reading in the period. One that has no energy
    of its own (virtual, a container) is no machine here.
    """

    whose: str
    kind: str
    spent: Spent | None = None
    paper: Bounds | None = None

    @property
    def methods(self) -> frozenset[Method]:
        """Every method that says something of it; on paper only what no probe models."""
        found = {Method(one) for one in self.spent.covered} if self.spent else set()
        if Method.MODELLED not in found and self.paper is not None:
            found.add(Method.PAPER)
        return frozenset(found or {Method.NONE})

    def joules(self, method: Method) -> Bounds | None:
        """What one method says of it."""
        if method not in self.methods:
            return None
        if method is Method.PAPER:
            return self.paper
        if self.spent is None:
            return None
        if method is Method.MODELLED:
            return Bounds(*self.spent.modelled) if self.spent.modelled else None
        measured = self.spent.joules.get(method.value)
        return None if measured is None else Bounds(measured, measured, measured)


@dataclass(slots=True)
class Line:
    """Some machines together: how many, and by method of how many what is known, in joules."""

    whose: str
    kind: str
    machines: int = 0
    covered: dict[Method, int] = field(default_factory=dict)
    joules: dict[Method, Bounds] = field(default_factory=dict)

    def take(self, machine: Machine) -> None:
        """Count one more."""
        self.machines += 1
        for method in machine.methods:
            self.covered[method] = self.covered.get(method, 0) + 1
            if (more := machine.joules(method)) is not None:
                self.joules[method] = self.joules.get(method, NOTHING).plus(more)

    @property
    def whole(self) -> Bounds | None:
        """Joules of the whole machines: as their probes model them, on paper where none does."""
        parts = [self.joules[one] for one in (Method.MODELLED, Method.PAPER) if one in self.joules]
        if not parts:
            return None
        sums = NOTHING
        for one in parts:
            sums = sums.plus(one)
        return sums


def lines(machines: Iterable[Machine]) -> tuple[Line, ...]:
    """The machines by whose and what they are, in that order."""
    found: dict[tuple[str, str], Line] = {}
    for one in machines:
        key = one.whose, one.kind
        found.setdefault(key, Line(*key)).take(one)
    return tuple(found[key] for key in sorted(found))


def total(machines: Iterable[Machine]) -> Line:
    """All of them together."""
    line = Line("", "")
    for one in machines:
        line.take(one)
    return line
