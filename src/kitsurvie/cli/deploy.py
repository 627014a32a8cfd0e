"""`kitsurvie deploy`: bring hosts to the kit, and prove it."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from kitsurvie import inventory as inventories
from kitsurvie.cli import context as contexts
from kitsurvie.cli import output, progress, run_lock, spool, told, view
from kitsurvie.cli import pending as waiting_room
from kitsurvie.cli.deployment import Deployment, Options, what_is_due
from kitsurvie.cli.options import Json, Limit, Measures, Workspace
from kitsurvie.cli.recording import opened, recorded
from kitsurvie.cli.report import report
from kitsurvie.cli.survey import Survey, read_catalogue
from kitsurvie.errors import RunError, UsageError
from kitsurvie.ledger import Ledger, Outcome, Run, RunState
from kitsurvie.model import Action, Inventory
from kitsurvie.workspace import find


def deploy(
    limit: Limit = None,
    measure: Measures = None,
    full: Annotated[
        bool, typer.Option("--full", help="Run every enforced measure, due or not.")
    ] = False,
    canary: Annotated[
        int,
        typer.Option("--canary", min=0, help="This many hosts first; the rest if they prove well."),
    ] = 0,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=1, help="Begin no more hosts once this many failed."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take up what the last deployment left undone.")
    ] = False,
    urgent: Annotated[
        str, typer.Option("--urgent", metavar="REASON", help="Go on outside the change windows.")
    ] = "",
    reboot: Annotated[
        bool | None,
        typer.Option(
            "--reboot/--no-reboot",
            help="Restart what asks for it, also where kit__reboot is `ask`; or nothing at all.",
            show_default="as kit__reboot says",
        ),
    ] = None,
    pending: Annotated[
        bool,
        typer.Option(
            "--pending", help="Only PCs that wait for work and have just handed in, where they are."
        ),
    ] = False,
    within: Annotated[
        int,
        typer.Option("--within", min=1, metavar="MINUTES", help="With --pending: how long ago."),
    ] = waiting_room.MINUTES,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before changing hosts.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Bring hosts to the kit: observe, judge, apply what is due, prove it.

    Only measures in mode `enforce` are applied, and only where they drift or have changed. One that
    was switched off is undone once, or left in place, as its text says. A machine that asks for a
    restart gets one where `kit__reboot` is `auto`, when nobody is logged in.
    Exit code: 0 all compliant, 1 drift remains, 2 configuration, 3 hosts out of reach or in error.
    """
    if resume and (limit or measure or full or pending):
        raise UsageError(
            "--resume takes up the last deployment as it was asked for.",
            remedy="Leave out --limit, --measure, --full and --pending, or start a new deployment.",
        )
    asked: dict[str, Any] = {
        "limit": limit, "measures": measure or [], "full": full, "canary": canary,
        "max_failures": max_failures, "urgent": urgent, "reboot": reboot, "pending": pending,
    }  # fmt: skip
    place = find(workspace)
    with (
        run_lock.hold(
            place.lock, "a deployment", wait_for_orphan=resume, tell=output.complain
        ) as lock,
        opened(place.ledger_url) as ledger,
    ):
        names: tuple[str, ...] | None = None
        if resume:
            last, names = left_undone(ledger)
            if not names:
                output.complain(f"Nothing to resume: run {last.id} left no host undone.")
                return report(_empty(last, inventories.load(place)), json=True) if json else 0
            if last.state is RunState.RUNNING:
                ledger.end_run(last.id, RunState.INTERRUPTED)
            # what is given now counts; an urgency of another day never does
            given = {key: asked[key] for key in ("canary", "max_failures") if asked[key]}
            # an option that the run before did not know is as good as not given
            before = {"reboot": None, **last.options}
            if reboot is not None:
                given["reboot"] = reboot
            asked = {**before, **given, "urgent": urgent, "limit": None, "resumes": last.id}
            output.complain(f"Resuming run {last.id}: {told.count(len(names), 'host')} to go.")
        world = contexts.prepare(place.root, asked["limit"], asked["measures"], names=names)
        if pending:
            chosen = [
                one for one in waiting_room.waiting(ledger, world, minutes=within) if one.reachable
            ]
            for one in chosen:
                output.complain(f"{one.host.name} is at {one.last.address}; due: {one.why}")
            if not chosen:
                output.complain(f"Nothing waits for a PC that came in the last {within} minutes.")
                if json:
                    return report(nothing(world.inventory), json=True)
                return 0
            world = waiting_room.towards(world, chosen)
        for name in contexts.gone(world, names or ()):
            output.complain(f"{name} is no longer in the inventory: left out.")
        watch = progress.on(output.stderr())
        options = Options(
            asked["full"], asked["canary"], asked["max_failures"], asked["urgent"], asked["reboot"]
        )
        catalogue = read_catalogue(world.measures.values())
        with recorded(ledger, "deploy", asked, world.hosts) as run:
            survey = Survey(world.workspace, world.inventory, catalogue, ledger, watch)
            deployment = Deployment(world, ledger, survey, watch, options, run.id, lock)
            try:
                deployment.observe()
                if deployment.due_hosts() and (yes or _agreed(deployment)):
                    deployment.converge()
                odd = spool.collect(world.workspace, world.inventory, deployment.keys)
                deployment.notes.extend(odd)
                states = {name: one.state for name, one in deployment.views.items()}
                line = waiting_room.words(waiting_room.observed_only(ledger, states, world))
                deployment.notes += [line] if line else []
            except KeyboardInterrupt:
                output.complain("Go on where it stopped with: kitsurvie deploy --resume")
                raise
        view.remember(ledger, deployment.views.values())
        shown = view.RunView(
            run.id, "deploy", run.started_at, time.time(), run.by_whom,
            tuple(deployment.views.values()), world.inventory, tuple(deployment.notes),
            broken=deployment.trouble is not None, **world.stated,
        )  # fmt: skip
        code = report(shown, json=json, again="kitsurvie deploy --resume")
        if deployment.trouble is not None:
            raise deployment.trouble
        return code


def _empty(run: Run, inventory: Inventory) -> view.RunView:
    ended = run.ended_at or run.started_at
    return view.RunView(run.id, run.kind, run.started_at, ended, run.by_whom, (), inventory)


def nothing(inventory: Inventory) -> view.RunView:
    """A deployment that had nobody to go to: it is no run of the ledger."""
    now = time.time()
    return view.RunView(0, "deploy", now, now, contexts.who(), (), inventory)


def left_undone(ledger: Ledger) -> tuple[Run, tuple[str, ...]]:
    """The last deployment, and its hosts that are not done. Raises RunError when there is none."""
    last = next(iter(ledger.runs("deploy", limit=1)), None)
    if last is None:
        raise RunError("There is no deployment to resume.", remedy="Start one: kitsurvie deploy")
    hosts = ledger.hosts(last.id)
    # what drifts where it is only observed is nobody's unfinished work
    over = {Outcome.DONE, Outcome.DRIFT}
    return last, tuple(name for name, (state, _) in hosts.items() if state not in over)


_HOW = {Action.APPLY: "", Action.UNDO: " (undone)", Action.LEAVE: " (left in place)"}


def _said(one: view.HostView) -> list[str]:
    said = [due.measure + _HOW[due.action] for due in one.ready]
    return [*said, "restart if nobody is logged in"] if one.restarts else said


def _agreed(deployment: Deployment) -> bool:
    due = deployment.due_hosts()
    measures = sorted({one.measure for one in what_is_due(due)})
    if any(one.restarts for one in due):
        measures.append("restart")
    output.complain(f"{told.count(len(due), 'host')} will be changed ({', '.join(measures)}):")
    for one in due[:20]:
        output.complain(f"  {one.host.name}: {', '.join(_said(one))}")
    if len(due) > 20:
        output.complain(f"  and {len(due) - 20} more (kitsurvie plan shows them all)")
    if not sys.stdin.isatty():
        raise UsageError(
            "Nobody can be asked here whether to go on; nothing was changed.",
            remedy="Run it from a terminal, or give --yes.",
        )
    if not typer.confirm("Go on?", err=True):
        deployment.notes.append("Nothing was changed: you did not agree.")
        return False
    return True
