"""What was read at one time, as plain numbers: part by part, a part that failed with none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kitsurvie.metrics.catalogue import CATALOGUE

# Twice what a syndicate of 50,000 devices, 500 members and 30 EPCI is to have (design, section 13)
MOST_SERIES = 10_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One number: a metric of the catalogue by its name, the value of each label, the value."""

    metric: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Part:
    """What a part gave. `why` is one sentence where it is down; then it has no samples."""

    name: str
    samples: tuple[Sample, ...] = ()
    why: str = ""

    @property
    def up(self) -> bool:
        """Whether it could be read."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is shown. Times are seconds since the epoch, `seconds` how long it took.

    `ledger_up` and the times are None while nothing was read yet.
    """

    version: str
    parts: tuple[Part, ...] = ()
    ledger_up: bool | None = None
    read_at: float | None = None
    seconds: float | None = None


def checked(part: Part) -> Part:
    """The same part, or one that is down where it gave what may not be shown."""
    seen = set()
    for one in part.samples:
        wrong = _wrong(part.name, one)
        key = (one.metric, *sorted(one.labels.items()))
        if not wrong and key in seen:
            wrong = f"{one.metric} twice with the same labels"
        if wrong:
            return Part(part.name, why=f"The part {part.name} gave {wrong}.")
        seen.add(key)
    return part


def _wrong(part: str, one: Sample) -> str:
    """What is wrong with a sample, without its values: they are what may not be shown."""
    metric = CATALOGUE.get(one.metric)
    if metric is None:
        return "a metric that is not in the catalogue"
    if part not in metric.parts:
        return f"{one.metric}, which is not its own"
    if one.labels.keys() != metric.labels.keys():
        return f"{one.metric} with other labels than its own"
    for label, values in metric.labels.items():
        if not values.hold(one.labels[label]):
            return f"{one.metric} with a value of {label} that may not be shown"
    if not math.isfinite(one.value):
        return f"{one.metric} without a number"
    return ""


def bounded(parts: Iterable[Part], most: int = MOST_SERIES) -> tuple[Part, ...]:
    """The parts in their order; one that would bring more series than `most` is turned down."""
    found, series = [], 0
    for one in parts:
        if series + len(one.samples) > most:
            why = (
                f"The part {one.name} has {len(one.samples)} series, and with it there would be "
                f"more than {most}."
            )
            found.append(replace(one, samples=(), why=why))
        else:
            series += len(one.samples)
            found.append(one)
    return tuple(found)
