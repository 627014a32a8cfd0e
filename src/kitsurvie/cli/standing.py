"""Where a host stands, each state apart from the others, and how much of what was asked is met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from kitsurvie.ledger import Outcome
from kitsurvie.model import Status, Verdict


class Standing(StrEnum):
    """A host in a run. Only what answered is compliant, waived, in drift or not applicable.

    `waived`: nothing drifts but what a waiver covers. `not_applicable`: nothing could be judged
    there. `unknown`: a check had no whole answer. `absent`: it did not answer, and nobody expects
    it to be up. `unseen`: any machine that has not answered for longer than the syndicate allows,
    and an absent one that never did.
    """

    COMPLIANT = "compliant"
    WAIVED = "waived"
    DRIFT = "drift"
    FAILED = "failed"
    HELD = "held"
    PENDING = "pending"
    ERROR = "error"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    ABSENT = "absent"
    UNSEEN = "unseen"
    NOT_APPLICABLE = "not_applicable"


_SAME = {
    Outcome.DRIFT: Standing.DRIFT,
    Outcome.FAILED: Standing.FAILED,
    Outcome.HELD: Standing.HELD,
    Outcome.PENDING: Standing.PENDING,
}


def standing(
    state: Outcome,
    verdicts: Iterable[Verdict],
    *,
    expected_up: bool,
    days_unseen: float | None,
    most_days: int,
) -> Standing:
    """Where a host stands. `days_unseen` is None when it was never seen in the runs on record."""
    if state is Outcome.UNREACHABLE:
        if days_unseen is not None and days_unseen > most_days:
            return Standing.UNSEEN
        if expected_up:
            return Standing.UNREACHABLE
        return Standing.UNSEEN if days_unseen is None else Standing.ABSENT
    statuses = {verdict.status for verdict in verdicts}
    if state is Outcome.ERROR:
        only_unknown = Status.UNKNOWN in statuses and Status.ERROR not in statuses
        return Standing.UNKNOWN if only_unknown else Standing.ERROR
    if state is not Outcome.DONE:
        return _SAME[state]
    if Status.WAIVED in statuses:
        return Standing.WAIVED
    return Standing.COMPLIANT if Status.COMPLIANT in statuses else Standing.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Score:
    """The verdicts of some hosts, counted: `hosts` there are, of which `judged` have a verdict.

    A check that does not apply is not asked for, and a host without a verdict today has none to be
    counted: it lowers `judged` alone.
    """

    hosts: int
    judged: int
    counts: Counter[Status] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        """The checks that apply to the hosts that answered, whatever they said."""
        return sum(self.counts.values()) - self.counts[Status.NOT_APPLICABLE]

    @property
    def with_waivers(self) -> float | None:
        """The share that is compliant or waived, from 0 to 1; None when nothing was asked."""
        return self._share(self.counts[Status.COMPLIANT] + self.counts[Status.WAIVED])

    @property
    def without_waivers(self) -> float | None:
        """The share that is compliant, from 0 to 1; None when nothing was asked."""
        return self._share(self.counts[Status.COMPLIANT])

    def _share(self, met: int) -> float | None:
        return met / self.asked if self.asked else None


def score(hosts: Iterable[Iterable[Verdict]]) -> Score:
    """The score of hosts, given the verdicts of each."""
    counts: Counter[Status] = Counter()
    number = judged = 0
    for verdicts in hosts:
        mine = Counter(verdict.status for verdict in verdicts)
        counts += mine
        number += 1
        judged += bool(mine)
    return Score(number, judged, counts)


def percent(share: float | None) -> str:
    """A share in words: never 100 % before all of it is met."""
    # the whole of 0.29 is 28.999... in binary
    return "-" if share is None else f"{int(share * 100 + 1e-9)} %"
