"""What giving one machine up is worth: a purchase avoided, then kgCO2e, kWh and EUR."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kitsurvie.assets.devices import Device
from kitsurvie.assets.factors import Factors, Figure, Range
from kitsurvie.assets.record import Kind

DAYS_OF_A_YEAR = 365.25
# of an age that nobody knows, anything from new to worn out
ANY_AGE = Range(0.0, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Worth:
    """What one machine that is given up is worth; None is what no source gives.

    `purchase` is the share of a new machine of its kind that handing it on avoids: the share of its
    life that is left. `price` is that share in EUR, `embodied` in kgCO2e, both once. `energy`
    (kWh), `use_carbon` (kgCO2e) and `energy_price` (EUR) are for each year.
    """

    years_left: Figure | None
    purchase: Figure | None
    price: Figure | None
    embodied: Figure | None
    energy: Figure | None
    use_carbon: Figure | None
    energy_price: Figure | None


def yearly(days: int, window_days: int) -> float:
    """Days of use in a year, from those counted in a window of so many days."""
    return days * DAYS_OF_A_YEAR / window_days


def worth(
    device: Device,
    factors: Factors,
    today: date,
    days: float | None = None,
    moved_to: Kind | None = None,
) -> Worth:
    """The worth of giving a machine up.

    `days` are its days of use in a year, 220 unless known; `moved_to` is the kind of machine that
    takes those days over, and whose kWh are taken off.
    """
    left = years_left(device, factors, today)
    purchase = _purchase(device, factors, left)
    price = factors.of(device.kind, "purchase_price")
    embodied = factors.embodied(device.kind)
    energy = factors.energy(device.kind, days)
    instead = factors.energy(moved_to, days) if moved_to else None
    if energy and moved_to:
        energy = energy - instead if instead else None
    grid, tariff = factors.grid(), factors.price()
    return Worth(
        years_left=left,
        purchase=purchase,
        price=price.times(purchase, "EUR") if price and purchase else None,
        embodied=embodied.times(purchase, "kgCO2e") if embodied and purchase else None,
        energy=energy,
        use_carbon=energy.times(grid, "kgCO2e/year") if energy and grid else None,
        energy_price=energy.times(tariff, "EUR/year") if energy and tariff else None,
    )


def years_left(device: Device, factors: Factors, today: date) -> Figure | None:
    """Years of life left from the purchase date; None where the date or the lifetime is unknown."""
    lifetime = factors.of(device.kind, "lifetime")
    if lifetime is None or device.bought is None:
        return None
    age = max(0.0, (today - device.bought).days / DAYS_OF_A_YEAR)
    span = lifetime.range
    left = Range(*(max(0.0, years - age) for years in (span.low, span.central, span.high)))
    return Figure(left, "years", lifetime.sources)


def total(each: Iterable[Worth]) -> Worth:
    """What several machines are worth together; years left do not add up.

    A figure that one of them lacks is summed over the others: `None` where all lack it.
    """
    found = list(each)
    sums = {name: _sum(getattr(w, name) for w in found) for name in _SUMMED}
    return Worth(years_left=None, **sums)


_SUMMED = ("purchase", "price", "embodied", "energy", "use_carbon", "energy_price")


def _sum(figures: Iterable[Figure | None]) -> Figure | None:
    result: Figure | None = None
    for figure in figures:
        if figure is not None:
            result = figure if result is None else result + figure
    return result


def _purchase(device: Device, factors: Factors, left: Figure | None) -> Figure | None:
    lifetime = factors.of(device.kind, "lifetime")
    if lifetime is None:
        return None
    if left is None:
        return Figure(ANY_AGE, "machines", ("its age is not known",))
    span, years = lifetime.range, left.range
    pairs = ((years.low, span.low), (years.central, span.central), (years.high, span.high))
    shares = Range(*(part / whole if whole else 0.0 for part, whole in pairs))
    return Figure(shares, "machines", left.sources)
