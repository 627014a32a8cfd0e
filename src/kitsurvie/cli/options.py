"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
