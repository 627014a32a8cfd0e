"""A run as people and programs read it: hosts with their member, state, drifts and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kitsurvie import kit
from kitsurvie.cli import acknowledged
from kitsurvie.cli.survey import Look
from kitsurvie.converge import Play
from kitsurvie.errors import ExitCode
from kitsurvie.ledger import Acknowledgement, Outcome
from kitsurvie.model import Host, Inventory, Item, Measure, Profile, Status, Verdict
from kitsurvie.plan import Due, Restart, restart


@dataclass(slots=True)
class HostView:
    """Where one host stands at this moment of a run; `held` says why a due measure has to wait."""

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
    acknowledged: tuple[Acknowledgement, ...] = ()

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
        """Whether a nightly run may expect this machine to answer; laptops live elsewhere."""
        return bool(
            self.host.variables.get("kit__expected_up", self.host.profile is not Profile.LAPTOP)
        )

    def take(self, look: Look) -> None:
        """What was just seen of this host; `state` says whether it could be judged."""
        self.verdicts, self.detail, self.release = look.verdicts, look.trouble, look.release
        self.restart = restart(self.host, self.items, look.restart)
        self.at = look.at if look.evidence is not None else None
        if look.trouble:
            away = look.status is Status.UNREACHABLE
            self.state = Outcome.UNREACHABLE if away else Outcome.ERROR
        else:
            self.state = state_of(look.verdicts, ())


@dataclass(frozen=True, slots=True)
class RunView:
    """A whole run. `kind` is deploy, compliance or plan; `broken`: it did not run through.

    With `measures` the document also says what every variable is and where that comes from.
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


def exit_code(run: RunView) -> ExitCode:
    """2 beats 3 beats 1. A machine that nobody expects to be up does not count at night."""
    if run.broken:
        return ExitCode.CONFIGURATION
    states = []
    for view in run.hosts:
        absent = view.state is Outcome.UNREACHABLE and not view.expected_up
        if not (absent and run.kind == "compliance"):
            states.append(view.state)
    if any(state in {Outcome.UNREACHABLE, Outcome.ERROR} for state in states):
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


def document(run: RunView) -> dict[str, Any]:
    """The run as the documented JSON says it (docs/reference/json.md)."""
    return {
        "run": run.id,
        "command": run.kind,
        "started": _iso(run.started_at),
        "ended": _iso(run.ended_at),
        "by": run.by_whom,
        "exit_code": int(exit_code(run)),
        "summary": summary(run.hosts),
        "notes": list(run.notes),
        "hosts": [_host(view, run) for view in run.hosts],
    }


def summary(hosts: Iterable[HostView]) -> dict[str, int]:
    """How many hosts are in each state; every state is there, zero included."""
    counts = {state.value: 0 for state in Outcome}
    for view in hosts:
        counts[view.state.value] += 1
    return counts


def member_name(view: HostView, inventory: Inventory) -> str:
    """The member's name, its SIREN when the inventory names none."""
    member = inventory.members.get(view.host.member)
    return member.name if member else view.host.member


def _host(view: HostView, run: RunView) -> dict[str, Any]:
    return {
        "name": view.host.name,
        "address": view.host.address,
        "member": {"siren": view.host.member, "name": member_name(view, run.inventory)},
        "epci": view.host.epci,
        "insee": view.host.insee,
        "profile": view.host.profile.value,
        "state": view.state.value,
        "detail": view.detail,
        "seen": _iso(view.at),
        "restart": _restart(view),
        "acknowledged": acknowledged.documents(view.acknowledged),
        "checks": [_check(v) for v in view.verdicts if v.measure == "kit"],
        "measures": [_measure(view, item, run.measures) for item in view.items],
    }


def _restart(view: HostView) -> dict[str, Any] | None:
    if view.restart is None and not view.restarted:
        return None
    wanted = view.restart
    return {
        "wanted_by": list(wanted.by) if wanted else [],
        "since": _iso(wanted.since) if wanted else None,
        "left": wanted.left if wanted else "",
        "done": view.restarted,
    }


def _measure(view: HostView, item: Item, measures: Mapping[str, Measure]) -> dict[str, Any]:
    play = view.plays.get(item.measure)
    due = next((one for one in view.due if one.measure == item.measure), None)
    known = measures.get(item.measure)
    told = {} if known is None else {"variables": [_value(v) for v in kit.values(known, view.host)]}
    return {
        "id": item.measure,
        "mode": item.mode.value,
        "off_reason": item.reason,
        "off_until": item.until or None,
        "due": due.why if due else "",
        "action": due.action.value if due else None,
        "held": view.held.get(item.measure, ""),
        "ansible": None
        if play is None
        else {
            "state": play.state.value,
            "task": play.task,
            "message": play.message,
            "changes": list(play.changes),
        },
        "checks": [_check(v) for v in view.verdicts if v.measure == item.measure],
        **told,
    }


def _value(one: kit.Value) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": one.value,
        "default": one.default,
        "scope": one.origin.scope.value,
        "set_for": one.origin.name,
        "where": one.origin.where,
    }


def _check(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.check,
        "status": verdict.status.value,
        "found": verdict.found,
        "expected": verdict.expected,
        "commands": list(verdict.commands),
        "message": verdict.message,
    }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()
