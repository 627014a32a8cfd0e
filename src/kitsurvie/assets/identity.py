"""Which records are about one machine. Pure, and the same whatever the order of the records."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from kitsurvie.assets import linking, naming
from kitsurvie.assets.clusters import Clusters, Conflict, Grade, How, Link
from kitsurvie.assets.devices import Device, device
from kitsurvie.assets.faces import shared_accounts
from kitsurvie.assets.record import Record
from kitsurvie.assets.traces import Trace, trace


class Ruling(StrEnum):
    """What a person says of two records: one machine, or two."""

    SAME = "same"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word on two records, by their ids. It wins over every rule."""

    first: str
    second: str
    ruling: Ruling
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """The machines that the records are about.

    `links` are why records were joined, `proposals` what is left to people, `conflicts` what does
    not fit together. `shared` are the accounts that are nobody's own: administrators, deployment.
    """

    devices: tuple[Device, ...]
    links: tuple[Link, ...]
    proposals: tuple[Link, ...]
    conflicts: tuple[Conflict, ...]
    shared: frozenset[str]


def identify(records: Iterable[Record], decisions: Iterable[Decision] = ()) -> Identity:
    """Join records into devices. Records are read once and not kept.

    Of two decisions on one pair the later holds; a decision on a record that is not there waits.
    Where decisions contradict each other, `apart` holds and a conflict says so. Raises ValueError
    when two records have one id.
    """
    with _collector_at_rest():
        return _identify(records, decisions)


def _identify(records: Iterable[Record], decisions: Iterable[Decision]) -> Identity:
    traces = sorted((trace(record) for record in records), key=lambda t: t.id)
    places = {t.id: at for at, t in enumerate(traces)}
    if len(places) != len(traces):
        raise ValueError(f"two records have the id {_twice(traces)}")
    ruled = {
        (min(d.first, d.second), max(d.first, d.second)): d
        for d in decisions
        if d.first in places and d.second in places and d.first != d.second
    }
    clusters = Clusters(
        traces,
        (
            (places[d.first], places[d.second])
            for d in ruled.values()
            if d.ruling is Ruling.APART
        ),
    )  # fmt: skip
    for pair, decision in sorted(ruled.items()):
        if decision.ruling is Ruling.SAME:
            _decided(clusters, places[pair[0]], places[pair[1]], decision)
    linking.by_serial(clusters)
    linking.by_board(clusters)
    shared = shared_accounts(clusters)
    naming.by_name(clusters, shared)
    naming.by_purchase(clusters, shared)
    return _identity(clusters)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No search for cycles meanwhile: there are none, and it takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _decided(clusters: Clusters, one: int, other: int, decision: Decision) -> None:
    reason = decision.reason or "decided by hand"
    if clusters.root(one) == clusters.root(other):
        return
    if not clusters.join(one, other, How.DECIDED, Grade.A, reason):
        sentence = "decisions contradict each other: said to be one machine here, two elsewhere"
        clusters.conflicts.append(Conflict((decision.first, decision.second), sentence))


def _identity(clusters: Clusters) -> Identity:
    roots = clusters.roots(range(len(clusters.traces)))
    found = []
    for root in roots:
        traces = clusters.of(root)
        found.append(device(traces))
        if len(traces) > 1 and len(boards := {t.uuid for t in traces if t.uuid}) > 1:
            ids = tuple(t.id for t in traces if t.uuid)
            sentence = f"one machine with {len(boards)} UUIDs: mainboard changed?"
            clusters.conflicts.append(Conflict(ids, sentence))
    where = {t.id: clusters.root(at) for at, t in enumerate(clusters.traces)}
    return Identity(
        devices=tuple(found),
        links=tuple(link for link in clusters.links if link.how is not How.PROPOSED),
        # a later rule may have joined what an earlier one only proposed
        proposals=tuple(
            link
            for link in clusters.links
            if link.how is How.PROPOSED and where[link.first] != where[link.second]
        ),
        conflicts=tuple(clusters.conflicts),
        shared=shared_accounts(clusters),
    )


def _twice(traces: list[Trace]) -> str:
    return next(a.id for a, b in pairwise(traces) if a.id == b.id)
