"""How full and how old a device is, and how long ago an inventory saw it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kitsurvie.assets.anniversary import anniversary
from kitsurvie.assets.finding import Said, french
from kitsurvie.assets.protection import drive
from kitsurvie.assets.record import Volume
from kitsurvie.model import Status, Text

GIB = 1 << 30
# A system volume this full has no room for an update and for what it unpacks: Windows itself sets
# some 7 GB aside for them (reserved storage, Microsoft, since version 1903). The lesser of the two
# counts, so that neither a small disk nor a large one is blamed for its size
LEAST_FREE_SHARE = 0.10
LEAST_FREE_GB = 10


def system_volume(volumes: Sequence[Volume]) -> Volume | None:
    """The volume that the system is on: `C:`, or else `/`."""
    places = {drive(volume.mount): volume for volume in volumes}
    return places.get("C:") or places.get("/")


def judge_free_space(volumes: Sequence[Volume]) -> Said:
    """Whether the system volume has room; its size may be silent where the free space suffices."""
    expected = f"at least {LEAST_FREE_SHARE:.0%} or {LEAST_FREE_GB} GB free, whichever is less"
    volume = system_volume(volumes)
    if volume is None or volume.free_bytes is None or volume.free_bytes < 0:
        return _space_not_said("", expected)
    free, size = volume.free_bytes, volume.size_bytes
    place = drive(volume.mount)
    found = f"{place} {free / GIB:.1f} GB free"
    if size is not None:
        found += f" of {size / GIB:.1f} GB"
        if size <= 0 or free > size:
            return _space_not_said(found, expected)
    enough = free >= LEAST_FREE_GB * GIB or (size is not None and free >= LEAST_FREE_SHARE * size)
    if not enough and size is None:
        return _space_not_said(found, expected)
    few = Text("", "") if enough else Text(", trop peu pour une mise à jour", ", too few to update")
    return Said(
        Status.COMPLIANT if enough else Status.DRIFT, found, expected,
        Text(
            f"Il reste {f'{free / GIB:.1f}'.replace('.', ',')} Go sur {place}{few.fr}.",
            f"{free / GIB:.1f} GB are left on {place}{few.en}.",
        ),
    )  # fmt: skip


def _space_not_said(found: str, expected: str) -> Said:
    return Said(
        Status.UNKNOWN, found, expected,
        Text(
            "L’inventaire ne dit pas la place libre du volume du système.",
            "The inventory does not say how much of the system volume is free.",
        ),
    )  # fmt: skip


def judge_age(bought: date | None, today: date, years: int) -> Said:
    """Whether a machine is within so many years of its purchase, that day included."""
    expected = f"bought at most {years} years ago"
    if bought is None or bought > today:
        return Said(
            Status.UNKNOWN, "" if bought is None else bought.isoformat(), expected,
            Text(
                "La date d’achat n’est pas connue.", "The date of purchase is not known."
            ),
        )  # fmt: skip
    old = today > anniversary(bought, years)
    plan = Text("", "")
    if old:
        plan = Text(
            f", il y a plus de {years} ans : son remplacement est à prévoir",
            f", more than {years} years ago: plan for its replacement",
        )
    return Said(
        Status.DRIFT if old else Status.COMPLIANT, f"bought on {bought.isoformat()}", expected,
        Text(
            f"Machine achetée le {french(bought)}{plan.fr}.",
            f"Bought on {bought.isoformat()}{plan.en}.",
        ),
    )  # fmt: skip


def judge_fresh(seen: date | None, today: date, days: int) -> Said:
    """Whether an inventory saw the machine within so many days."""
    expected = f"an inventory of the last {days} days"
    if seen is None:
        return Said(
            Status.UNKNOWN, "none that is dated", expected,
            Text(
                "Aucun inventaire daté ne parle de cette machine.",
                "No dated inventory speaks of this machine.",
            ),
        )  # fmt: skip
    fresh = (today - seen).days <= days
    todo = Text("", "")
    if not fresh:
        todo = Text(
            " : machine à retrouver, ou agent à réparer", ": find the machine, or mend its agent"
        )
    return Said(
        Status.COMPLIANT if fresh else Status.DRIFT, seen.isoformat(), expected,
        Text(
            f"Dernier inventaire le {french(seen)}{todo.fr}.",
            f"Last inventory on {seen.isoformat()}{todo.en}.",
        ),
    )  # fmt: skip
