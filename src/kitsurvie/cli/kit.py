"""`kitsurvie kit`: what the kit holds, and what one measure is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from kitsurvie import kit, workspace
from kitsurvie.cli import cost, measure_page, output
from kitsurvie.cli import coverage as norms
from kitsurvie.cli.adopt import adopt
from kitsurvie.cli.language import language as language_of
from kitsurvie.errors import UsageError, WorkspaceError
from kitsurvie.model import Measure, Profile, Text

app = typer.Typer(help="What the kit holds: its measures, their reasons and variables.")

WorkspaceDir = Annotated[
    Path | None,
    typer.Option("--workspace", metavar="DIR", help="The workspace; else this folder or above."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def roles(place: Path | None) -> tuple[Path, ...]:
    """The role folders of the workspace; those that travel with the kit where there is none."""
    try:
        return tuple(workspace.find(place).roles)
    except WorkspaceError:
        if place is not None:
            raise
        return (workspace.shipped("roles"),)


def measures(place: Path | None) -> Mapping[str, Measure]:
    """The measures of those role folders."""
    return kit.load(roles(place))


def one(found: Mapping[str, Measure], name: str) -> Measure:
    """The measure of that name. Raises UsageError, with near names, when there is none."""
    if name in found:
        return found[name]
    near = difflib.get_close_matches(name, found, n=3, cutoff=0.6)
    raise UsageError(
        f"The kit has no measure named {name!r}.",
        remedy=f"Did you mean {' or '.join(near)}?" if near else "See them: kitsurvie kit list",
    )


@app.command("list")
def show_all(place: WorkspaceDir = None, as_json: AsJson = False) -> None:
    """List the measures of the kit, in the order of the programme."""
    found = measures(place)
    if as_json:
        output.document("kit_list", {"measures": [_brief(m) for m in found.values()]})
        return
    language = language_of(None)
    table = Table("measure", "step", "for", "what it is", box=None, pad_edge=False)
    for measure in found.values():
        profiles = ", ".join(p.value for p in Profile if p in measure.profiles)
        title = getattr(measure.title, language)
        table.add_row(measure.id, measure.step.value, profiles, title)
    output.stdout().print(table)


@app.command("show")
def show_one(
    name: Annotated[str, typer.Argument(metavar="MEASURE", help="As `kit list` names it.")],
    place: WorkspaceDir = None,
    lang: Annotated[
        Literal["fr", "en"] | None, typer.Option(help="The language; else that of LANG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say of one measure why it is there, what it changes, and what it can be told."""
    measure = one(measures(place), name)
    if as_json:
        output.document("kit_show", {"measure": _whole(measure)})
        return
    for line in measure_page.lines(measure, language_of(lang)):
        output.say(line)


@app.command("coverage")
def show_coverage(
    norm: Annotated[
        Literal["bp-028", "gh-42"] | None, typer.Option(help="Only the rules of that norm.")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="Only that level (minimal, intermediary...) or theme.")
    ] = None,
    place: WorkspaceDir = None,
    lang: Annotated[
        Literal["fr", "en"] | None, typer.Option(help="The language; else that of LANG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say of every rule of BP-028 and of the hygiene guide what the kit makes of it."""
    folders = roles(place)
    everything = kit.coverage(kit.load(folders).values(), folders)
    found = norms.chosen(everything, norm, level)
    if not found:
        levels = sorted({one.rule.level for one in norms.chosen(everything, norm, None)})
        raise UsageError(
            f"No rule has the level {level!r}.", remedy=f"There are: {', '.join(levels)}."
        )
    if as_json:
        output.document("kit_coverage", norms.document(found))
    else:
        norms.show(found, language_of(lang))


@app.command("cost")
def show_cost(
    profile: Annotated[
        Profile | None, typer.Option(help="Only the measures of that profile.")
    ] = None,
    place: WorkspaceDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what the kit itself costs a machine: disk, memory, CPU and network, by measure."""
    found = list(measures(place).values())
    if as_json:
        output.document("kit_cost", cost.document(found))
    else:
        cost.show(found, [profile] if profile else list(Profile))


app.command("adopt")(adopt)


def _brief(measure: Measure) -> dict[str, Any]:
    return {
        "id": measure.id,
        "step": measure.step.value,
        "title": _both(measure.title),
        "profiles": [profile.value for profile in Profile if profile in measure.profiles],
        "norms": list(measure.norms),
        "lockout_risk": measure.lockout_risk,
        "reboot": measure.reboot,
        "applies": measure.applies,
    }


def _whole(measure: Measure) -> dict[str, Any]:
    return {
        **_brief(measure),
        **{part: _both(getattr(measure, part)) for part in measure_page.HEADINGS["en"]},
        "undo": measure.undo,
        "footprint": dict(measure.footprint),
        "budget": dict(measure.budget),
        "folder": str(measure.path),
        "variables": [
            {"name": v.name, "default": v.default, "comment": " ".join(v.comment)}
            for v in kit.variables(measure)
        ],
    }


def _both(text: Text) -> dict[str, str]:
    return {"fr": text.fr, "en": text.en}
