"""The ways a measure drifts in real life, acted out on a lab machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kitsurvie.errors import LabError, UsageError
from kitsurvie.lab.machine import Machine

_THERE = "/run/kitsurvie-drift.sh"


def known(roles: Iterable[Path]) -> dict[str, Path]:
    """`measure/drift_x` to its script; the first roles folder that has a measure wins."""
    found: dict[str, Path] = {}
    seen: set[str] = set()
    for folder in roles:
        measures = sorted(x for x in folder.iterdir() if x.is_dir()) if folder.is_dir() else []
        for measure in measures:
            if measure.name in seen:
                continue
            seen.add(measure.name)
            for script in sorted((measure / "scenarios").glob("drift_*.sh")):
                found[f"{measure.name}/{script.stem}"] = script
    return found


def act(machine: Machine, name: str, roles: Iterable[Path]) -> None:
    """Run a scenario as root on a machine. Raises UsageError or LabError."""
    scenarios = known(roles)
    if name not in scenarios:
        raise UsageError(
            f"There is no scenario {name}.",
            remedy=f"There are: {', '.join(scenarios) or 'none'}.",
        )
    script = scenarios[name].read_bytes()
    machine.run(["install", "-m", "0700", "/dev/stdin", _THERE], script)
    # by its interpreter: nothing runs from /run itself on a machine with an initramfs
    done = machine.run(["/bin/sh", _THERE])
    machine.run(["rm", "-f", _THERE])
    if done.returncode != 0:
        raise LabError(
            f"The scenario {name} failed on {machine.name}: "
            f"{done.stderr.decode(errors='replace').strip()[-500:]}",
            where=str(scenarios[name]),
            remedy="Mend the scenario, or apply the measure first: it breaks what the kit made.",
        )
