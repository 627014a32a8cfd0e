"""What a kind of device costs in kWh, kgCO2e and EUR: low, central, high, source and year.

Figures for one kind of device differ tenfold between sources, so that none goes alone: the central
one is ADEME's, and makers' first and last deciles (Boavizta) widen it. A syndicate's own file, of
the same headings, replaces what it names: its lines for one kind and quantity are the low, the
central (the median) and the high.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from importlib import resources
from pathlib import Path
from statistics import median

from kitsurvie.assets.record import Kind
from kitsurvie.errors import UsageError

# Days of work in a year: 365 less 104 of weekends, 25 of leave, 8 holidays on working days and some
# 8 of reduced working time
WORKING_DAYS = 220
HEADINGS = ("kind", "quantity", "value", "unit", "source", "year")
# what the lines of `factors.csv` call our kinds, and Boavizta's file in turn
_KINDS: Mapping[Kind, tuple[tuple[str, ...], str]] = {
    Kind.DESKTOP: (("desktop_pro", "desktop"), "Desktop"),
    Kind.LAPTOP: (("laptop",), "Laptop"),
    Kind.SCREEN: (("monitor_24in",), "Monitor"),
}
_EMBODIED = ("embodied_manufacture", "embodied_distribution", "embodied_end_of_life")
_NOT_USE = "gwp_non_use (gwp_total*(1-gwp_use_ratio))"
_BOAVIZTA = "Boavizta environmental-footprint-data, p10 and p90 (ODbL 1.0)"


@dataclass(frozen=True, slots=True)
class Range:
    """Low, central and high of one figure, in one unit; never one of them alone."""

    low: float
    central: float
    high: float

    def __post_init__(self) -> None:
        """Raise ValueError where they are not in order."""
        if not self.low <= self.central <= self.high:
            raise ValueError(f"not in order: {self.low}, {self.central}, {self.high}")

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.central + other.central, self.high + other.high)

    def __sub__(self, other: Range) -> Range:
        return Range(self.low - other.high, self.central - other.central, self.high - other.low)

    def __mul__(self, other: Range | float) -> Range:
        """The product, whatever the signs."""
        by = other if isinstance(other, Range) else Range(other, other, other)
        corners = [one * two for one in (self.low, self.high) for two in (by.low, by.high)]
        return Range(min(corners), self.central * by.central, max(corners))


@dataclass(frozen=True, slots=True)
class Figure:
    """A range with its unit and where it comes from, each source with its year."""

    range: Range
    unit: str
    sources: tuple[str, ...]

    def __add__(self, other: Figure) -> Figure:
        return Figure(self.range + other.range, self.unit, _all(self.sources, other.sources))

    def __sub__(self, other: Figure) -> Figure:
        return Figure(self.range - other.range, self.unit, _all(self.sources, other.sources))

    def times(self, other: Figure, unit: str) -> Figure:
        """The product of two figures, in a unit of its own."""
        return Figure(self.range * other.range, unit, _all(self.sources, other.sources))

    def scaled(self, by: Range | float) -> Figure:
        """The same figure so many times."""
        return Figure(self.range * by, self.unit, self.sources)


@dataclass(frozen=True, slots=True)
class _Line:
    value: float
    unit: str
    source: str
    own: bool = False


class Factors:
    """Figures by kind of device. What no source gives is None, never zero."""

    def __init__(self, lines: Mapping[tuple[str, str], tuple[_Line, ...]]) -> None:
        self._lines = lines

    def said(self, kind: str, quantity: str) -> Figure | None:
        """What the lines of one kind and quantity say."""
        lines = self._lines.get((kind, quantity))
        if not lines:
            return None
        values = [line.value for line in lines]
        sources = _all(line.source for line in lines)
        return Figure(
            Range(min(values), float(median(values)), max(values)), lines[0].unit, sources
        )  # fmt: skip

    def of(self, kind: Kind, quantity: str) -> Figure | None:
        """The same for a kind of device, under the names that the lines may give it."""
        names, _ = _KINDS.get(kind, ((kind.value,), ""))
        return next((f for name in names if (f := self.said(name, quantity))), None)

    def embodied(self, kind: Kind) -> Figure | None:
        """KgCO2e of making, bringing and discarding one device."""
        parts = [figure for name in _EMBODIED if (figure := self.of(kind, name))]
        if not parts:
            return None
        return _widened(reduce(lambda one, other: one + other, parts), self._makers(kind, _NOT_USE))

    def energy(self, kind: Kind, days: float | None = None) -> Figure | None:
        """The kWh that one device uses in a year of so many days of use.

        220 working days unless its use is known. The makers' deciles are of a working year, and are
        scaled to the days like the rest.
        """
        power = self.of(kind, "active_power")
        hours = self.of(kind, "daily_use") or self.of(kind, "daily_use_personal")
        if power is None or hours is None:
            return None
        year = power.times(hours, "kWh/year").scaled(WORKING_DAYS / 1000)
        bounds = self._makers(kind, "yearly_tec")
        whole = self.of(kind, "annual_use_derived")
        if whole:
            bounds = (min(bounds[0], whole.range.low), max(bounds[1], whole.range.high)) if (
                bounds
            ) else (whole.range.low, whole.range.high)  # fmt: skip
        used = WORKING_DAYS if days is None else days
        return _widened(year, bounds).scaled(used / WORKING_DAYS)

    def grid(self) -> Figure | None:
        """KgCO2e of a kWh of the French grid."""
        return self.said("grid_FR", "emission_factor")

    def price(self) -> Figure | None:
        """EUR of a kWh: the syndicate's own invoice, else from the regulated tariff.

        The tariff's kWh alone is the central and the low: who uses less saves no standing charge.
        With that charge it is the high.
        """
        own = self.said("tariff", "own_kwh")
        least, most = (
            self.said("tariff_FR", "trve_base_kwh"),
            self.said("tariff_FR", "trve_average"),
        )
        if own or least is None or most is None:
            return own or least or most
        low, high = sorted((least.range.central, most.range.central))
        return Figure(
            Range(low, least.range.central, high), least.unit, _all(least.sources, most.sources)
        )

    def _makers(self, kind: Kind, measure: str) -> tuple[float, float] | None:
        """The makers' deciles, unless the syndicate gave figures of its own for the kind."""
        names, theirs = _KINDS.get(kind, ((kind.value,), kind.value.capitalize()))
        own = any(
            line.own
            for (name, quantity), lines in self._lines.items()
            if name in names and quantity in {*_EMBODIED, "active_power", "daily_use"}
            for line in lines
        )
        return None if own else _quantiles().get((theirs, measure))


def load(own: Path | None = None) -> Factors:
    """The factors that travel with kitsurvie, with a syndicate's own file over them.

    Raises UsageError, with file and line, when that file cannot be used.
    """
    lines = dict(_shipped())
    if own is not None:
        try:
            text = own.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"The factors file cannot be read: {error}.",
                where=str(own),
                remedy="Give a UTF-8 CSV file with the headings of the one that travels with us.",
            ) from error
        lines |= _read(text, str(own), own=True)
    return Factors(lines)


def _read(text: str, where: str, *, own: bool) -> dict[tuple[str, str], tuple[_Line, ...]]:
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in HEADINGS if name not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(
            f"The factors file lacks the headings {', '.join(missing)}.",
            where=where,
            remedy=f"Name its columns {', '.join(HEADINGS)}, separated by commas.",
        )
    found: dict[tuple[str, str], tuple[_Line, ...]] = {}
    for number, row in enumerate(reader, start=2):
        try:
            value = float(row["value"])
            if not 0 <= value < 1e9 or not (row["source"] and row["year"]):
                raise ValueError
        except (TypeError, ValueError):
            raise UsageError(
                f"This line has no number, no source or no year: {row['kind']} {row['quantity']}.",
                where=f"{where}:{number}",
                remedy="Give a number from 0 on (a point, no comma), its source and its year.",
            ) from None
        line = _Line(value, row["unit"], f"{row['source']} ({row['year']})", own)
        key = (row["kind"], row["quantity"])
        found[key] = (*found.get(key, ()), line)
    return found


@cache
def _shipped() -> Mapping[tuple[str, str], tuple[_Line, ...]]:
    return _read(_text("factors.csv"), "factors.csv", own=False)


@cache
def _quantiles() -> Mapping[tuple[str, str], tuple[float, float]]:
    rows = csv.DictReader(_text("boavizta_quantiles.csv").splitlines())
    return {
        (row["subcategory"], row["measure"]): (float(row["p10"]), float(row["p90"]))
        for row in rows
        if row["p10"]
    }


def _text(name: str) -> str:
    return (resources.files("kitsurvie.assets") / "data" / name).read_text("utf-8")


def _widened(figure: Figure, bounds: tuple[float, float] | None) -> Figure:
    if bounds is None:
        return figure
    held = figure.range
    wide = Range(min(held.low, bounds[0]), held.central, max(held.high, bounds[1]))
    return Figure(wide, figure.unit, _all(figure.sources, [_BOAVIZTA]))


def _all(*sources: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source for each in sources for source in each))
