"""A run as people and programs read it: hosts with their member, state, drifts and outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from kitsurvie.cli import acknowledged, rejudged, self_observation, told
from kitsurvie.cli.rejudged import Rejudgement
from kitsurvie.cli.standing import Score, Standing, score, standing
from kitsurvie.cli.told import DAY_S, NOT_LISTED
from kitsurvie.converge import Play
from kitsurvie.errors import ExitCode
from kitsurvie.inventory import Statements, attestations, waivers
from kitsurvie.ledger import Acknowledgement, LastSeen, Ledger, Outcome, Seen
from kitsurvie.model import Host, Inventory, Item, Measure, Profile, Status, Verdict, Waiver
from kitsurvie.plan import Due, Restart, restart

if TYPE_CHECKING:
    # what looks at hosts is not read by who only reads the ledger
    from kitsurvie.cli.survey import Look


@dataclass(slots=True)
class HostView:
    """Where one host stands at this moment of a run; `held` says why a due measure has to wait.

    `verdicts` and `state` are as the `waivers` of this host have them on that `day`; what the
    ledger keeps is `recorded`. `own`: they are of a look that the machine made at itself. `last` is
    what was known of a host that did not answer, `acknowledged` who answers for its drifts today.
    """

    host: Host
    items: tuple[Item, ...]
    state: Outcome = Outcome.PENDING
    detail: str = ""
    at: float | None = None
    verdicts: tuple[Verdict, ...] = ()
    due: tuple[Due, ...] = ()
    held: dict[str, str] = field(default_factory=dict)
    plays: dict[str, Play] = field(default_factory=dict)
    release: str = ""
    restart: Restart | None = None
    restarted: bool = False
    waivers: tuple[Waiver, ...] = ()
    day: date = field(default_factory=date.today)
    last: LastSeen | None = None
    acknowledged: tuple[Acknowledgement, ...] = ()
    own: bool = False

    @property
    def recorded(self) -> Outcome:
        """The state as the ledger keeps it: a drift is one there, waived or not."""
        waived = any(verdict.status is Status.WAIVED for verdict in self.verdicts)
        return Outcome.DRIFT if self.state is Outcome.DONE and waived else self.state

    @property
    def restarts(self) -> bool:
        """Whether this machine asks for a restart that a deployment may give it."""
        return self.restart is not None and not self.restart.left

    @property
    def ready(self) -> tuple[Due, ...]:
        """What is due and may be applied now."""
        return tuple(one for one in self.due if one.measure not in self.held)

    @property
    def left_for_later(self) -> str:
        """Which of the due measures wait, and why, in words; empty when none does."""
        whys: dict[str, list[str]] = {}
        for measure, why in self.held.items():
            whys.setdefault(why, []).append(measure)
        if not self.ready and len(whys) == 1:
            return f"left for later: {next(iter(whys))}"
        said = "; ".join(f"{', '.join(names)}: {why}" for why, names in whys.items())
        return f"left for later: {said}" if said else ""

    @property
    def expected_up(self) -> bool:
        """Whether a nightly run may expect this machine to answer."""
        return expected_up(self.host)

    def take(self, look: Look, *, own: bool = False) -> None:
        """What was just seen of this host; `state` says whether it could be judged."""
        self.own = own
        self.verdicts = tuple(map(self.told, look.verdicts))
        self.detail, self.release = look.trouble, look.release
        self.restart = restart(self.host, self.items, look.restart)
        self.at = look.at if look.evidence is not None else None
        if look.trouble:
            away = look.status is Status.UNREACHABLE
            self.state = Outcome.UNREACHABLE if away else Outcome.ERROR
        else:
            self.state = state_of(self._counted(), ())

    def recall(self, state: Outcome, detail: str, seen: Seen | None, *, own: bool = False) -> None:
        """What a past run recorded of this host."""
        self.state, self.detail, self.own = state, detail, own
        if seen is not None:
            self.verdicts = tuple(map(self.told, seen.verdicts))
            self.at = seen.at if seen.evidence is not None else None
            if state in {Outcome.DONE, Outcome.DRIFT}:
                self.state = state_of(self._counted(), ())

    def _counted(self) -> tuple[Verdict, ...]:
        # what the list of a machine is too old for speaks of the list, not of the machine
        if not self.own:
            return self.verdicts
        return tuple(one for one in self.verdicts if one.message != NOT_LISTED)

    def waiver(self, verdict: Verdict) -> Waiver | None:
        """The waiver that speaks of a drift of this host, over or not."""
        if verdict.status not in {Status.DRIFT, Status.WAIVED}:
            return None
        return waivers.covering(self.waivers, verdict.measure, verdict.check, self.day)

    def told(self, verdict: Verdict) -> Verdict:
        """The verdict as the waivers have it: only a drift is ever waived."""
        held = waivers.under(self.waivers, verdict, self.day)
        return verdict if held is None else replace(verdict, status=Status.WAIVED)


def expected_up(host: Host) -> bool:
    """Whether a nightly run may expect a machine to answer.

    Unless the inventory says: laptops live elsewhere, and who observes itself sleeps at night.
    """
    said = host.variables.get("kit__expected_up")
    if said is not None:
        return bool(said)
    return host.profile is not Profile.LAPTOP and not self_observation.declared(host)


def remember(ledger: Ledger, views: Iterable[HostView], newest: int | None = None) -> None:
    """Give hosts what the ledger knows besides the run: who answers for their drifts today.

    Of those that did not answer in it, also what the runs up to `newest` know.
    """
    known = {view.host.name: view for view in views}
    for name, said in acknowledged.today(ledger).items():
        if name in known:
            known[name].acknowledged = said
    silent = [name for name, view in known.items() if view.at is None]
    for name, last in ledger.last_seen(silent, newest).items():
        view = known[name]
        view.last = replace(
            last,
            verdicts=tuple(replace(one, verdict=view.told(one.verdict)) for one in last.verdicts),
        )


@dataclass(frozen=True, slots=True)
class RunView:
    """A whole run. `kind` is deploy, compliance or plan; `broken`: it did not run through.

    With `measures` the document also says what every variable is and where that comes from.
    `statements` are the waivers and attestations of the workspace, `rules` those to attest, `day`
    the one they are read for; a machine unseen for more than `unseen_days` is named for it.
    `rejudged`: its verdicts are not those of the run, but were made again of its answers.
    """

    id: int
    kind: str
    started_at: float
    ended_at: float
    by_whom: str
    hosts: tuple[HostView, ...]
    inventory: Inventory
    notes: tuple[str, ...] = ()
    broken: bool = False
    measures: Mapping[str, Measure] = field(default_factory=dict)
    statements: Statements = field(default_factory=Statements)
    rules: tuple[str, ...] = ()
    unseen_days: int = 30
    rejudged: Rejudgement | None = None

    @property
    def day(self) -> date:
        """The day of the run, where the syndicate is; of one judged again that of the judgement."""
        return date.fromtimestamp(self.rejudged.at if self.rejudged else self.started_at)


def exit_code(run: RunView) -> ExitCode:
    """2 beats 3 beats 1. A machine that nobody expects to be up does not count at night.

    Neither does one that was not seen for a long time: it is named, and nothing is said of it.
    """
    if run.broken:
        return ExitCode.CONFIGURATION
    states = []
    for view in run.hosts:
        absent = view.state is Outcome.UNREACHABLE and not view.expected_up
        if not (absent and run.kind == "compliance"):
            states.append(view.state)
    unasked = run.rejudged is not None and run.rejudged.of(rejudged.Kind.NOT_ASKED)
    if unasked or any(state in {Outcome.UNREACHABLE, Outcome.ERROR} for state in states):
        return ExitCode.HOSTS
    if any(state is not Outcome.DONE for state in states):
        return ExitCode.DRIFT
    return ExitCode.COMPLIANT


def state_of(verdicts: Iterable[Verdict], due: Iterable[Due]) -> Outcome:
    """Where a host stands from its verdicts alone."""
    statuses = {verdict.status for verdict in verdicts}
    if statuses & {Status.ERROR, Status.UNKNOWN}:
        return Outcome.ERROR
    if Status.DRIFT in statuses or tuple(due):
        return Outcome.DRIFT
    return Outcome.DONE


def stand(view: HostView, run: RunView) -> Standing:
    """Where a host of a run stands, absent and unseen told apart."""
    return standing(
        view.state, view.verdicts, expected_up=view.expected_up, days_unseen=unseen(view, run),
        most_days=run.unseen_days,
    )  # fmt: skip


def unseen(view: HostView, run: RunView) -> float | None:
    """For how many days, at the time of the run, a host that did not answer has not been seen."""
    return None if view.last is None else max(run.started_at - view.last.at, 0.0) / DAY_S


def standings(run: RunView) -> Counter[Standing]:
    """How many hosts stand how."""
    return Counter(stand(view, run) for view in run.hosts)


def score_of(views: Iterable[HostView]) -> Score:
    """The score of these hosts, from what they answered in this run alone."""
    return score(view.verdicts for view in views)


def attested(run: RunView, siren: str) -> Counter[attestations.Standing]:
    """How many of the rules to attest stand how at a member; empty when nobody attests any."""
    member = run.inventory.members.get(siren)
    if member is None or not run.statements.attestations.listed:
        return Counter()
    stands = run.statements.attestations.of(member, run.rules, run.day)
    return Counter(how for how, _ in stands.values())


def ending(run: RunView) -> tuple[Waiver, ...]:
    """The waivers of a host and a measure of the run that end soon, soonest first."""
    names = {view.host.name for view in run.hosts}
    measures = {"kit", *(item.measure for view in run.hosts for item in view.items)}
    soon = run.statements.waivers.ending(run.day, names)
    return tuple(waiver for waiver in soon if waiver.measure in measures)


def summary(hosts: Iterable[HostView]) -> dict[str, int]:
    """How many hosts are in each state; every state is there, zero included."""
    counts = {state.value: 0 for state in Outcome}
    for view in hosts:
        counts[view.state.value] += 1
    return counts


def member_name(view: HostView, inventory: Inventory) -> str:
    """The member's name, its SIREN when the inventory names none."""
    return told.member_name(inventory, view.host.member)
