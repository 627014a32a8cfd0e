"""Everything that is wrong with a workspace's inventory, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from kitsurvie.errors import InventoryError
from kitsurvie.inventory import (
    bargain,
    estate,
    exceptions,
    hosts,
    order,
    reading,
    statements,
    thaw,
    use,
    values,
)
from kitsurvie.inventory.pinned import pinned
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.inventory.resolved import Resolved, Variables
from kitsurvie.inventory.sources import Source
from kitsurvie.inventory.structure import Structure
from kitsurvie.model import Measure
from kitsurvie.workspace import Workspace

NAMES_SHOWN = 5


def check(
    workspace: Workspace,
    measures: Mapping[str, Measure],
    today: date | None = None,
    known: statements.Known | None = None,
) -> list[Problem]:
    """Every problem of the inventory, errors first; empty when there is none.

    `measures` are those the variables are held against, `today` is the control node's own day
    unless given, `known` what waivers and attestations may be about (else that is not looked at). A
    file that cannot be read at all is the only problem told: nothing can be said of the rest.
    """
    try:
        found, shape = reading.read(workspace)
    except InventoryError as error:
        return [Problem(error.where or str(workspace.inventory), error.what, error.remedy)]
    structural = list(hosts.problems(found.resolved))
    if not structural:
        reading.keep(workspace, found)
    problems = [
        *structural,
        *values.problems(shape.definitions, measures),
        *_beside(shape, found.resolved, measures),
        *order.problems(found.resolved, measures),
        *exceptions.problems(found.resolved, measures, today or date.today()),
        *bargain.problems(found.resolved, measures, today or date.today()),
        *thaw.problems(found.resolved, measures, today or date.today()),
        *use.problems(workspace, found.resolved, today or date.today()),
        *statements.read(workspace, estate.of_resolved(found.resolved), measures, known, today)[1],
        *_same_address(found.resolved),
        *_not_enrolled(workspace, found.resolved),
        *_unused(shape, found.resolved),
        *_hidden(found.sources),
    ]
    placed = [reading.placed(problem, shape) for problem in problems]
    return sorted(placed, key=lambda problem: problem.severity is Severity.WARNING)


def _beside(
    shape: Structure, resolved: Resolved, measures: Mapping[str, Measure]
) -> Iterator[Problem]:
    """Values set in a group that is neither a machine's member nor above it.

    Ansible lets the deeper group win, and of two alike the last by name: a group of pilots would
    beat the member without a word.
    """
    ancestry = resolved.ancestry()
    beside: dict[str, str] = {}
    for record in resolved.records:
        above = {name for group in record.groups for name in ancestry.get(group, ())}
        member = next((name for name in above if name.startswith("member_")), None)
        if member is not None:
            beside.update(dict.fromkeys(above - set(ancestry[member]), record.name))
    for definition in shape.definitions:
        prefix = definition.name.partition("__")[0]
        if definition.kind != "group" or definition.scope not in beside:
            continue
        if definition.name.startswith(f"{prefix}__") and prefix in {"kit", *measures}:
            yield Problem(
                definition.where,
                f"{definition.name} is set in the group {definition.scope}, which is beside the "
                f"member of {beside[definition.scope]}, not above it: it may silently win over "
                "the member's value.",
                "Set it for `all`, an EPCI, a member or a host.",
            )


def _road(name: str, variables: Variables) -> tuple[str, str, str]:
    return (
        str(variables.get("ansible_host") or name),
        str(variables.get("ansible_port") or 22),
        str(variables.get("kit__jump") or ""),
    )


def _same_address(resolved: Resolved) -> Iterator[Problem]:
    first: dict[tuple[str, str, str], str] = {}
    for record in resolved.records:
        road = _road(record.name, resolved.variables(record))
        other = first.setdefault(road, record.name)
        if other != record.name:
            address, port, jump = road
            behind = f" behind {jump}" if jump else ""
            yield Problem(
                record.name,
                f"{record.name} and {other} have the same address, {address} port {port}{behind}.",
                "Mend ansible_host of one, or give the kit__jump each is reached through.",
                Severity.WARNING,
            )


def _not_enrolled(workspace: Workspace, resolved: Resolved) -> Iterator[Problem]:
    known = pinned(workspace)
    strangers = [record.name for record in resolved.records if record.name not in known]
    if not strangers:
        return
    first = ", ".join(strangers[:NAMES_SHOWN])
    more = len(strangers) - NAMES_SHOWN
    what = (
        f"{first} is not enrolled: no host key of it is pinned."
        if len(strangers) == 1
        else f"{len(strangers)} hosts are not enrolled, no host key of theirs is pinned: {first}"
        + (f" and {more} more." if more > 0 else ".")
    )
    yield Problem(
        f"{workspace.inventory.name}/{workspace.known_hosts.name}",
        what,
        "Enrol each: kitsurvie enroll ADDRESS --member SIREN --profile PROFILE --name NAME",
        Severity.WARNING,
    )


def _unused(shape: Structure, resolved: Resolved) -> Iterator[Problem]:
    """Variables of a group or host that no file names: most often a typo in a file's name."""
    known = {
        "group": {*shape.group_lines, *resolved.parents},
        "host": {record.name for record in resolved.records},
    }
    told: set[tuple[str, str]] = set()
    for definition in shape.definitions:
        key = (definition.kind, definition.scope)
        if definition.scope not in known[definition.kind] and key not in told:
            told.add(key)
            yield Problem(
                definition.where.rpartition(":")[0],
                f"This file is for the {definition.kind} {definition.scope}, which does not exist.",
                "Mend the name of the file or of the group, or take the file away.",
                Severity.WARNING,
            )


def _hidden(files: tuple[Source, ...]) -> Iterator[Problem]:
    """Of `all/`, `all.yml` and `all.yaml` Ansible reads the first that exists and no other."""
    first: dict[tuple[str, str], str] = {}
    for source in sorted(files, key=_precedence):
        if source.kind == "hosts":
            continue
        entry = "/".join(source.shown.split("/")[:3])
        read = first.setdefault((source.kind, source.scope), entry)
        if read != entry:
            yield Problem(
                source.shown,
                f"Ansible does not read this file, because {read} exists.",
                "Put both into one file, or into one folder of that name.",
            )


def _precedence(source: Source) -> int:
    """A folder or a name without ending comes first, then .yml, .yaml, .json."""
    entry = source.shown.split("/")[2:3]
    endings = (".yml", ".yaml", ".json")
    return next((n for n, end in enumerate(endings, 1) if entry and entry[0].endswith(end)), 0)
