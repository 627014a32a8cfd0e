"""A made-up estate, as messy as asked, with the truth beside it. No real person, no real machine.

The mess is what registers hold after ten years: reinstalled, renamed and repaired machines, docks,
serials that are no serials, makers who gave one UUID to a whole batch, batches with neighbouring
serials, rows typed by hand, two exports that read a UUID in different byte orders.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from kitsurvie.assets.record import Interface, Kind, Origin, Record, Source
from kitsurvie.assets.traces import record_id

TODAY = datetime(2026, 10, 31, tzinfo=UTC)
# maker, model, kind, what its serials look like (# a digit, ? a letter or a digit)
CATALOGUE = (
    ("Dell Inc.", "OptiPlex 3060", Kind.DESKTOP, "?######"),
    ("Dell Inc.", "Latitude 5420", Kind.LAPTOP, "?????##"),
    ("HP", "HP EliteDesk 800 G3 SFF", Kind.DESKTOP, "CZC#####??"),
    ("Hewlett-Packard", "HP ProBook 450 G8 Notebook PC", Kind.LAPTOP, "5CD#######"),
    ("LENOVO", "ThinkCentre M720q", Kind.DESKTOP, "PC??????"),
    ("LENOVO", "20W0CTO1WW", Kind.LAPTOP, "PF??????"),
    ("FUJITSU CLIENT COMPUTING LIMITED", "ESPRIMO D556", Kind.DESKTOP, "YM??######"),
    ("System manufacturer", "System Product Name", Kind.DESKTOP, "?#?######"),
)
SHARED_NAMES = ("PC-ACCUEIL", "PC-MAIRIE", "PC-BIBLIO", "PORTABLE-PRET", "PC-ELECTIONS")
LISTED = (
    "To be filled by O.E.M.",
    "Default string",
    "00000000",
    "None",
    "System Serial Number",
    "",
)
UNLISTED = ("INCONNU", "SANS NUMERO", "Fabricant", "BIOS-DEFAULT-01", "A DEFINIR", "4C4C4544")
VENDOR_UUIDS = ("03000200-0400-0500-0006-000700080009", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
ADMINISTRATORS = ("administrateur", "glpi-deploy", "support")


@dataclass(frozen=True)
class Mess:
    """How often each trouble occurs, as shares of the machines or rows it may befall."""

    no_serial: float = 0.06
    vendor_uuid: float = 0.02
    reinstalled: float = 0.09
    renamed: float = 0.06
    repaired: float = 0.02
    serial_lost: float = 0.2  # of the repaired
    docked: float = 0.25
    second_inventory: float = 0.15
    swapped_uuid: float = 0.2
    register_laptops: float = 0.7
    register_desktops: float = 0.15
    stale_name: float = 0.05
    slip: float = 0.06
    spelled_otherwise: float = 0.25
    paper_only_name: float = 0.03
    moved: float = 0.005
    administrator: float = 0.1
    shared_name: float = 0.1


@dataclass(frozen=True)
class Estate:
    """Records, and the machine that each is about by the record's id.

    `moved` are the records whose machine is also known in another member: no rule may join those
    by itself, so they are not held against recall.
    """

    records: list[Record]
    truth: dict[str, int]
    moved: frozenset[str]


@dataclass(frozen=True)
class Score:
    """How the pairs that were joined compare with the truth."""

    precision: float
    recall: float
    across_members: int

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def score(estate: Estate, groups: list[tuple[str, ...]]) -> Score:
    """Precision and recall over pairs of records, for groups of record ids."""
    member = {record_id(record): record.member for record in estate.records}
    made = {pair for group in groups for pair in _pairs(group)}
    machines: dict[int, list[str]] = {}
    for record, machine in estate.truth.items():
        machines.setdefault(machine, []).append(record)
    true = {pair for group in machines.values() for pair in _pairs(group)}
    expected = {p for p in true if not estate.moved & set(p)}
    return Score(
        precision=len(made & true) / max(1, len(made)),
        recall=len(made & expected) / max(1, len(expected)),
        across_members=sum(member[a] != member[b] for a, b in made),
    )


def make(seed: int, machines: int, mess: Mess | None = None) -> Estate:
    """An estate of so many machines; the same for the same seed."""
    return _Maker(seed, mess or Mess()).make(machines)


class _Maker:
    def __init__(self, seed: int, mess: Mess) -> None:
        self.random = random.Random(seed)
        self.mess = mess
        self.keys = 0
        self.truth: dict[str, int] = {}
        self.moved: set[str] = set()
        self.records: list[Record] = []
        self.batches: dict[tuple[str, str], list[str]] = {}
        self.docks: dict[str, list[str]] = {}
        self.own_uuids = [self.uuid() for _ in range(3)]

    def make(self, machines: int) -> Estate:
        members = [f"2150{n:05d}" for n in range(max(3, machines // 5))]
        weights = [1 / (rank + 3) for rank in range(len(members))]
        for machine in range(machines):
            member = self.random.choices(members, weights)[0]
            for record in self.life(machine, member, members):
                self.truth[record_id(record)] = machine
                self.records.append(record)
        self.random.shuffle(self.records)
        return Estate(self.records, self.truth, frozenset(self.moved))

    def life(self, machine: int, member: str, members: list[str]) -> Iterator[Record]:
        """Every record of one machine."""
        maker, model, kind, pattern = self.random.choice(CATALOGUE)
        serial = self.serial(member, model, pattern)
        if self.chance(self.mess.no_serial * (3 if maker == "System manufacturer" else 1)):
            serial = self.random.choice(LISTED if self.chance(0.6) else UNLISTED)
        person = f"agent{machine if self.chance(0.8) else machine - 1}.{member}"
        if self.chance(self.mess.administrator):
            person = self.random.choice(ADMINISTRATORS)
        now = Record(
            source=self.random.choices(
                (Source.GLPI_CSV, Source.GLPI_JSON, Source.AGENT_XML, Source.FLEET), (7, 1, 1, 1)
            )[0],
            key="",
            origin=Origin("made-up"),
            member=member,
            kind=kind,
            name=self.name(machine, kind),
            maker=maker,
            model=model,
            serial=serial,
            uuid=self.random.choice((*VENDOR_UUIDS, *self.own_uuids))
            if self.chance(self.mess.vendor_uuid)
            else self.uuid(),
            interfaces=(Interface(self.mac()),),
            user=person,
            seen=TODAY - timedelta(hours=self.random.randrange(24 * 14)),
            bought=date(2019, 1, 1) + timedelta(days=self.random.randrange(2500)),
        )
        if kind is Kind.LAPTOP and self.chance(self.mess.docked):
            now = replace(now, interfaces=self.docked(now, member))
        if self.chance(self.mess.repaired):
            before = replace(
                now, source=Source.GLPI_CSV, uuid=self.uuid(), interfaces=(Interface(self.mac()),),
                seen=self.earlier(now),
            )  # fmt: skip
            yield self.filed(before)
            if self.chance(self.mess.serial_lost):
                now = replace(now, serial=self.random.choice(LISTED))
        yield self.filed(now)
        yield from self.others(now, serial, machine)
        if self.chance(self.mess.moved):
            gone = self.filed(
                replace(
                    now,
                    source=Source.GLPI_CSV,
                    member=self.random.choice(members),
                    seen=self.earlier(now),
                )
            )
            if gone.member != member:
                self.moved.add(record_id(gone))
            yield gone

    def others(self, now: Record, serial: str, machine: int) -> Iterator[Record]:
        """What other entries and other registers say of the machine."""
        if self.chance(self.mess.reinstalled):
            called = "DESKTOP-" + self.sign(7)
            yield self.filed(
                replace(now, source=Source.GLPI_CSV, name=called, seen=self.earlier(now))
            )
        if self.chance(self.mess.renamed):
            called = (
                now.name + "-OLD" if self.chance(0.4) else self.name(machine + 70_000, now.kind)
            )
            yield self.filed(
                replace(now, source=Source.GLPI_CSV, name=called, seen=self.earlier(now))
            )
        if self.chance(self.mess.second_inventory):
            uuid = swapped(now.uuid) if self.chance(self.mess.swapped_uuid) else now.uuid.lower()
            interfaces = (
                *now.interfaces,
                Interface(self.mac(), "Bluetooth Device (Personal Area Network)"),
                Interface("0A:00:27:00:00:05", "VirtualBox Host-Only", True),
            )
            yield self.filed(
                replace(
                    now, source=Source.AGENT_XML, uuid=uuid, interfaces=interfaces, register="2"
                )
            )
        laptop = now.kind is Kind.LAPTOP
        if self.chance(self.mess.register_laptops if laptop else self.mess.register_desktops):
            yield self.filed(self.typed(now, serial, machine))
        if self.chance(self.mess.paper_only_name):
            yield self.filed(
                Record(
                    source=Source.PLAIN_CSV,
                    key="",
                    origin=Origin("made-up"),
                    member=now.member,
                    name=now.name,
                    kind=now.kind,
                    model=now.model,
                )
            )

    def typed(self, now: Record, serial: str, machine: int) -> Record:
        """A row that somebody typed."""
        stale = self.chance(self.mess.stale_name)
        if serial and self.chance(self.mess.slip):
            serial = self.slip(serial)
        if serial and self.chance(self.mess.spelled_otherwise):
            serial = self.random.choice(
                (serial.lower(), f"{serial[:3]}-{serial[3:]}", f" {serial[:4]} {serial[4:]}",
                 f"S/N: {serial}")
            )  # fmt: skip
        return replace(
            now,
            source=Source.SNIPEIT_CSV,
            name=self.name(machine + 90_000, now.kind) if stale else now.name,
            maker=now.maker.split()[0].title(),
            serial=serial,
            uuid="",
            interfaces=(),
            seen=None,
            user=now.user if self.chance(0.8) else "",
            status="Deployed",
        )

    def slip(self, serial: str) -> str:
        at = self.random.randrange(len(serial))
        kind = self.random.randrange(4)
        if kind == 0:
            return serial.replace("0", "O") if "0" in serial else serial.replace("1", "I")
        if kind == 1:
            return "S" + serial
        if kind == 2:
            return serial[:at] + serial[at + 1 :]
        return serial[:at] + self.sign(1) + serial[at + 1 :]

    def filed(self, record: Record) -> Record:
        self.keys += 1
        return replace(record, key=str(self.keys))

    def serial(self, member: str, model: str, pattern: str) -> str:
        """A new serial, often the next one of the batch that the member bought."""
        batch = self.batches.setdefault((member, model), [])
        if batch and self.chance(0.5):
            head, tail = batch[-1][:-2], batch[-1][-2:]
            new = head + f"{(int(tail, 36) + 1) % 1296:02X}"[-2:]
        else:
            new = "".join(
                self.random.choice(string.digits) if sign == "#"
                else self.sign(1) if sign == "?" else sign
                for sign in pattern
            )  # fmt: skip
        batch.append(new)
        return new

    def docked(self, now: Record, member: str) -> tuple[Interface, ...]:
        docks = self.docks.setdefault(member, [])
        if not docks or self.chance(0.2):
            docks.append(self.mac())
        dock = Interface(self.random.choice(docks))
        # an export with one address gives the dock's, half of the time
        return (dock,) if now.source is Source.GLPI_CSV else (*now.interfaces, dock)

    def name(self, machine: int, kind: Kind) -> str:
        if self.chance(self.mess.shared_name):
            return self.random.choice(SHARED_NAMES)
        return f"{'PT' if kind is Kind.LAPTOP else 'PF'}-{machine:06d}"

    def earlier(self, now: Record) -> datetime:
        assert now.seen is not None
        return now.seen - timedelta(days=self.random.randrange(20, 600))

    def uuid(self) -> str:
        digits = f"{self.random.getrandbits(128):032X}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def mac(self) -> str:
        vendor = self.random.choice(("54BF64", "3C5282", "E86A64", "901B0E"))
        digits = f"{vendor}{self.random.getrandbits(24):06X}"
        return ":".join(digits[at : at + 2] for at in range(0, 12, 2))

    def sign(self, count: int) -> str:
        return "".join(self.random.choices(string.ascii_uppercase + string.digits, k=count))

    def chance(self, share: float) -> bool:
        return self.random.random() < share


def swapped(uuid: str) -> str:
    """The same UUID in the other byte order of SMBIOS."""
    fields = uuid.split("-")
    turned = [bytes.fromhex(field)[::-1].hex().upper() for field in fields[:3]]
    return "-".join([*turned, *fields[3:]])


def _pairs(group: tuple[str, ...] | list[str]) -> Iterator[tuple[str, str]]:
    ordered = sorted(group)
    return ((one, other) for at, one in enumerate(ordered) for other in ordered[at + 1 :])
