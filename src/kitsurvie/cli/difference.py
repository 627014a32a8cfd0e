"""What is new between two runs: drifts, mended ones, machines that fell silent or came back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from kitsurvie.cli.episodes import TROUBLES, Recurrent, episodes, recurrent
from kitsurvie.cli.told import DAY_S
from kitsurvie.errors import UsageError
from kitsurvie.inventory import waivers
from kitsurvie.inventory.waivers import Waivers
from kitsurvie.ledger import (
    Acknowledgement,
    Change,
    Interval,
    Ledger,
    Outcome,
    Run,
    RunState,
)
from kitsurvie.ledger.looks import OF_THE_MACHINE
from kitsurvie.model import Status, Verdict, Waiver

COMPLIANCE = "compliance"
_UNJUDGED = frozenset({Status.ERROR, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Entry:
    """One check of one host that changed.

    `since`: when what is told now began (for a mended one: when the trouble had begun); `run`: in
    which run that changed; `again`: how many times the measure drifted there lately, when that is
    often; `waiver`: the one under which it is waived, or under which it was.
    """

    host: str
    verdict: Verdict
    was: Status | None
    since: float
    run: int
    again: int = 0
    acknowledged: Acknowledgement | None = None
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """A machine that did not answer, or did and could not be judged, with when it last was."""

    host: str
    detail: str
    last: float | None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A machine of this run that the one before did not know, with what drifts there unwaived."""

    host: str
    drifts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from one run to a later one; `ending` are waivers that end soon.

    Waivers are read for the days of the two runs: a drift that is new and waived is no new drift,
    and one whose waiver ended between the two counts again (`waivers_over`).
    """

    before: Run
    after: Run
    hosts: int
    new_drifts: tuple[Entry, ...] = ()
    newly_waived: tuple[Entry, ...] = ()
    waivers_over: tuple[Entry, ...] = ()
    mended: tuple[Entry, ...] = ()
    new_troubles: tuple[Entry, ...] = ()
    no_longer_judged: tuple[Entry, ...] = ()
    newly_absent: tuple[Silent, ...] = ()
    newly_in_error: tuple[Silent, ...] = ()
    back: tuple[str, ...] = ()
    came: tuple[Newcomer, ...] = ()
    went: tuple[str, ...] = ()
    again: tuple[Recurrent, ...] = ()
    acknowledgements_over: tuple[Acknowledgement, ...] = ()
    ending: tuple[Waiver, ...] = ()
    runs: Mapping[int, Run] = field(default_factory=dict)


def choose(
    ledger: Ledger, before: int | None, after: int | None, since: date | None
) -> tuple[Run, Run]:
    """The two runs to compare, both come to their end.

    By default the newest compliance run over everything, and the newest of an earlier day that was
    asked for the same; failing such a day, the one before it.
    """
    if before is not None and since is not None:
        raise UsageError(
            "--from and --since both say where to begin.", remedy="Give one of the two."
        )
    last = _ended(ledger, after) if after is not None else _newest(_all_ended(ledger))
    if before is not None:
        first = _ended(ledger, before)
        if first.id >= last.id:
            raise UsageError(
                f"Run {first.id} is not earlier than run {last.id}.",
                remedy="Give the earlier one to --from, the later one to --to.",
            )
        return first, last
    earlier = before_it(ledger, last, since)
    if earlier is None:
        raise UsageError(
            f"There is no earlier compliance run to compare run {last.id} with.",
            remedy="Tomorrow there will be one; what stands today: kitsurvie compliance show",
        )
    return earlier, last


def before_it(ledger: Ledger, last: Run, since: date | None = None) -> Run | None:
    """The run to set a run against, when the ledger has one."""
    ended = [r for r in _all_ended(ledger) if r.id < last.id]
    same = [r for r in ended if _asked(r) == _asked(last)]
    # one of everything has an answer for whatever the last was asked for
    same = same or [r for r in ended if r.whole]
    if not same:
        return None
    if since is not None:
        begin = datetime.combine(since, datetime.min.time()).timestamp()
        return next((r for r in same if r.started_at < begin), same[-1])
    return next((r for r in same if _day(r) < _day(last)), same[0])


def _all_ended(ledger: Ledger) -> list[Run]:
    return [r for r in ledger.runs(COMPLIANCE, limit=None) if r.state is RunState.ENDED]


def _day(run: Run) -> date:
    return date.fromtimestamp(run.started_at)


def _newest(ended: list[Run]) -> Run:
    if not ended:
        raise UsageError(
            "No compliance run has come to its end yet.",
            remedy="Make one: kitsurvie compliance run",
        )
    return next((r for r in ended if r.whole), ended[0])


def _ended(ledger: Ledger, number: int) -> Run:
    run = ledger.run(number)
    if run.state is not RunState.ENDED:
        raise UsageError(
            f"Run {number} did not come to its end: what it had not seen would look as if it were "
            "unchanged.",
            remedy="Take another; they are listed by: kitsurvie compliance history",
        )
    return run


def _asked(run: Run) -> tuple[str, tuple[str, ...]]:
    return run.limit, tuple(sorted(run.measures))


def compare(
    ledger: Ledger,
    before: Run,
    after: Run,
    *,
    times: int,
    days: int,
    today: date,
    waived: Waivers | None = None,
) -> Difference:
    """What changed between two runs, per host and check.

    A machine that was not reached in one of them keeps what was last known of it: it is absent, and
    neither drift nor mended.
    """
    first, last = ledger.hosts(before.id), ledger.hosts(after.id)
    same = _asked(before) == _asked(after)
    came = [name for name in last if name not in first] if same else []
    changes = [c for c in ledger.changes(before.id, after.id) if c.host in last]
    old = [c for c in changes if c.host not in set(came)]
    said = ledger.acknowledgements()
    waiving = waived or Waivers()
    drifting = sorted({c.host for c in old if _is(c.after, Status.DRIFT)})
    often = _often(ledger, after, drifting, times=times, days=days)
    entries = _Entries(
        {(r.host, r.measure): r.times for r in often},
        {(a.host, a.measure, a.check): a for a in said if a.until >= today.isoformat()},
        waiving,
        _day(after),
    )
    away = [n for n, (state, _) in last.items() if state is Outcome.UNREACHABLE]
    newly_away = [n for n in away if first.get(n, (None,))[0] is not Outcome.UNREACHABLE]
    newly_wrong = [n for n in last if _wrong(last, n) and not _wrong(first, n)]
    seen = ledger.last_seen([*newly_away, *newly_wrong], after.id)

    def silent(names: Iterable[str]) -> tuple[Silent, ...]:
        return tuple(Silent(n, last[n][1], seen[n].at if n in seen else None) for n in names)

    drifts = [entries.of(c) for c in old if _newly_drifts(c)]
    begun = _day(before).isoformat()
    return Difference(
        before, after, len(last),
        new_drifts=tuple(one for one in drifts if one.waiver is None),
        newly_waived=tuple(one for one in drifts if one.waiver is not None),
        waivers_over=tuple(_counting_again(ledger, before, after, last, waiving, drifts)),
        mended=tuple(entries.of(c) for c in old if _mended(c)),
        new_troubles=tuple(entries.of(c) for c in old if _newly_unjudged(c)),
        no_longer_judged=tuple(entries.of(c) for c in old if _left(c)),
        newly_absent=silent(newly_away),
        newly_in_error=silent(newly_wrong),
        back=tuple(
            n for n, (state, _) in last.items()
            if first.get(n, (None,))[0] is Outcome.UNREACHABLE
            and state not in {Outcome.UNREACHABLE, Outcome.PENDING}
        ),
        came=tuple(
            Newcomer(n, tuple(
                c.after.verdict for c in changes
                if c.host == n and c.after is not None and _is(c.after, Status.DRIFT)
                and entries.waiver(n, c.after.verdict) is None
            )) for n in came
        ),
        went=tuple(n for n in first if n not in last) if same else (),
        again=often,
        acknowledgements_over=tuple(a for a in said if begun <= a.until < today.isoformat()),
        ending=tuple(
            one for one in waiving.ending(_day(after), last)
            if not after.measures or one.measure in after.measures
        ),
        runs={run.id: run for run in ledger.runs(limit=None, since=before.started_at)},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Entries:
    again: Mapping[tuple[str, str], int]
    acknowledged: Mapping[tuple[str, str, str], Acknowledgement]
    waivers: Waivers
    day: date

    def waiver(self, host: str, verdict: Verdict) -> Waiver | None:
        """The waiver that covers a drift on the day of the later run."""
        return waivers.under(self.waivers.of(host), verdict, self.day)

    def of(self, change: Change) -> Entry:
        """The change with what is told of it: of one that is over, what it was."""
        now, was = change.after, change.before
        drifts = _is(now, Status.DRIFT)
        told = now if now is not None and now.verdict.status in TROUBLES else was or now
        assert told is not None
        end = told.to_run if told is was else None
        before = change.between[-1] if change.between else was.verdict.status if was else None
        return Entry(
            change.host, told.verdict, before, told.from_at,
            end if end is not None else told.from_run,
            again=self.again.get((change.host, change.measure), 0) if drifts else 0,
            acknowledged=self.acknowledged.get((change.host, change.measure, change.check))
            if drifts else None,
            waiver=self.waiver(change.host, told.verdict) if drifts else None,
        )  # fmt: skip


def _counting_again(
    ledger: Ledger,
    before: Run,
    after: Run,
    hosts: Collection[str],
    waiving: Waivers,
    new: Iterable[Entry],
) -> Iterator[Entry]:
    """The drifts that were waived on the day of the first run, and are no longer."""
    over = [w for w in waiving.listed if _day(before) <= w.until < _day(after)]
    meant = {host for waiver in over for host in waiver.hosts if host in hosts}
    known = {(one.host, one.verdict.measure, one.verdict.check) for one in new}
    if not meant:
        return
    drifts = ledger.intervals(
        Status.DRIFT, until_run=after.id, hosts=meant, measures=after.measures or None
    )
    for held in drifts:
        verdict, mine = held.verdict, waiving.of(held.host)
        was = waivers.under(mine, verdict, _day(before))
        again = held.to_at is None and waivers.under(mine, verdict, _day(after)) is None
        if was and again and (held.host, verdict.measure, verdict.check) not in known:
            yield Entry(held.host, verdict, Status.WAIVED, held.from_at, held.from_run, waiver=was)


def _often(
    ledger: Ledger, after: Run, hosts: list[str], *, times: int, days: int
) -> tuple[Recurrent, ...]:
    """The measures that drift again and again on the machines that have a new drift."""
    if not hosts:
        return ()
    since = after.started_at - days * DAY_S
    held = ledger.intervals(*TROUBLES, since=since, until_run=after.id, hosts=hosts, said=False)
    return recurrent(episodes(held), times=times, since=since)


def _is(interval: Interval | None, status: Status) -> bool:
    return interval is not None and interval.verdict.status is status


def _troubled(interval: Interval | None) -> bool:
    return interval is not None and interval.verdict.status in TROUBLES


def _newly_drifts(change: Change) -> bool:
    """Drifts and did not, or was mended meanwhile and drifts anew."""
    anew = Status.COMPLIANT in change.between
    return _is(change.after, Status.DRIFT) and (anew or not _is(change.before, Status.DRIFT))


def _mended(change: Change) -> bool:
    """Was in trouble and is compliant. The machine's own checks are made when they drift alone."""
    if not _troubled(change.before):
        return False
    gone = change.after is None and change.measure == OF_THE_MACHINE
    return gone or _is(change.after, Status.COMPLIANT)


def _newly_unjudged(change: Change) -> bool:
    was = change.before
    return (
        change.after is not None
        and change.after.verdict.status in _UNJUDGED
        and (was is None or was.verdict.status not in _UNJUDGED)
    )


def _left(change: Change) -> bool:
    """Was in trouble and is no longer asked, or no longer applies: nobody has mended it."""
    return _troubled(change.before) and not _mended(change) and not _troubled(change.after)


def _wrong(hosts: Mapping[str, tuple[Outcome, str]], name: str) -> bool:
    """Whether a machine answered and could not be judged at all; its detail says why."""
    state, detail = hosts.get(name, (Outcome.PENDING, ""))
    return state is Outcome.ERROR and bool(detail)
