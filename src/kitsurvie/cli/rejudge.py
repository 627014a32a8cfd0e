"""`kitsurvie compliance rejudge`: today's checks over what hosts answered on a past night."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from kitsurvie import kit
from kitsurvie.cli import context as contexts
from kitsurvie.cli import handed_in, output, outputs, progress, rejudged, told, unjudged, view
from kitsurvie.cli.options import Json, Limit, Measures, RunNumber, Workspace
from kitsurvie.cli.outputs import Lang, Outputs
from kitsurvie.cli.recording import opened, past_run
from kitsurvie.cli.rejudged import NOT_ASKED, Rejudgement
from kitsurvie.cli.survey import Look, Survey, read_catalogue
from kitsurvie.cli.unjudged import Found
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Ledger, Outcome, Run, Seen
from kitsurvie.ledger.looks import OF_THE_MACHINE
from kitsurvie.model import Mode, Verdict
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find


def rejudge(
    run: RunNumber = None,
    limit: Limit = None,
    measure: Measures = None,
    json: Json = False,
    to: Outputs = None,
    lang: Lang = None,
    workspace: Workspace = None,
) -> int:
    """Judge a past run again, with today's checks, variables and waivers; no host is asked.

    From what the hosts answered then, for as long as that is kept. Nothing is recorded: a
    judgement is no look. What was not asked that night is unknown.

    Without --run, what machines have handed in since the newest run is judged too.

    Exit code: 0 all compliant but what is waived, 1 drift, 2 configuration, 3 hosts that should
    have been up gave no answer or it is no longer kept, or a check is in error or was not asked.
    """
    asked_for = outputs.asked(to, json=json, lang=lang)
    if asked_for.wants(outputs.Format.PROMETHEUS):
        raise UsageError(
            "A judgement is no look: alerts would take what was seen then for what is.",
            remedy="Give it another format; the newest run is written by: kitsurvie compliance "
            "show --output prometheus=PATH",
        )
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        past = past_run(ledger, run)
        states = _states(ledger, past)
        measures, notes = _measures(place, past, measure or [])
        world = contexts.prepare(place.root, limit, measures)
        world = replace(world, hosts=tuple(h for h in world.hosts if h.name in states))
        _refuse_nobody(world, past, limit)
        found = _judge_all(ledger, past, states, world, newest=run is None)
        view.remember(ledger, found.views, past.id)
        not_judged = unjudged.unjudged(ledger, found, past)
        if len(not_judged) == len(found.views):
            raise unjudged.nothing_left(ledger, past, place, found)
        notes += unjudged.notes(ledger, past, states, world, limit, found)
    now = time.time()
    again = Rejudgement(now, opening(past, now), tuple(found.otherwise), tuple(not_judged))
    notes.append(rejudged.summary(again))
    shown = view.RunView(
        past.id, past.kind, past.started_at, past.ended_at or past.started_at, past.by_whom,
        tuple(found.views), world.inventory, tuple(notes), rejudged=again, **world.stated,
    )  # fmt: skip
    return outputs.report(shown, asked_for, world.measures)


def opening(past: Run, now: float) -> str:
    """What this is, in a sentence."""
    return (
        f"Run {past.id} of {told.day(past.started_at)}, judged again on {told.day(now)} with "
        "today's checks, inventory variables and waivers. No host was asked, nothing was recorded."
    )


def _states(ledger: Ledger, past: Run) -> Mapping[str, tuple[Outcome, str]]:
    states = ledger.hosts(past.id)
    if not states:
        raise UsageError(
            f"Run {past.id} ({past.kind}) looked at no host: there is nothing to judge again.",
            remedy="Take another; they are listed by: kitsurvie compliance history",
        )
    return states


def _measures(place: Place, past: Run, asked: list[str]) -> tuple[list[str], list[str]]:
    """The measures to judge, and what there is to say of them: those the run was made for."""
    if not past.measures:
        return asked, []
    others = [name for name in asked if name not in past.measures]
    if others:
        raise UsageError(
            f"Run {past.id} was made for {', '.join(past.measures)} alone, not for "
            f"{', '.join(others)}: it has no answers for that.",
            remedy="Take a run of every measure; they are listed by: kitsurvie compliance history",
        )
    known = kit.load(place.roles)
    gone = [name for name in past.measures if name not in known]
    left = [name for name in asked or past.measures if name in known]
    if not left:
        raise UsageError(
            f"Run {past.id} was made for {', '.join(past.measures)} alone, and the kit has no such "
            "measure any more.",
            remedy="Take a run of every measure; they are listed by: kitsurvie compliance history",
        )
    notes = [f"Run {past.id} was made for {', '.join(past.measures)} alone: so is this."]
    notes += [f"No longer in the kit: {', '.join(gone)}."] if gone else []
    return left, notes


def _refuse_nobody(world: contexts.Context, past: Run, limit: str | None) -> None:
    if world.hosts:
        return
    if limit is None:
        what = f"No host of run {past.id} is in the inventory any more: its variables are unknown."
        remedy = "What was said then is shown by: kitsurvie compliance show --run {past.id} --json"
    else:
        what = f"Run {past.id} has not looked at a host that --limit {limit!r} means."
        remedy = "Its hosts are listed by: kitsurvie compliance show --run {past.id}"
    raise UsageError(what, remedy=remedy.format(past=past))


def _judge_all(
    ledger: Ledger,
    past: Run,
    states: Mapping[str, tuple[Outcome, str]],
    world: contexts.Context,
    *,
    newest: bool,
) -> Found:
    """Every host, a few at a time: the evidence of a whole night may not fit into memory.

    Of the `newest` run, a machine that has looked at itself since is judged by that.
    """
    catalogue = read_catalogue(world.measures.values())
    watch = progress.on(output.stderr())
    survey = Survey(world.workspace, world.inventory, catalogue, ledger, watch)
    items, waived = world.lay_out().items, world.statements.waivers
    views = {
        host.name: view.HostView(host, items[host.name], waivers=waived.of(host.name))
        for host in world.hosts
    }
    seen = dict(ledger.seen(past.id, None if len(views) == len(states) else list(views)))
    own: set[str] = set()
    if newest and past.kind == "compliance":
        newer = handed_in.since(ledger, past, seen)
        own = set(newer) & set(views)
        seen |= {name: newer[name].seen for name in own}
    found = Found(list(views.values()))
    with watch.phase("Judge again", len(views)):
        for name, one in views.items():
            if name not in seen or seen[name].evidence is None:
                one.recall(*states[name], seen.get(name))
                if one.state is Outcome.PENDING:
                    one.state = Outcome.ERROR
                    one.detail = f"run {past.id} ended before it was seen"
                found.silent.append(one)
        looks = [seen[name] for name in views if name in seen and seen[name].evidence is not None]
        for then, evidence in ledger.evidences(looks):
            one = views[then.host]
            if evidence is None:
                one.state = Outcome.ERROR
                one.detail = f"what it answered in run {past.id} is no longer kept"
                found.pruned.append(one)
                continue
            look = survey.judge_again(then.host, one.items, evidence, then.at, NOT_ASKED)
            watch.done(then.host, look.status)
            _stand(one, look, own=then.host in own)
            if look.trouble:
                one.detail = f"it could not say in run {past.id} what it is and carries"
                found.mute.append(one)
            else:
                was = _meant(then, one, world)
                found.otherwise += rejudged.compared(then.host, was, look.verdicts, one.verdicts)
    return found


def _stand(one: view.HostView, look: Look, *, own: bool) -> None:
    """Where a host stands: what was not asked hides no drift, and nothing is compliant by it."""
    one.take(look, own=own)
    unasked = [verdict for verdict in one.verdicts if verdict.message == NOT_ASKED]
    if unasked and not look.trouble:
        others = (verdict for verdict in one.verdicts if verdict.message != NOT_ASKED)
        state = view.state_of(others, ())
        one.state = Outcome.ERROR if state is Outcome.DONE else state
        were = "check was" if len(unasked) == 1 else "checks were"
        one.detail = f"{len(unasked)} {were} not asked that night"


def _meant(then: Seen, one: view.HostView, world: contexts.Context) -> list[Verdict]:
    """What was said then of what is judged now; what a whole kit no longer asks is said too."""
    judged = any(item.mode is not Mode.OFF for item in one.items)
    measures = None if world.whole else set(world.measures)
    return [
        verdict
        for verdict in then.verdicts
        if (
            judged
            if verdict.measure == OF_THE_MACHINE
            else not measures or verdict.measure in measures
        )
    ]
