"""Read a workspace's inventory: from the cache when no file changed, else through Ansible."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kitsurvie import __version__
from kitsurvie.inventory import ansible, cache, hosts, provenance, resolved, sources, structure
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.model import Inventory
from kitsurvie.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Reading:
    """An inventory's files and what Ansible makes of them."""

    sources: tuple[sources.Source, ...]
    digest: str
    resolved: resolved.Resolved


def load(workspace: Workspace) -> Inventory:
    """The inventory of a workspace, every variable resolved as Ansible does.

    Raises InventoryError at the first thing that makes it unusable, with its place.
    """
    files = sources.read(workspace.inventory)
    digest = _digest(files)
    kept = cache.read(_folder(workspace), digest)
    if kept is not None:
        return hosts.build(kept, digest)
    shape = structure.read(files)
    fresh = _resolve(workspace, shape)
    for problem in hosts.problems(fresh):
        if problem.severity is Severity.ERROR:
            raise placed(problem, shape).error()
    _missing(shape, fresh)
    # only what can be used is kept: a second read need not look again
    cache.write(_folder(workspace), digest, fresh)
    return hosts.build(fresh, digest)


def read(workspace: Workspace) -> tuple[Reading, structure.Structure]:
    """Everything `check` looks at. Raises InventoryError when a file cannot be read at all."""
    files = sources.read(workspace.inventory)
    digest = _digest(files)
    shape = structure.read(files)
    found = cache.read(_folder(workspace), digest)
    if found is None:
        found = _resolve(workspace, shape)
    return Reading(files, digest, found), shape


def keep(workspace: Workspace, found: Reading) -> None:
    """Keep an inventory in which no error was found, so that the next command is quick."""
    cache.write(_folder(workspace), found.digest, found.resolved)


def placed(problem: Problem, shape: structure.Structure) -> Problem:
    """The problem with the line of its host or group for a place, when one is known."""
    line = shape.host_lines.get(problem.where) or shape.group_lines.get(problem.where)
    if not line:
        return problem
    return Problem(line, problem.what, problem.remedy, problem.severity)


def _resolve(workspace: Workspace, shape: structure.Structure) -> resolved.Resolved:
    if not shape.host_lines:
        # a workspace before its first machine: Ansible would refuse an empty file
        return resolved.Resolved((), (), {})
    found = resolved.from_listing(ansible.listing(workspace.inventory))
    return provenance.attach(found, shape.definitions)


def _digest(files: tuple[sources.Source, ...]) -> str:
    return sources.digest(files, cache.FORMAT, __version__, ansible.version())


def _folder(workspace: Workspace) -> Path:
    return workspace.state / "cache"


def _missing(shape: structure.Structure, found: resolved.Resolved) -> None:
    """Ansible must have kept every host the files name: it drops some with a mere warning."""
    lost = set(shape.host_lines) - {record.name for record in found.records}
    for name in sorted(lost):
        raise Problem(
            shape.host_lines[name],
            f"Ansible does not know the host {name}, though a file names it.",
            "See its warnings: ansible-inventory -i inventory --list",
        ).error()
