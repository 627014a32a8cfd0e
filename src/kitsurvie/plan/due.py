"""What is due on a host.

A check that drifts, a measure that changed since it was applied, one that is off and still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kitsurvie.model import Action, Item, Mode, Status, Verdict


@dataclass(frozen=True, slots=True)
class Due:
    """A measure to apply to a host, or to take away from it, and why, in words."""

    host: str
    measure: str
    why: str
    action: Action = Action.APPLY


def due(
    items: Iterable[Item],
    verdicts: Iterable[Verdict],
    stamps: Mapping[str, str],
    *,
    full: bool = False,
) -> tuple[Due, ...]:
    """The measures of one host that Ansible must run, in the order of the kit.

    Measures in mode `enforce` that have something to apply; and, once, those that are off where the
    host still carries their stamp: undoing them, or leaving them as they are, takes the stamp away.
    `stamps` are the digests found on the host, by measure.
    """
    drifting: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.status is Status.DRIFT:
            drifting.setdefault(verdict.measure, []).append(verdict.check)
    found = []
    for item in items:
        if item.mode is Mode.OFF and item.measure in stamps:
            found.append(_off(item))
        if item.mode is not Mode.ENFORCE or not item.applies:
            continue
        why = _why(item, drifting.get(item.measure, []), stamps.get(item.measure), full)
        if why:
            found.append(Due(item.host, item.measure, why))
    return tuple(found)


def _off(item: Item) -> Due:
    because = f": {item.reason}" if item.reason else ""
    if item.undo:
        return Due(item.host, item.measure, f"switched off, to be undone{because}", Action.UNDO)
    why = f"switched off, left in place{because}"
    return Due(item.host, item.measure, why, Action.LEAVE)


def _why(item: Item, drifting: list[str], stamp: str | None, full: bool) -> str:
    if drifting:
        more = f" and {len(drifting) - 1} more" if len(drifting) > 1 else ""
        return f"{drifting[0]} drifts{more}"
    if stamp is None:
        return "never applied here"
    if stamp != item.stamp:
        return "the measure or its variables changed since it was applied"
    return "asked for with --full" if full else ""
