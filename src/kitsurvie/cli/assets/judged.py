"""What `assets health` found: each machine with its findings, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kitsurvie.assets.devices import Device
from kitsurvie.assets.finding import URGENCY, Check, Finding, Limits
from kitsurvie.errors import ExitCode
from kitsurvie.model import Status

# in the order in which they are told
STATES = (Status.DRIFT, Status.UNKNOWN, Status.COMPLIANT, Status.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Judged:
    """A machine and what the checks that were asked for say of it.

    `blind` is whether no inventory says anything of its health today, whatever was asked for.
    """

    device: Device
    findings: tuple[Finding, ...]
    blind: bool

    @property
    def drifts(self) -> tuple[Finding, ...]:
        """What is to be mended, the most urgent first."""
        found = (one for one in self.findings if one.status is Status.DRIFT)
        return tuple(sorted(found, key=lambda one: URGENCY.index(one.check)))


@dataclass(frozen=True, slots=True)
class Health:
    """What was judged on a day, the worst first, and how many machines were not."""

    today: date
    limits: Limits
    judged: tuple[Judged, ...]
    other_kinds: int
    put_away: int

    @property
    def exit_code(self) -> int:
        """1 while something drifts; what is not known is no drift."""
        return int(ExitCode.DRIFT if any(one.drifts for one in self.judged) else 0)


def chosen(one: Judged, state: Status | None) -> list[Finding]:
    """The findings of a machine that are in a state; all of them when none is named."""
    return [found for found in one.findings if state is None or found.status is state]


def by_state(judged: Iterable[Judged]) -> Counter[tuple[Check, Status]]:
    """How many machines have each state of each check."""
    return Counter((found.check, found.status) for one in judged for found in one.findings)
