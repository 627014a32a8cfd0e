"""The part `equipment`: devices, double equipment and what both cost, by EPCI.

Stock is told of any EPCI, use from five agents up; of what a handful of people use, no joules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kitsurvie.assets import crowd, life
from kitsurvie.assets.devices import Device, says_gone
from kitsurvie.assets.doubles import Double, Pattern
from kitsurvie.assets.factors import Factors, Figure
from kitsurvie.assets.life import State
from kitsurvie.assets.record import Kind
from kitsurvie.assets.worth import total, worth, yearly
from kitsurvie.cli.assets import doubles
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.cli.exporter.stated_and_named import named
from kitsurvie.energy.lines import JOULES_PER_KWH
from kitsurvie.metrics import Sample

GRAMS_OF_A_KG = 1000


def samples(sources: Sources) -> Iterator[Sample]:
    """What the register holds, counted."""
    estate = sources.estate
    devices: Counter[tuple[str, Kind, State]] = Counter()
    for one in estate.devices.values():
        devices[sources.epci(one.member), one.kind, state(one, estate.life(one.id).state)] += 1
    for (epci, kind, where), number in devices.items():
        labels = {"epci": epci, "kind": kind.value, "state": where.value}
        yield Sample("kitsurvie_equipment_devices", labels, number)
    yield from _on_paper(devices, sources.factors)
    yield from _doubles(sources)
    shown = {member: sources.epci(member) for member in sources.shown.members}
    yield from named(sources.inventory, shown, {epci for epci, _, _ in devices if epci})


def state(device: Device, recorded: State) -> State:
    """Where a device stands: as was recorded, else as its own register says; never by its use."""
    if recorded is not State.IN_SERVICE:
        return recorded
    if life.is_in_stock(device.status):
        return State.STOCK
    return State.DISCARDED if says_gone(device.status) else State.IN_SERVICE


def _on_paper(devices: Counter[tuple[str, Kind, State]], factors: Factors) -> Iterator[Sample]:
    for metric, figure, times in (
        ("euros", factors.price(), 1), ("grams", factors.grid(), GRAMS_OF_A_KG),
    ):  # fmt: skip
        name = f"kitsurvie_electricity_joule_{metric}"
        yield from bounds(name, {}, figure, times / JOULES_PER_KWH)
    for (epci, kind, where), number in devices.items():
        each = factors.energy(kind) if where is State.IN_SERVICE else None
        if each is None:
            continue
        energy = each.scaled(number)
        labels = {"epci": epci, "kind": kind.value}
        yield from bounds("kitsurvie_equipment_yearly_joules", labels, energy, JOULES_PER_KWH)


def bounds(
    metric: str, labels: dict[str, str], figure: Figure | None, times: float = 1
) -> Iterator[Sample]:
    """A figure as low, central and high; nothing where there is none."""
    if figure is not None:
        held = figure.range
        for bound, value in (("low", held.low), ("central", held.central), ("high", held.high)):
            yield Sample(metric, {**labels, "bound": bound}, value * times)


def _doubles(sources: Sources) -> Iterator[Sample]:
    found: dict[str, list[Double]] = {epci: [] for epci in sources.shown.epcis}
    members: Counter[tuple[str, Pattern]] = Counter()
    for one in sources.doubles:
        epci = sources.epci(one.member)
        if epci in found:
            found[epci].append(one)
        if one.member in sources.shown.members:
            members[one.member, one.pattern] += 1
    for (member, pattern), number in members.items():
        labels = {"member": member, "verdict": pattern.value}
        yield Sample("kitsurvie_equipment_member_doubles", labels, number)
    for epci, theirs in found.items():
        counts = Counter(one.pattern for one in theirs)
        for pattern in Pattern:
            labels = {"epci": epci, "verdict": pattern.value}
            yield Sample("kitsurvie_equipment_doubles", labels, counts[pattern])
        yield from _worth(sources, epci, theirs)


def _worth(sources: Sources, epci: str, theirs: Iterable[Double]) -> Iterator[Sample]:
    back = [(one, sources.estate.devices[name]) for one in theirs if (name := doubles.given(one))]
    figures = sources.factors
    sums = total(worth(device, figures, sources.window.end) for _, device in back)
    labels = {"epci": epci}
    yield from bounds("kitsurvie_equipment_doubles_avoided_purchases", labels, sums.purchase)
    yield from bounds("kitsurvie_equipment_doubles_purchase_euros", labels, sums.price)
    yield from bounds(
        "kitsurvie_equipment_doubles_embodied_grams", labels, sums.embodied, GRAMS_OF_A_KG
    )
    # the joules of somebody's second machine are its days of use in another unit
    if crowd.is_crowd({one.user for one, _ in back}):
        yield from bounds(
            "kitsurvie_equipment_doubles_yearly_joules", labels, _joules(sources, back),
            JOULES_PER_KWH,
        )  # fmt: skip


def _joules(sources: Sources, back: Iterable[tuple[Double, Device]]) -> Figure | None:
    """The kWh of a year of the machines that would be taken back, by their days of use."""
    sums: Figure | None = None
    for one, device in back:
        counts = one.counts
        days = counts.laptop if device.id == one.laptop else counts.desktop
        known = yearly(days, sources.window.days) if counts.either else None
        energy = sources.factors.energy(device.kind, known)
        if energy is not None:
            sums = energy if sums is None else sums + energy
    return sums
