"""`kitsurvie compliance`: look at hosts without touching them, and read what was seen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any

import typer

from kitsurvie import inventory as inventories
from kitsurvie import kit
from kitsurvie.cli import context as contexts
from kitsurvie.cli import (
    diff,
    handed_in,
    observer,
    output,
    outputs,
    pending,
    progress,
    run_lock,
    stopping,
    view,
)
from kitsurvie.cli.absent import aged
from kitsurvie.cli.options import Json, Limit, Measures, RunNumber, Workspace
from kitsurvie.cli.outputs import Lang, Outputs
from kitsurvie.cli.recording import looks, opened, past_run, recorded
from kitsurvie.cli.survey import Survey, read_catalogue
from kitsurvie.converge import Play, State
from kitsurvie.ledger import Ledger, Outcome, Run, RunState, Seen
from kitsurvie.workspace import find


@stopping.politely()
def run(
    limit: Limit = None,
    measure: Measures = None,
    as_observer: Annotated[
        bool,
        typer.Option(
            "--as-observer", help="With the observer's key, which can change nothing anywhere."
        ),
    ] = False,
    json: Json = False,
    to: Outputs = None,
    lang: Lang = None,
    workspace: Workspace = None,
) -> int:
    """Observe and judge every host; change nothing.

    With --as-observer (the night): as the account that the measure observer brings, by the key that
    `observer_key` in kitsurvie.toml names. SIGTERM ends it as Ctrl-C does, with what is known.

    Exit code: 0 all compliant but what is waived, 1 drift, 2 configuration, 3 hosts that should be
    up are out of reach, or hosts are in error.
    """
    asked_for = outputs.asked(to, json=json, lang=lang)
    place = find(workspace)
    key = observer.key_of(place) if as_observer else None
    with (
        run_lock.hold(place.lock, "a compliance run", wait_for_orphan=False, tell=output.complain),
        opened(place.ledger_url) as ledger,
    ):
        world = contexts.prepare(place.root, limit, measure or [])
        watch = progress.on(output.stderr())
        laid = world.lay_out()
        waived = world.statements.waivers
        views = {
            host.name: view.HostView(host, laid.items[host.name], waivers=waived.of(host.name))
            for host in world.hosts
        }
        catalogue = read_catalogue(world.measures.values())
        asked = {"limit": limit, "measures": measure or [], "as_observer": as_observer}
        with recorded(ledger, "compliance", asked, world.hosts) as this:
            survey = Survey(
                world.workspace, world.inventory, catalogue, ledger, watch, observer=key
            )
            with watch.phase("Observe", len(views)), looks(ledger, this.id) as write:
                for look in survey.look(laid.items):
                    one = views[look.host]
                    one.take(look)
                    write(look.record(one.recorded, one.detail))
        view.remember(ledger, views.values())
        new = _new(ledger, this.id, world, asked_for)
        states = {name: one.state for name, one in views.items()}
        line = pending.words(pending.observed_only(ledger, states, world))
    shown = view.RunView(
        this.id, "compliance", this.started_at, time.time(), this.by_whom,
        tuple(views.values()), world.inventory, (line,) if line else (), **world.stated,
    )  # fmt: skip
    return outputs.report(shown, asked_for, world.measures, new)


def show(
    run: RunNumber = None,
    json: Json = False,
    to: Outputs = None,
    lang: Lang = None,
    workspace: Workspace = None,
) -> int:
    """Show a past run as it was recorded; no host is asked anything."""
    asked_for = outputs.asked(to, json=json, lang=lang)
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        past = past_run(ledger, run)
        seen, states = ledger.seen(past.id), ledger.hosts(past.id)
        outcomes = ledger.outcomes(past.id)
        inventory = inventories.load(place)
        catalogue = kit.load(place.roles)
        gone = sorted(name for name in states if name not in inventory.hosts)
        hosts = tuple(inventory.hosts[name] for name in states if name in inventory.hosts)
        world = contexts.with_statements(contexts.Context(place, inventory, catalogue, hosts))
        views = list(_past_views(world, past, seen, states))
        # the morning's page, not the night's: of a run that is named, what it saw itself
        if run is None and past.kind == "compliance":
            newer = handed_in.since(ledger, past, seen)
            for one in views:
                if (look := newer.get(one.host.name)) is not None:
                    one.recall(look.state, look.detail, look.seen, own=True)
        view.remember(ledger, views, past.id)
        new = _new(ledger, past.id, world, asked_for)
    for one in views:
        one.plays = {
            measure: Play(host, measure, State(state), detail)
            for (host, measure), (state, detail) in outcomes.items()
            if host == one.host.name
        }
    notes = [f"No longer in the inventory: {', '.join(gone)}."] if gone else []
    notes += aged(past.id, past.started_at)
    notes += handed_in.words(views)
    if past.state is not RunState.ENDED:
        notes.append(f"Run {past.id} did not come to its end: what is shown is what was known.")
    shown = view.RunView(
        past.id, past.kind, past.started_at, past.ended_at or past.started_at, past.by_whom,
        tuple(views), inventory, tuple(notes), **world.stated,
    )  # fmt: skip
    return outputs.report(shown, asked_for, catalogue, new)


def _new(
    ledger: Ledger, number: int, world: contexts.Context, asked: outputs.Asked
) -> Mapping[str, Any] | None:
    """What is new in a run, where something is to be written that says it."""
    return diff.changes(ledger, number, world) if asked.wants(outputs.Format.HTML) else None


def _past_views(
    world: contexts.Context,
    past: Run,
    seen: Mapping[str, Seen],
    states: Mapping[str, tuple[Outcome, str]],
) -> Iterator[view.HostView]:
    """The hosts as they were recorded, read with the waivers of today for the day of that run."""
    items, waivers = world.lay_out().items, world.statements.waivers
    day = date.fromtimestamp(past.started_at)
    for host in world.hosts:
        one = view.HostView(host, items[host.name], waivers=waivers.of(host.name), day=day)
        one.recall(*states[host.name], seen.get(host.name))
        yield one
