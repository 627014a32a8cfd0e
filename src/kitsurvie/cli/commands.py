"""Every command, in the order of the help, and where it is: read when it is asked for.

A command costs what it needs and not what the others do: `compliance diff` has no use for what
deploys, makes a page or talks to a host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


class Later(Mapping[str, Any]):
    """Commands by name, each read when it is first asked for.

    `places` says in which module of this package a command is, and under which name: a function, a
    group of them (`app`), or commands read later in their turn.
    """

    def __init__(self, places: Mapping[str, str | TyperGroup]) -> None:
        self._places = dict(places)
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            place = self._places[name]
            self._read[name] = place if isinstance(place, TyperGroup) else _read(name, place)
        return self._read[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The command of that name. An error while it is read is no name that is unknown."""
        return self[name] if name in self._places else default

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _read(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"kitsurvie.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name, group.no_args_is_help = name, True
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


def _group(name: str, help_text: str, places: Mapping[str, str]) -> TyperGroup:
    commands: Any = Later(places)
    group = TyperGroup(name=name, help=help_text, no_args_is_help=True)
    group.commands = commands
    return group


COMPLIANCE = _group(
    "compliance",
    "Look at hosts without touching them, and read what was seen.",
    {
        "diff": "diff:diff",
        "history": "history:history",
        "rejudge": "rejudge:rejudge",
        "acknowledge": "acknowledge:acknowledge",
        "attestations": "attested:attestations",
        "prune": "prune:prune",
        "run": "compliance:run",
        "show": "compliance:show",
        "evidence": "evidence:evidence",
    },
)

ASSETS = _group(
    "assets",
    "One register of equipment from many exports: devices, doubles, and what they are worth.",
    {
        "import": "assets.importing:import_",
        "collect": "assets.collecting:collect",
        "imports": "assets.importing:imports",
        "undo": "assets.importing:undo",
        "list": "assets.listing:list_",
        "show": "assets.listing:show",
        "identical": "assets.deciding:identical",
        "merge": "assets.deciding:merge",
        "unmerge": "assets.deciding:unmerge",
        "doubles": "assets.doubles:doubles",
        "unused": "assets.unused:unused",
        "health": "assets.health:health",
        "exempt": "assets.deciding:exempt",
        "return": "assets.lending:return_",
        "loan": "assets.lending:loan",
        "available": "assets.available:available",
        "discard": "assets.discarding:discard",
        "discarded": "assets.discarding:discarded",
        "journal": "assets.deciding:journal",
        "revoke": "assets.deciding:revoke",
        "forget": "assets.keeping:forget",
        "prune": "assets.keeping:prune",
    },
)

ENERGY = _group(
    "energy",
    "What machines spend, measured and modelled.",
    {"report": "energy.report:report"},
)

COMMANDS = Later(
    {
        "init": "init:init",
        "enroll": "enroll:enroll",
        "plan": "plan:plan",
        "deploy": "deploy:deploy",
        "retire": "retire:retire",
        "ingest": "ingest:ingest",
        "backup": "backup:backup",
        "restore": "backup:restore",
        "inventory": "inventory:app",
        "kit": "kit:app",
        "spool": "spool:app",
        "compliance": COMPLIANCE,
        "assets": ASSETS,
        "energy": ENERGY,
        "privacy": "privacy:privacy",
        "exporter": "exporter.command:exporter",
        "lab": "lab:app",
    }
)


class Kitsurvie(TyperGroup):
    """The program's own group: its commands are read later."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        commands: Any = COMMANDS
        self.commands = commands
