"""`kitsurvie kit cost`: what the kit itself costs a machine, measure by measure and in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from kitsurvie.cli import output
from kitsurvie.model import Measure, Profile

# name in measure.yml -> heading
FIGURES = {
    "disk_mb": "disk (MB)",
    "memory_mb": "memory (MB)",
    "cpu_s_per_day": "CPU (s a day)",
    "network_kb_per_day": "network (kB a day)",
}


def totals(measures: Iterable[Measure], profile: Profile) -> dict[str, float]:
    """The sum of what was measured for a profile, by name of figure; empty when nothing was."""
    own = [m for m in measures if profile in m.profiles and m.footprint]
    if not own:
        return {}
    return {
        name: round(sum(measure.footprint.get(name, 0.0) for measure in own), 2) for name in FIGURES
    }


def document(measures: Sequence[Measure]) -> dict[str, Any]:
    """The payload of `kit cost --json`."""
    return {
        "measures": [
            {
                "id": measure.id,
                "profiles": [p.value for p in Profile if p in measure.profiles],
                "footprint": dict(measure.footprint) or None,
                "budget": dict(measure.budget),
            }
            for measure in measures
        ],
        "totals": {profile.value: totals(measures, profile) for profile in Profile},
    }


def show(measures: Sequence[Measure], profiles: Sequence[Profile]) -> None:
    """Print one line a measure, then the sum for each profile."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("measure", overflow="fold")
    for heading in FIGURES.values():
        table.add_column(heading, justify="right")
    for measure in measures:
        if measure.profiles & set(profiles):
            table.add_row(measure.id, *_cells(measure.footprint))
    table.add_section()
    for profile in profiles:
        table.add_row(f"in all, {profile.value}", *_cells(totals(measures, profile)))
    output.stdout().print(table)
    unknown = [m.id for m in measures if not m.footprint and m.profiles & set(profiles)]
    if unknown:
        output.say(f"\nNot measured yet, and not in the sums: {', '.join(unknown)}")
    output.say(
        "\nMeasured on a lab machine that carries the measure alone; what several share, such as"
        "\nthe libraries of windows, counts in each of them: make footprint"
    )


def _cells(figures: Mapping[str, float]) -> list[str]:
    return [f"{figures[name]:g}" if name in figures else "?" for name in FIGURES]
