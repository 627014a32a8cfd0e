"""What is due on a host: a check that drifts, or a measure that changed since it was applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kitsurvie.model import Item, Mode, Status, Verdict


@dataclass(frozen=True, slots=True)
class Due:
    """A measure to apply to a host, and why, in words."""

    host: str
    measure: str
    why: str


def due(
    items: Iterable[Item],
    verdicts: Iterable[Verdict],
    stamps: Mapping[str, str],
    *,
    full: bool = False,
) -> tuple[Due, ...]:
    """The measures of one host that Ansible must run, in the order of the kit.

    Only measures in mode `enforce` that have something to apply. `stamps` are the digests found
    on the host, by measure.
    """
    drifting: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.status is Status.DRIFT:
            drifting.setdefault(verdict.measure, []).append(verdict.check)
    found = []
    for item in items:
        if item.mode is not Mode.ENFORCE or not item.applies:
            continue
        why = _why(item, drifting.get(item.measure, []), stamps.get(item.measure), full)
        if why:
            found.append(Due(item.host, item.measure, why))
    return tuple(found)


def _why(item: Item, drifting: list[str], stamp: str | None, full: bool) -> str:
    if drifting:
        more = f" and {len(drifting) - 1} more" if len(drifting) > 1 else ""
        return f"{drifting[0]} drifts{more}"
    if stamp is None:
        return "never applied here"
    if stamp != item.stamp:
        return "the measure or its variables changed since it was applied"
    return "asked for with --full" if full else ""
