"""A run as programs read it: the documented JSON (docs/reference/json.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from kitsurvie import kit
from kitsurvie.cli import acknowledged, rejudged
from kitsurvie.cli.standing import Score, Standing
from kitsurvie.cli.told import iso
from kitsurvie.cli.view import (
    HostView,
    RunView,
    attested,
    ending,
    exit_code,
    member_name,
    score_of,
    stand,
    standings,
    summary,
    unseen,
)
from kitsurvie.inventory import attestations
from kitsurvie.ledger import Past
from kitsurvie.model import Item, Measure, Status, Verdict, Waiver


def run_document(run: RunView) -> dict[str, Any]:
    """The run as the documented JSON says it (docs/reference/json.md)."""
    stands = standings(run)
    return {
        "run": run.id,
        "command": run.kind,
        "started": iso(run.started_at),
        "ended": iso(run.ended_at),
        "by": run.by_whom,
        "exit_code": int(exit_code(run)),
        "summary": summary(run.hosts),
        "standings": {one.value: stands[one] for one in Standing},
        "score": _score(score_of(run.hosts)),
        "members": _members(run),
        "waivers_ending": [waiver_document(one, run.day) for one in ending(run)],
        "unseen_days": run.unseen_days,
        "notes": [*([run.rejudged.opening] if run.rejudged else []), *run.notes],
        "rejudged": rejudged.document(run.rejudged) if run.rejudged else None,
        "hosts": [_host(view, run) for view in run.hosts],
    }


def _host(view: HostView, run: RunView) -> dict[str, Any]:
    return {
        "name": view.host.name,
        "address": view.host.address,
        "member": {"siren": view.host.member, "name": member_name(view, run.inventory)},
        "epci": view.host.epci,
        "insee": view.host.insee,
        "profile": view.host.profile.value,
        "state": view.state.value,
        "standing": stand(view, run).value,
        "expected_up": view.expected_up,
        "detail": view.detail,
        "seen": iso(view.at),
        "own_look": view.own,
        "last_seen": _last(view, run),
        "restart": _restart(view),
        "acknowledged": acknowledged.documents(view.acknowledged),
        "checks": [_check(view, v) for v in view.verdicts if v.measure == "kit"],
        "measures": [_measure(view, item, run.measures) for item in view.items],
    }


def _restart(view: HostView) -> dict[str, Any] | None:
    if view.restart is None and not view.restarted:
        return None
    wanted = view.restart
    return {
        "wanted_by": list(wanted.by) if wanted else [],
        "since": iso(wanted.since) if wanted else None,
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
        "checks": [_check(view, v) for v in view.verdicts if v.measure == item.measure],
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


def _check(view: HostView, verdict: Verdict) -> dict[str, Any]:
    waiver = view.waiver(verdict)
    return {
        "name": verdict.check,
        "status": verdict.status.value,
        "found": verdict.found,
        "expected": verdict.expected,
        "commands": list(verdict.commands),
        "message": verdict.message,
        "waiver": None if waiver is None else waiver_document(waiver, view.day),
    }


def waiver_document(waiver: Waiver, day: date) -> dict[str, Any]:
    """A waiver as the documents have it, with the days that it had left."""
    return {
        "measure": waiver.measure,
        "check": waiver.check or None,
        "scope": waiver.scope,
        "for": waiver.name,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "until": waiver.until.isoformat(),
        "ticket": waiver.ticket or None,
        "where": waiver.where,
        "days_left": (waiver.until - day).days,
    }


def _last(view: HostView, run: RunView) -> dict[str, Any] | None:
    days = unseen(view, run)
    if view.last is None or days is None:
        return None
    return {
        "at": iso(view.last.at),
        "run": view.last.run,
        "days": int(days),
        "checks": [_past(view, one) for one in view.last.verdicts],
    }


def _past(view: HostView, past: Past) -> dict[str, Any]:
    told = {"measure": past.verdict.measure, "seen": iso(past.at), "run": past.run}
    return {**told, **_check(view, past.verdict)}


def _score(of: Score) -> dict[str, Any]:
    counted = (
        Status.COMPLIANT, Status.WAIVED, Status.DRIFT, Status.ERROR, Status.UNKNOWN,
        Status.NOT_APPLICABLE,
    )  # fmt: skip
    return {
        "hosts": of.hosts,
        "hosts_judged": of.judged,
        **{status.value: of.counts[status] for status in counted},
        "with_waivers": of.with_waivers,
        "without_waivers": of.without_waivers,
    }


def _members(run: RunView) -> list[dict[str, Any]]:
    of: dict[str, list[HostView]] = {}
    for view in run.hosts:
        of.setdefault(view.host.member, []).append(view)
    found = []
    for siren, views in of.items():
        stands = Counter(stand(view, run) for view in views)
        rules = attested(run, siren)
        found.append(
            {
                "siren": siren,
                "name": member_name(views[0], run.inventory),
                "epci": views[0].host.epci,
                "standings": {one.value: stands[one] for one in Standing if stands[one]},
                "score": _score(score_of(views)),
                "attestations": {one.value: rules[one] for one in attestations.Standing}
                if rules
                else None,
            }
        )
    return found
