"""Look at many hosts, one session and one execution each. Chains fleet, observe and judge.

The first host of a class (same profile, checks and parameters) is the scout: what its checks ask
for is fetched in a few batches, and the commands so learnt are kept for all the others. A host
that differs fetches its own few and they are kept for it alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kitsurvie import judge
from kitsurvie.cli import reach, self_observation
from kitsurvie.cli.learnt import Learnt
from kitsurvie.cli.observer import Lists, as_observer, listed
from kitsurvie.cli.progress import Progress
from kitsurvie.cli.told import NOT_LISTED, SUPPORTED_RELEASE
from kitsurvie.energy import totals
from kitsurvie.errors import HostError
from kitsurvie.fleet.client import Fleet, Reply, Trouble
from kitsurvie.fleet.trouble import explain
from kitsurvie.ledger import Ledger, Outcome, Record
from kitsurvie.model import (
    Answer,
    Evidence,
    Host,
    Inventory,
    Item,
    Measure,
    Mode,
    Status,
    Verdict,
)
from kitsurvie.observe import answers, request
from kitsurvie.workspace import Workspace

STAMPS = "grep -rs '' /var/lib/kitsurvie/stamps"
RELEASE = '. /etc/os-release; echo "$ID $VERSION_ID"'
# the notes of tasks/reboot_wanted.yml, and Debian's own, each with the moment it was left
RESTART = (
    "find /run/kitsurvie/reboot-wanted /run/reboot-required -maxdepth 1 -type f "
    "-printf '%f %T@\\n' 2>/dev/null"
)
STANDING = (STAMPS, RELEASE, RESTART)
SUPPORTED = ("debian 12", "debian 13")

# a check that still asks for more after so many batches is asking without end
MOST_BATCHES = 20
COMMAND_S = 20.0
MOST_ANSWER_BYTES = 256 * 1024

# away: nothing is wrong with the kit there, the machine cannot be reached. One that lets us in and
# then does not answer is not away.
AWAY = frozenset({Trouble.UNREACHABLE, Trouble.TIMEOUT, Trouble.CLOSED})
# what an observer meets where the measure of that name is not in place
NOT_LET_LOOK = frozenset({Trouble.AUTHENTICATION, Trouble.SUDO, Trouble.MISSING})


@dataclass(frozen=True, slots=True)
class Look:
    """One host as it was just seen.

    `trouble` is empty, or says in a sentence why it could not be judged; `status` is then
    UNREACHABLE or ERROR, otherwise the worst of its verdicts. `stamps` are the digests found there,
    `release` its system, such as `debian 12`, `restart` who asks for a restart (a measure, or
    `debian`) and since when, `listed` the digest of the list of what an observer may ask, and
    `listed_own` that of what the machine asks itself.
    """

    host: str
    at: float
    status: Status
    verdicts: tuple[Verdict, ...] = ()
    evidence: Evidence | None = None
    stamps: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    release: str = ""
    restart: Mapping[str, float] = field(default_factory=dict)
    listed: str = ""
    listed_own: str = ""

    def record(self, state: Outcome, detail: str) -> Record:
        """The same, as the ledger takes it, with where the host stands after it."""
        counted = totals.reading(self.evidence, self.at)
        return Record(
            self.host, self.at, self.verdicts, self.evidence, state, detail, counted
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The checks of each measure, and the digest of their code."""

    checks: Mapping[str, tuple[judge.Check, ...]]
    digests: Mapping[str, str]


@dataclass(slots=True)
class _Visit:
    """One host under way: what is asked of it, what it has answered so far."""

    host: Host
    items: tuple[Item, ...]
    kind: str
    asked: tuple[str, ...]
    answers: dict[str, Answer] = field(default_factory=dict)
    batches: int = 0

    def evidence(self) -> Evidence:
        return Evidence(self.host.name, self.answers)


class Survey:
    """Looks at the hosts of a plan through one fleet, as often as asked."""

    def __init__(
        self,
        workspace: Workspace,
        inventory: Inventory,
        catalogue: Catalogue,
        ledger: Ledger,
        progress: Progress,
        *,
        observer: Path | None = None,
    ) -> None:
        """`observer` is the key of the account that may only look; without it one is oneself."""
        self._workspace = workspace
        self._inventory = inventory
        self._catalogue = catalogue
        self._observer = observer
        self._learnt = Learnt(workspace, ledger, believed=observer is not None)
        self._progress = progress
        self._memory = judge.Memory()
        self.lists = Lists(ledger)

    def look(self, plan: Mapping[str, tuple[Item, ...]]) -> Iterator[Look]:
        """See each host of the plan once; gives each as soon as it has been judged."""
        learnt = self._learnt.read()
        visits = {
            name: self._visit(self._inventory.hosts[name], items, learnt)
            for name, items in plan.items()
        }
        waiting: dict[str, list[_Visit]] = {}
        scouts: set[str] = set()
        with self._fleet(visits) as fleet:
            for visit in visits.values():
                if f"class:{visit.kind}" in learnt:
                    self._ask(fleet, visit, visit.asked)
                elif visit.kind in scouts:
                    waiting.setdefault(visit.kind, []).append(visit)
                else:
                    scouts.add(visit.kind)
                    self._ask(fleet, visit, visit.asked)
            for reply in fleet.replies():
                visit = visits[reply.host]
                look = self._take(fleet, visit, reply, learnt)
                if look is None:
                    continue
                fleet.finish(visit.host.name)
                self._progress.done(visit.host.name, look.status)
                self._release(fleet, visit.kind, waiting, learnt)
                yield look
        self._learnt.keep()

    def _release(
        self,
        fleet: Fleet,
        kind: str,
        waiting: dict[str, list[_Visit]],
        learnt: Mapping[str, tuple[str, ...]],
    ) -> None:
        """A scout is back: send the others; when it failed, one of them becomes the scout."""
        others = waiting.pop(kind, [])
        known = learnt.get(f"class:{kind}")
        if known is None and others:
            self._ask(fleet, others[0], others[0].asked)
            if others[1:]:
                waiting[kind] = others[1:]
            return
        for visit in others:
            visit.asked = _merged(known or (), visit.asked)
            self._ask(fleet, visit, visit.asked)

    def _visit(
        self, host: Host, items: tuple[Item, ...], learnt: Mapping[str, tuple[str, ...]]
    ) -> _Visit:
        judged = tuple(item for item in items if item.mode is not Mode.OFF)
        kind = self._kind(host, judged)
        known = learnt.get(f"class:{kind}", ())
        asked = _merged(STANDING, known, learnt.get(f"host:{host.name}", ()))
        return _Visit(host, judged, kind, asked)

    def _kind(self, host: Host, items: Iterable[Item]) -> str:
        digests = self._catalogue.digests
        parts = [host.profile.value, [[i.measure, digests[i.measure], i.params] for i in items]]
        canonical = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def _fleet(self, visits: Mapping[str, _Visit]) -> Fleet:
        targets = reach.targets(self._workspace, (visit.host for visit in visits.values()))
        if self._observer is not None:
            targets = [as_observer(target, self._observer) for target in targets]
        limits = reach.limits(self._workspace)
        return Fleet(targets, limits, self._workspace.known_hosts, self._progress.host)

    def _ask(self, fleet: Fleet, visit: _Visit, commands: Sequence[str]) -> None:
        visit.batches += 1
        visit.asked = tuple(commands)
        asked = request.build(
            visit.asked,
            command_s=COMMAND_S,
            deadline_s=self._workspace.observe_timeout_s,
            max_answer_bytes=MOST_ANSWER_BYTES,
            with_runner=self._observer is None,
        )
        command = request.COMMAND if self._observer is None else request.OBSERVER_COMMAND
        fleet.submit(visit.host.name, command, asked)

    def _take(
        self, fleet: Fleet, visit: _Visit, reply: Reply, learnt: dict[str, tuple[str, ...]]
    ) -> Look | None:
        """A host has answered: its verdicts, or None while more must be asked."""
        name = visit.host.name
        if reply.trouble is not None:
            away = reply.trouble in AWAY and not reply.logged_in
            status = Status.UNREACHABLE if away else Status.ERROR
            said = str(explain(reply))
            if self._observer is not None and reply.trouble in NOT_LET_LOOK:
                said = f"The observer may not look at {name}: kitsurvie deploy -l {name}. {said}"
            return Look(name, time.time(), status, trouble=said)
        try:
            answered = answers.decode(name, visit.asked, reply.stdout, reply.stderr)
        except HostError as error:
            return Look(name, time.time(), Status.ERROR, trouble=str(error))
        visit.answers.update(answered.answers)
        if any(visit.answers[command].flaw == "unlisted" for command in STANDING):
            old = f"{name} has an old list of what an observer may ask: kitsurvie deploy renews it."
            return Look(name, time.time(), Status.ERROR, trouble=old)
        if visit.answers[STAMPS].flaw:
            # without it every measure would look as if it had never been applied
            cut = f"{name} could not say which measures it carries. Look at its load and its disk."
            return Look(name, time.time(), Status.ERROR, trouble=cut)
        judgement = self._judge(visit.items, visit.evidence())
        if judgement.missing and visit.batches < MOST_BATCHES:
            self._ask(fleet, visit, judgement.missing)
            return None
        release = _release(visit.answers) if visit.items else ()
        verdicts = (*release, *judgement.verdicts, *self._endless(judgement))
        whole = not any(answer.flaw == "unlisted" for answer in visit.answers.values())
        if not release and whole:
            self._learn(visit, verdicts, learnt)
        status = worst(v.status for v in verdicts)
        return Look(
            name, time.time(), status, verdicts, visit.evidence(), stamps_of(visit.answers),
            release=release_of(visit.answers), restart=restarts_of(visit.answers),
            listed=listed(visit.answers),
            listed_own=listed(visit.answers, self_observation.LIST),
        )  # fmt: skip

    def judge_handed_in(
        self, host: str, items: tuple[Item, ...], evidence: Evidence, at: float
    ) -> Look:
        """What a host has said of itself at a moment, judged by today's checks.

        Of what it said, the answers that were read are kept, and no others: it chose them all.
        """
        if any(evidence.answers.get(one, _UNSAID).flaw for one in (STAMPS, RELEASE)):
            return _mute(host, at)
        return self.judge_again(host, items, evidence, at, NOT_LISTED)

    def judge_again(
        self, host: str, items: tuple[Item, ...], evidence: Evidence, at: float, unasked: str
    ) -> Look:
        """What a host answered at a moment, judged by today's checks; it can be asked no more.

        A check that lacks an answer is unknown, and `unasked` says why; the evidence of the look
        are the answers that were read.
        """
        judged = tuple(item for item in items if item.mode is not Mode.OFF)
        answered = evidence.answers
        if RELEASE in answered and answered[RELEASE].flaw:
            return _mute(host, at)
        # of a machine that was never asked what it is, no check knows whether it applies
        known = RELEASE in answered or not judged
        judgement = self._judge(judged, evidence) if known else judge.Judgement((), (RELEASE,))
        said = {(verdict.measure, verdict.check) for verdict in judgement.verdicts}
        unjudged = [
            Verdict(check.measure, check.name, Status.UNKNOWN, message=unasked)
            for item in judged
            for check in self._catalogue.checks[item.measure]
            if (check.measure, check.name) not in said
        ]
        release = _release(answered) if judged else ()
        if not known:
            release = (Verdict("kit", SUPPORTED_RELEASE, Status.UNKNOWN, message=unasked),)
        verdicts = (*release, *judgement.verdicts, *unjudged)
        read = _merged(STANDING, *(verdict.commands for verdict in verdicts))
        kept = {command: answered[command] for command in read if command in answered}
        return Look(
            host, at, worst(v.status for v in verdicts), verdicts, Evidence(host, kept),
            stamps_of(kept), release=release_of(kept), restart=restarts_of(kept),
        )  # fmt: skip

    def _judge(self, items: tuple[Item, ...], evidence: Evidence) -> judge.Judgement:
        checks = [c for item in items for c in self._catalogue.checks[item.measure]]
        release = release_of(evidence.answers)
        if release not in SUPPORTED:
            return _not_applicable(checks, release)
        params = {item.measure: item.params for item in items}
        return judge.judge(checks, params, evidence, self._memory)

    def _endless(self, judgement: judge.Judgement) -> tuple[Verdict, ...]:
        if not judgement.missing:
            return ()
        message = f"A check still asks for more after {MOST_BATCHES} batches: report it as a fault."
        return (Verdict("kit", "endless", Status.UNKNOWN, message=message),)

    def _learn(
        self, visit: _Visit, verdicts: Iterable[Verdict], learnt: dict[str, tuple[str, ...]]
    ) -> None:
        read = dict.fromkeys(command for verdict in verdicts for command in verdict.commands)
        self.lists.asked(visit.host.name, visit.kind, (*STANDING, *read))
        scope = f"class:{visit.kind}"
        if scope not in learnt:
            learnt[scope] = tuple(read)
            self._learnt.learn(scope, learnt[scope])
        own = tuple(command for command in read if command not in set(learnt[scope]))
        mine = f"host:{visit.host.name}"
        if own != learnt.get(mine, ()):
            learnt[mine] = own
            self._learnt.learn(mine, own)


def read_catalogue(measures: Iterable[Measure]) -> Catalogue:
    """Load the checks of these measures."""
    wanted = tuple(measures)
    return Catalogue(
        checks={m.id: judge.load(m) for m in wanted},
        digests={m.id: judge.read_digest(m) for m in wanted},
    )


_UNSAID = Answer(-1, b"", b"", "deadline")


def _mute(host: str, at: float) -> Look:
    """A host that answered, and did not even say what it is."""
    cut = f"{host} could not say what it is and carries. Look at its load and its disk."
    return Look(host, at, Status.ERROR, trouble=cut)


def stamps_of(answers: Mapping[str, Answer]) -> Mapping[str, str]:
    """The digests left on the host, by measure."""
    answer = answers.get(STAMPS)
    if answer is None:
        return {}
    found = {}
    for line in answer.stdout.decode("utf-8", "replace").splitlines():
        path, _, digest = line.partition(":")
        found[path.rpartition("/")[2]] = digest.strip()
    return found


def restarts_of(answers: Mapping[str, Answer]) -> Mapping[str, float]:
    """Who asks for a restart of the host, and since when, in seconds since 1970 by its clock."""
    answer = answers.get(RESTART)
    found = {}
    for line in (answer.stdout if answer else b"").decode("utf-8", "replace").splitlines():
        name, _, moment = line.rpartition(" ")
        with suppress(ValueError):
            found["debian" if name == "reboot-required" else name] = float(moment)
    return found


def release_of(answers: Mapping[str, Answer]) -> str:
    """The system of the host, such as `debian 12`; empty when it does not say."""
    answer = answers.get(RELEASE)
    return answer.stdout.decode("utf-8", "replace").strip() if answer is not None else ""


def _not_applicable(checks: Iterable[judge.Check], release: str) -> judge.Judgement:
    """No check is run on a system that none was proved on: what it finds there means nothing."""
    why = f"proved on {' and '.join(SUPPORTED)} only, not on {release or 'a system without a name'}"
    return judge.Judgement(
        tuple(
            Verdict(c.measure, c.name, Status.NOT_APPLICABLE, commands=(RELEASE,), message=why)
            for c in checks
        ),
        (),
    )


def _release(answers: Mapping[str, Answer]) -> tuple[Verdict, ...]:
    """A drift for a system the kit was not proved on: that its checks do not apply is not well."""
    found = release_of(answers)
    if found in SUPPORTED:
        return ()
    expected = " or ".join(SUPPORTED)
    return (Verdict("kit", SUPPORTED_RELEASE, Status.DRIFT, found, expected, (RELEASE,)),)


# from the one that must be read first to the one that needs no reading
_SEVERITY = (
    Status.ERROR,
    Status.UNREACHABLE,
    Status.DRIFT,
    Status.UNKNOWN,
    Status.WAIVED,
    Status.COMPLIANT,
    Status.NOT_APPLICABLE,
)


def worst(statuses: Iterable[Status]) -> Status:
    """The status a person should see first; COMPLIANT when there is none."""
    return min(statuses, key=_SEVERITY.index, default=Status.COMPLIANT)


def _merged(*lists: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(command for commands in lists for command in commands))
