"""What the probe of a machine keeps of a whole day, as the nightly look brings it back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kitsurvie.model import Evidence, Reading

# a check of the measure `metrics_probe` asks exactly this
COMMAND = "cat /var/lib/kitsurvie/probe/totals.json"
FORMAT = 1
MOST_BYTES = 10_000
METHODS = ("rapl", "battery")
SECONDS = ("powered", "suspended", *METHODS, "modelled")
BOUNDS = ("low", "central", "high")
MACHINES = ("physical", "virtual", "container")
CHASSIS = ("desktop", "laptop", "server", "unknown")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def reading(evidence: Evidence | None, at: float) -> Reading | None:
    """The reading in what a host answered at a moment (seconds since the epoch).

    None when it was not asked, has none, it is no such, or its clock is ahead by more than a day.
    """
    answer = evidence.answers.get(COMMAND) if evidence else None
    if evidence is None or answer is None or answer.rc != 0 or answer.flaw:
        return None
    if len(answer.stdout) > MOST_BYTES:
        return None
    try:
        found = _reading(evidence.host, json.loads(answer.stdout))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    tomorrow = datetime.fromtimestamp(at, UTC).date() + timedelta(days=1)
    return found if found.day <= tomorrow.isoformat() else None


def _reading(host: str, said: Mapping[str, Any]) -> Reading:
    if said["format"] != FORMAT:
        raise ValueError(said["format"])
    day, since = _day(said["day"]), _day(said["since"])
    if since > day:
        raise ValueError(since)
    used = said.get("last_used")
    return Reading(
        host, day, since, _one_of(said["machine"], MACHINES), _one_of(said["chassis"], CHASSIS),
        _counts(said.get("joules"), METHODS),
        _bounds(said.get("modelled")),
        _counts(said.get("seconds"), SECONDS), _day(used) if used else None,
    )  # fmt: skip


def _day(said: object) -> str:
    if not isinstance(said, str) or not _DAY.fullmatch(said):
        raise ValueError(said)
    return date.fromisoformat(said).isoformat()


def _one_of(said: object, known: tuple[str, ...]) -> str:
    if not isinstance(said, str) or said not in known:
        raise ValueError(said)
    return said


def _counts(said: Mapping[str, object] | None, known: tuple[str, ...]) -> dict[str, float]:
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise TypeError(said)
    return {name: _count(said[name]) for name in known if name in said}


def _bounds(said: Mapping[str, object] | None) -> tuple[float, float, float] | None:
    if not said:
        return None
    low, central, high = (_count(said[bound]) for bound in BOUNDS)
    if not low <= central <= high:
        raise ValueError(said)
    return low, central, high


def _count(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise TypeError(said)
    if not math.isfinite(said) or said < 0:
        raise ValueError(said)
    return float(said)
