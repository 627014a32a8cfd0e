"""`kitsurvie retire`: leave a machine as it should be left, and forget it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kitsurvie import inventory as inventories
from kitsurvie.cli import context as contexts
from kitsurvie.cli import options as asked_for
from kitsurvie.cli import output, progress, run_lock, spool, stated
from kitsurvie.cli.context import Context
from kitsurvie.cli.recording import opened, recorded
from kitsurvie.cli.survey import Survey, read_catalogue
from kitsurvie.converge import Job, State, converge
from kitsurvie.enroll import known_hosts
from kitsurvie.errors import HostError, RunError, UsageError
from kitsurvie.inventory import road, write
from kitsurvie.ledger import Ledger, Outcome, Run
from kitsurvie.model import Host, Measure
from kitsurvie.workspace import find

# what the ledger calls it, as a run and among what Ansible did
RETIRE = "retire"
_OVER = frozenset({State.CHANGED, State.UNCHANGED})


@dataclass(slots=True)
class Leaving:
    """What became of one machine. `access` is ended, kept, or unknown (it was not reached)."""

    host: Host
    gone: str = ""
    access: str = "unknown"
    undone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    unpinned: int = 0
    files: tuple[Path, ...] = ()
    warnings: list[str] = field(default_factory=list)

    def document(self, run: int) -> dict[str, Any]:
        """As docs/reference/json.md says it."""
        return {
            "run": run,
            "name": self.host.name,
            "address": self.host.address,
            "member": self.host.member,
            "gone": self.gone,
            "access": self.access,
            "undone": list(self.undone),
            "left_in_place": list(self.left),
            "unpinned": self.unpinned,
            "removed_from": [str(path) for path in self.files],
            "warnings": self.warnings,
        }


def retire(
    name: Annotated[str, typer.Argument(help="The host, by its name in the inventory.")],
    gone: Annotated[
        str, typer.Option("--gone", metavar="REASON", help="It cannot be reached any more: why.")
    ] = "",
    keep_access: Annotated[
        bool, typer.Option("--keep-access", help="Leave the administrators' accounts and keys.")
    ] = False,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="End the access even if nobody can administer it then.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: asked_for.Json = False,
    workspace: asked_for.Workspace = None,
) -> int:
    """Leave a machine as it should be left: sold, given back, handed to another, or lost.

    Takes the measures away, then the kit's own files, then the accounts and keys of the
    administrators; then its pinned key and its place in the inventory. The ledger keeps its
    history. Safe to repeat. Exit code: 0; 2 when the machine could not be left as it should, 3 when
    it is out of reach; it then stays in the inventory.
    """
    if gone and (keep_access or sealed):
        raise UsageError(
            "--gone touches nothing on the machine: --keep-access and --sealed say nothing there.",
            remedy="Leave them out.",
        )
    place = find(workspace)
    with (
        run_lock.hold(
            place.lock, "a retirement", wait_for_orphan=True, tell=output.complain
        ) as lock,
        opened(place.ledger_url) as ledger,
    ):
        world = contexts.prepare(place.root, name, [])
        if [host.name for host in world.hosts] != [name]:
            raise UsageError(
                f"{name!r} is not the name of one host.", remedy="See: kitsurvie inventory show"
            )
        leaving = Leaving(world.hosts[0], gone)
        before = left_before(ledger, name)
        if not yes:
            _agree(leaving, keep_access, before)
        asked = {"host": name, "gone": gone, "keep_access": keep_access, "sealed": sealed}
        with recorded(ledger, RETIRE, asked, world.hosts) as run:
            if before and not gone:
                leaving.access = before
                leaving.warnings.append("an earlier run had already left the machine itself")
            elif not gone:
                _leave(world, ledger, run, lock, leaving, "keep" if keep_access else "end", sealed)
            _forget(world, leaving)
            ledger.set_hosts(run.id, [name], Outcome.DONE, f"retired, access {leaving.access}")
        if json:
            output.document("retirement", leaving.document(run.id))
        else:
            _show(leaving)
    return 0


def left_before(ledger: Ledger, name: str) -> str:
    """The access (`ended`, `kept`) that an interrupted retirement has left there; empty if none.

    It may have ended our access to the machine and died before the inventory was written.
    """
    for run in ledger.runs(RETIRE):
        stands = ledger.hosts(run.id).get(name)
        if stands is not None:
            state, access = ledger.outcomes(run.id).get((name, RETIRE), ("", ""))
            over = stands[0] is not Outcome.DONE and state in {one.value for one in _OVER}
            return access if over else ""
    return ""


def _agree(leaving: Leaving, keep_access: bool, before: str) -> None:
    name = leaving.host.name
    if leaving.gone:
        what = "is forgotten here; nothing on the machine is touched"
    elif before:
        what = "was left by an earlier run; it is forgotten here"
    elif keep_access:
        what = "loses the kit; the administrators keep their access"
    else:
        what = "loses the kit, and the administrators' accounts and keys with it"
    output.complain(f"{name} ({leaving.host.address}) {what}.")
    if not sys.stdin.isatty():
        raise UsageError(
            "Nobody can be asked here whether to go on; nothing was changed.",
            remedy="Run it from a terminal, or give --yes.",
        )
    typer.confirm("Go on?", err=True, abort=True)


def _leave(
    world: Context,
    ledger: Ledger,
    run: Run,
    lock: int,
    leaving: Leaving,
    access: str,
    sealed: bool,
) -> None:
    """First ask whether it may be left, then take away the measures; our access goes last."""
    host = leaving.host
    watch = progress.on(output.stderr())
    folder = world.workspace.state / "runs" / str(run.id)
    catalogue = read_catalogue(world.measures.values())
    survey = Survey(world.workspace, world.inventory, catalogue, ledger, watch)
    with watch.phase("Observe", 1):
        look = next(iter(survey.look(world.lay_out().items)))
    ledger.record(run.id, [look.record(Outcome.PENDING, look.trouble)])
    if look.trouble:
        raise HostError(
            f"{host.name} cannot be left as it should: {look.trouble}",
            remedy="Try again when it answers; or, if it is gone for good: --gone REASON",
        )
    stamped = [measure for name, measure in world.measures.items() if name in look.stamps]
    leaving.warnings += [
        f"the measure {name} was applied there and the kit no longer has it: it is left in place"
        for name in sorted(look.stamps.keys() - world.measures.keys())
    ]
    if access == "end":
        _play(ledger, run, lock, _job(world, host, folder / "ask", "ask", sealed))
    if stamped:
        _play(ledger, run, lock, _undoing(world, host, folder / "undo", stamped))
    leaving.undone = tuple(measure.id for measure in stamped if measure.undo)
    leaving.left = tuple(measure.id for measure in stamped if not measure.undo)
    leaving.access = "ended" if access == "end" else "kept"
    job = _job(world, host, folder / "leave", access, sealed)
    _play(ledger, run, lock, job, said=leaving.access)


def _undoing(world: Context, host: Host, folder: Path, stamped: Sequence[Measure]) -> Job:
    absent = {measure.id: [host.name] for measure in stamped}
    return _of(world, host, folder, "kit.yml", {}, absent=absent)


def _job(world: Context, host: Host, folder: Path, access: str, sealed: bool) -> Job:
    given = {"retire_access": access, "retire_sealed": sealed}
    return _of(world, host, folder, "retire.yml", {RETIRE: [host.name]}, variables=given)


def _of(
    world: Context,
    host: Host,
    folder: Path,
    playbook: str,
    due: Mapping[str, Sequence[str]],
    **more: Any,
) -> Job:
    place = world.workspace
    return Job(
        due=due,
        stamps={host.name: {}},
        roads={host.name: road.options(host, place.known_hosts)},
        inventory=place.inventory,
        playbook=place.playbooks / playbook,
        roles=place.roles,
        folder=folder,
        forks=1,
        connect_timeout_s=place.connect_timeout_s,
        **more,
    )


def _play(ledger: Ledger, run: Run, lock: int, job: Job, *, said: str = "") -> None:
    """Run Ansible; raises RunError at what fails. `said` is kept in the ledger beside success."""
    for play in converge(job, lock=lock):
        over = play.state in _OVER
        # what was only asked is not done
        if play.measure != RETIRE or said or not over:
            detail = said if over else f"{play.task}: {play.message}"
            ledger.set_outcome(run.id, play.host, play.measure, play.state.value, detail)
        if not over:
            ledger.set_hosts(run.id, [play.host], Outcome.FAILED, play.message)
            raise RunError(
                f"{play.host} was not left: {play.measure} {play.state.value}"
                + (f" at “{play.task}”: {play.message}" if play.message else ""),
                where=str(job.log),
                remedy="Mend that and run the same command again. --keep-access leaves the "
                "administrators in; --sealed ends their access even if nobody else can come in.",
            )


def _forget(world: Context, leaving: Leaving) -> None:
    """The pinned key and the place in the inventory; what was decided by hand is left and told."""
    place, name = world.workspace, leaving.host.name
    leaving.files = write.remove_host(place, name)
    leaving.unpinned = len(known_hosts.pin(place.known_hosts, name, (), replace=True))
    leaving.warnings += [said.rstrip(".") for said in spool.forget(place, name)]
    for path in (place.inventory / "host_vars").glob(f"{name}*"):
        if path.name in {name, f"{name}.yml", f"{name}.yaml"}:
            leaving.warnings.append(f"{path} is no use any more: look at it, then remove it")
    # a waiver or a statement for it alone now matches nothing, and no run begins on that
    for problem in inventories.check(
        place, world.measures, known=stated.known(world.measures, place.roles)
    ):
        if problem.severity is inventories.Severity.ERROR:
            leaving.warnings.append(f"{problem.where}: {problem.what} {problem.remedy}".rstrip("."))
    if leaving.gone:
        leaving.warnings.append(
            "the administrators' keys are still on it, and its disk holds what it held: change "
            "what it knew (passwords saved there, VPN access)"
        )


def _show(leaving: Leaving) -> None:
    output.say(f"{leaving.host.name} is retired; its history stays in the ledger.")
    if leaving.undone:
        output.say(f"Undone: {', '.join(leaving.undone)}")
    if leaving.left:
        output.say(f"Left in place, as their texts say: {', '.join(leaving.left)}")
    output.say(f"Access of the administrators: {leaving.access}")
    for warning in leaving.warnings:
        output.say(f"Mind: {warning}.")
