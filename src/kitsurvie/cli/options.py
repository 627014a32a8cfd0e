"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kitsurvie.errors import UsageError

Workspace = Annotated[
    Path | None, typer.Option("--workspace", "-C", help="The workspace to work in.")
]
Limit = Annotated[
    str | None, typer.Option("--limit", "-l", help="Hosts meant, as an Ansible host pattern.")
]
Measures = Annotated[
    list[str] | None, typer.Option("--measure", "-m", help="Only this measure; may be repeated.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Csv = Annotated[
    bool, typer.Option("--csv", help="Print a table for a spreadsheet and nothing else.")
]
FactorsFile = Annotated[
    Path | None,
    typer.Option("--factors", metavar="FILE", help="Figures of your own (equipment.md)."),
]
RunNumber = Annotated[
    int | None, typer.Option("--run", metavar="N", help="This run instead of the newest.")
]
HostName = Annotated[str, typer.Argument(metavar="HOST", help="The host, by its inventory name.")]
CheckName = Annotated[
    str,
    typer.Argument(
        metavar="CHECK",
        help="The check, such as firewall/test_what_nobody_asked_for_is_refused.",
    ),
]


def one_shape(*, csv: bool, json: bool) -> None:
    """Raises UsageError where two shapes are asked for at once."""
    if csv and json:
        raise UsageError("--csv and --json are two things.", remedy="Ask for one of them.")
