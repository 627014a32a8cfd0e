"""A device: what its records say of it together, under an id that outlives imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

from kitsurvie.assets.record import Kind, Source
from kitsurvie.assets.traces import Trace

# who says best what a thing is: what ran on it, then what people keep of it
_BY_INVENTORY = (Source.FLEET, Source.GLPI_JSON, Source.AGENT_XML, Source.GLPI_CSV)

_GONE = re.compile(
    r"discard|retired|archiv|broken|lost|stolen|sold|disposed|stock|ready to deploy|pending"
    r"|réform|reform|rebut|sorti|cédé|cede|perdu|volé|vole\b|hors service|\bhs\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Device:
    """A machine. `records` are the ids of its records, sorted.

    `name`, `maker`, `model`, `serial`, `status` are as said by the record that saw it last;
    `names` and `serials` are all of them in one spelling (`identifiers`). `last_users` are
    pseudonyms from inventories, the latest first; `assigned` those that a register (Snipe-IT, a
    spreadsheet) hands it to. `seen` is None for what is only on paper.
    """

    id: str
    records: tuple[str, ...]
    member: str | None
    kind: Kind
    name: str
    maker: str
    model: str
    serial: str
    status: str
    names: tuple[str, ...]
    serials: frozenset[str]
    last_users: tuple[str, ...]
    assigned: tuple[str, ...]
    seen: datetime | None
    bought: date | None


def device(traces: Sequence[Trace]) -> Device:
    """The device of some traces, at least one; its id is made from its first record's."""
    latest = sorted(traces, key=_order) if len(traces) > 1 else list(traces)
    kinds = [t.kind for t in latest if t.kind is not Kind.UNKNOWN]
    read = [t for t in latest if t.source in _BY_INVENTORY]
    paper = [t for t in latest if t.source not in _BY_INVENTORY]
    seen = max((t.seen for t in traces if t.seen), default=None)
    records = tuple(sorted(t.id for t in traces))
    return Device(
        id=made_id(records[0]),
        records=records,
        member=_first(latest, "member"),
        kind=kinds[0] if kinds else Kind.UNKNOWN,
        name=_first(latest, "called", "name") or _first(latest, "called") or "",
        maker=_first(latest, "said_maker", "maker") or "",
        model=_first(latest, "said_model", "model") or "",
        serial=_first(latest, "said_serial", "serial") or "",
        status=_first(latest, "status") or "",
        names=tuple(dict.fromkeys(t.name for t in latest if t.name)),
        serials=frozenset(t.serial for t in traces if t.serial),
        last_users=tuple(dict.fromkeys(t.user for t in read if t.user)),
        assigned=tuple(dict.fromkeys(t.user for t in paper if t.user)),
        seen=seen,
        bought=min((t.bought for t in traces if t.bought), default=None),
    )


def says_gone(status: str) -> bool:
    """Whether a register says that a machine is in no service: in stock, broken, given away."""
    return bool(_GONE.search(status))


def made_id(text: str, again: int = 0) -> str:
    """An id for a new device: `d` and 12 hexadecimal digits; `again` gives another one."""
    return "d" + sha256(f"{text}#{again}".encode()).hexdigest()[:12]


def adopt(
    devices: Iterable[Device], previous: Mapping[str, Iterable[str]]
) -> tuple[Device, ...]:  # fmt: skip
    """The same devices under the ids they had before; `previous` gives each id its record ids.

    A former id goes to the device that shares most records with it, and each device takes one at
    most; of equal shares the device with the lesser first record wins. So a merge keeps the id of
    the larger part, and a split leaves the id to the larger part and makes a new one for the other.
    """
    now = list(devices)
    of = {record: at for at, device in enumerate(now) for record in device.records}
    shares: dict[tuple[str, int], int] = {}
    for former, records in previous.items():
        for record in records:
            if record in of:
                pair = (former, of[record])
                shares[pair] = shares.get(pair, 0) + 1
    given: dict[int, str] = {}
    used: set[str] = set()
    order = sorted(shares, key=lambda pair: (-shares[pair], now[pair[1]].records[0], pair[0]))
    for former, at in order:
        if at not in given and former not in used:
            given[at] = former
            used.add(former)
    # a former id that found no device stays the former device's, in the journal
    taken = used | set(previous)
    for at, device in enumerate(now):
        if at not in given:
            again = 0
            while (fresh := made_id(device.records[0], again)) in taken:
                again += 1
            given[at] = fresh
            taken.add(fresh)
    return tuple(
        device if device.id == given[at] else replace(device, id=given[at])
        for at, device in enumerate(now)
    )


def _order(trace: Trace) -> tuple[float, int, str]:
    """The latest seen first, then inventories before registers."""
    rank = _BY_INVENTORY.index(trace.source) if trace.source in _BY_INVENTORY else 9
    return -trace.seen.timestamp() if trace.seen else 0.0, rank, trace.id


def _first(traces: Iterable[Trace], field: str, where: str = "") -> str | None:
    """The first that is said in a field, by those that have the other field as well."""
    for one in traces:
        if (said := getattr(one, field)) and (not where or getattr(one, where)):
            return str(said)
    return None
