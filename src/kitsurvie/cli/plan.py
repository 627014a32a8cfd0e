"""`kitsurvie plan`: what a deployment would run, where and why; nothing is changed."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from kitsurvie.cli import (
    absent,
    exceptions,
    origins,
    output,
    progress,
    run_lock,
    table,
    view,
    waived,
)
from kitsurvie.cli import context as contexts
from kitsurvie.cli import deployment as deployments
from kitsurvie.cli.deployment import Deployment, Options
from kitsurvie.cli.documents import run_document
from kitsurvie.cli.options import Json, Limit, Measures, Workspace
from kitsurvie.cli.recording import opened, recorded
from kitsurvie.cli.survey import Survey, read_catalogue
from kitsurvie.ledger import Outcome
from kitsurvie.workspace import find


def plan(
    limit: Limit = None,
    measure: Measures = None,
    full: Annotated[bool, typer.Option("--full", help="As if every measure were due.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Add Ansible's own preview of the changes.")
    ] = False,
    values: Annotated[
        bool,
        typer.Option("--values", help="Add each value that is no default, and who set it where."),
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Show what deploy would run, on which hosts, and why. Changes nothing."""
    place = find(workspace)
    with (
        run_lock.hold(place.lock, "a plan", wait_for_orphan=False, tell=output.complain) as lock,
        opened(place.ledger_url) as ledger,
    ):
        world = contexts.prepare(place.root, limit, measure or [])
        watch = progress.on(output.stderr())
        asked = {"limit": limit, "measures": measure or [], "full": full}
        catalogue = read_catalogue(world.measures.values())
        with recorded(ledger, "plan", asked, world.hosts) as run:
            survey = Survey(world.workspace, world.inventory, catalogue, ledger, watch)
            deployment = Deployment(world, ledger, survey, watch, Options(full=full), run.id, lock)
            deployment.observe()
            due = deployment.due_hosts()
            preview = deployments.preview(place, due) if diff and due else ""
        view.remember(ledger, deployment.views.values())
    shown = view.RunView(
        run.id, "plan", run.started_at, time.time(), run.by_whom,
        tuple(deployment.views.values()), world.inventory, tuple(deployment.notes),
        measures=world.measures, **world.stated,
    )  # fmt: skip
    if json:
        payload = run_document(shown)
        output.document("plan", {**payload, "preview": preview} if diff else payload)
    else:
        _show(shown, preview)
        if values:
            origins.show(output.stdout(), shown)
    return _code(shown)


def _code(run: view.RunView) -> int:
    """As a deployment's: what is due counts as drift."""
    return view.exit_code(run)


def _show(run: view.RunView, preview: str) -> None:
    console = output.stdout()
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Host", "Member", "Measure", "Why"):
        rows.add_column(heading, overflow="fold")
    for one in run.hosts:
        member = view.member_name(one, run.inventory)
        for due in one.due:
            held = one.held.get(due.measure, "")
            held = f" (left for later: {held})" if held else ""
            rows.add_row(one.host.name, Text(member), due.measure, Text(due.why + held))
        if one.restart is not None:
            held = f" ({one.detail})" if one.state is Outcome.HELD and one.restarts else ""
            words = Text(table.restart_words(one.restart) + held)
            rows.add_row(one.host.name, Text(member), "restart", words)
    if rows.row_count:
        console.print(rows)
    else:
        output.say("Nothing is due.")
    exceptions.show(console, run)
    waived.show(console, run)
    for one in run.hosts:
        if one.state in {Outcome.UNREACHABLE, Outcome.ERROR}:
            output.say(f"{one.host.name}: {one.detail or 'a check could not conclude'}")
            if one.last is not None:
                output.say(f"  {absent.words(one, run)}")
        drifts = {v.measure for v in one.verdicts if v.status.value == "drift"}
        only_seen = sorted(drifts - {d.measure for d in one.due})
        if only_seen:
            output.say(f"{one.host.name}: only observed, not mended: {', '.join(only_seen)}")
    if preview:
        output.say("\nAnsible's preview (a preview, not a verdict):\n")
        output.say(output.printable(preview, lines=True))
