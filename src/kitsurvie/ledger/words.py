"""What the ledger gives back: runs, looks, verdicts with their time, acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from kitsurvie.model import Evidence, Reading, Status, Verdict


class RunState(StrEnum):
    """How a run stands. One still `running` with nobody holding its lock was cut short."""

    RUNNING = "running"
    ENDED = "ended"
    INTERRUPTED = "interrupted"


class Outcome(StrEnum):
    """Where one host stands in a run."""

    PENDING = "pending"
    DONE = "done"
    DRIFT = "drift"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the ledger has it; times are seconds since the epoch."""

    id: int
    kind: str
    state: RunState
    by_whom: str
    options: Mapping[str, Any]
    started_at: float
    ended_at: float | None

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures it was asked for alone; none when it was asked for all."""
        return tuple(self.options.get("measures") or ())

    @property
    def limit(self) -> str:
        """The host pattern it was narrowed to; empty when it was meant for every host."""
        pattern = str(self.options.get("limit") or "").strip()
        return "" if pattern in ("all", "*") else pattern

    @property
    def whole(self) -> bool:
        """Whether it was meant for every host and every measure."""
        return not self.limit and not self.measures


@dataclass(frozen=True, slots=True)
class Seen:
    """One host as it was last looked at in a run.

    `evidence` is the address of what it answered (None: it did not answer), which may have been
    pruned since.
    """

    host: str
    at: float
    verdicts: tuple[Verdict, ...]
    evidence: bytes | None


@dataclass(frozen=True, slots=True)
class Record:
    """One look at one host, to be written, and where the host stands in the run after it.

    `evidence` is None when the host gave none, `reading` when it has no probe that counts.
    """

    host: str
    at: float
    verdicts: tuple[Verdict, ...]
    evidence: Evidence | None
    state: Outcome
    detail: str = ""
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """One verdict of an earlier run, and when its answers came in."""

    verdict: Verdict
    at: float
    run: int


@dataclass(frozen=True, slots=True)
class LastSeen:
    """When a host last answered, in which run, and the newest verdict of each of its checks."""

    at: float
    run: int
    verdicts: tuple[Past, ...]


class Interval(NamedTuple):
    """A verdict on a host from one look to another; `to_*` are None while it stands.

    Looks are numbered in the order in which they were written: two intervals of one check touch
    when the end of the first is the beginning of the second. A tuple, since a year of nights has a
    hundred thousand of them and a frozen dataclass takes three times as long to make.
    """

    host: str
    verdict: Verdict
    from_look: int
    from_run: int
    from_at: float
    to_look: int | None
    to_run: int | None
    to_at: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """One check of one host that does not stand after a run as it stood after an earlier one.

    None where there was no verdict: it had not been asked before, or is no longer. `between` are
    the statuses it had meanwhile.
    """

    host: str
    measure: str
    check: str
    before: Interval | None
    after: Interval | None
    between: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who answers for a drift, why, and until which day (ISO, that day included)."""

    host: str
    measure: str
    check: str
    by_whom: str
    reason: str
    until: str
    made_at: float


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: runs begun at `verdicts_from` or later, the evidence of those `evidence_from`.

    Seconds since the epoch, by the clock of the machine that made the runs.
    """

    verdicts_from: float
    evidence_from: float


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken away, in rows; `answers_bytes` are those of the evidence, as stored."""

    looks: int = 0
    intervals: int = 0
    runs: int = 0
    run_hosts: int = 0
    outcomes: int = 0
    acknowledgements: int = 0
    contents: int = 0
    answers: int = 0
    answers_bytes: int = 0
    readings: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands of the runs and of the register: the same again while nothing of it changed."""

    runs: str
    register: str


class LastLook(NamedTuple):
    """The newest look at a host, where the host stood in its run after it, and if it answered.

    `seen_at` is when the host last answered, None when it never did.
    """

    run: int
    at: float
    state: Outcome
    answered: bool
    seen_at: float | None


class Tally(NamedTuple):
    """So many checks of a measure that have a status on a host now."""

    host: str
    measure: str
    status: Status
    checks: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over, and how many of its hosts stand how; times as in `Run`."""

    kind: str
    started_at: float
    ended_at: float
    hosts: Mapping[Outcome, int]
