"""What the register holds, as devices: read once for a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from kitsurvie import inventory as inventories
from kitsurvie.assets import packing
from kitsurvie.assets.devices import Device, adopt
from kitsurvie.assets.identity import Decision, Identity, Ruling, identify
from kitsurvie.assets.record import Exemption, Origin, Record, SessionDay
from kitsurvie.assets.traces import id_of, parts_of_id, record_id
from kitsurvie.assets.use import Use, Window, attach
from kitsurvie.errors import UsageError
from kitsurvie.inventory import territory
from kitsurvie.ledger.register import Register
from kitsurvie.model import Inventory
from kitsurvie.workspace import Workspace

MERGE, EXEMPT = "merge", "exempt"


@dataclass(frozen=True)
class Estate:
    """The devices of the register under their lasting ids, and what is known of them."""

    register: Register
    inventory: Inventory
    identity: Identity
    devices: Mapping[str, Device]
    exemptions: tuple[Exemption, ...]

    def use(self, window: Window) -> Use:
        """Who used which device on which days of a window."""
        days = self.register.days(window.start.isoformat(), window.end.isoformat())
        sessions = (
            SessionDay(
                Origin(""), date.fromisoformat(one.day), one.member or None, one.commune or None,
                one.device_name, one.device_serial, one.user,
            )
            for one in days
        )  # fmt: skip
        return attach(self.devices.values(), sessions, window)

    @cached_property
    def records(self) -> Mapping[str, Record]:
        """Every record by its id: read where one is asked for, since they are most of the room."""
        return {record_id(one): one for one in _records(self.register)}

    @cached_property
    def by_record(self) -> Mapping[str, str]:
        """The device of each record, by their ids."""
        return {record: one.id for one in self.devices.values() for record in one.records}

    def device(self, said: str) -> Device:
        """The device that an id, a serial number or a name means; raises UsageError."""
        if said in self.devices:
            return self.devices[said]
        if said in self.by_record:
            return self.devices[self.by_record[said]]
        wanted = said.casefold()
        found = [
            one
            for one in self.devices.values()
            if wanted in {one.serial.casefold(), one.name.casefold()}
        ]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(f"{one.id} ({self.member(one.member)})" for one in found[:6])
            raise UsageError(
                f"{len(found)} devices are called {said!r}.", remedy=f"Name one by its id: {ids}."
            )
        raise UsageError(
            f"The register has no device {said!r}.",
            remedy="Give an id, a serial number or a name: kitsurvie assets list",
        )

    def member(self, siren: str | None) -> str:
        """The name of a member; its SIREN when nobody knows it, `-` without one."""
        if siren is None or not siren:
            return "-"
        known = self.inventory.members.get(siren)
        return known.name if known else self._communes.get(siren, siren)

    @cached_property
    def _communes(self) -> Mapping[str, str]:
        return {one.siren: one.name for one in territory.members()}


def load(register: Register, place: Workspace) -> Estate:
    """Everything that stands in the register, identified."""
    identity = identify(_records(register), decisions(register))
    former: dict[str, list[str]] = {}
    for (source, name, key), device in register.devices().items():
        former.setdefault(device, []).append(id_of(source, name, key))
    devices = {one.id: one for one in adopt(identity.devices, former)}
    return Estate(register, inventories.load(place), identity, devices, _exemptions(register))


def _records(register: Register) -> Iterator[Record]:
    for entry in register.entries("record"):
        one = packing.unpack("record", entry.data)
        if isinstance(one, Record):
            yield one


def settle(estate: Estate) -> None:
    """Keep which record is of which device, so that ids last."""
    estate.register.set_devices(
        {parts_of_id(record): one.id for one in estate.devices.values() for record in one.records}
    )


def decisions(register: Register) -> list[Decision]:
    """What people decided of two records, in order."""
    return [
        Decision(act.data["a"], act.data["b"], Ruling(act.data["ruling"]), act.data["reason"])
        for act in register.acts(MERGE)
    ]


def _exemptions(register: Register) -> tuple[Exemption, ...]:
    found = [packing.unpack("exemption", one.data) for one in register.entries("exemption")]
    said = [
        Exemption(
            Origin(""), act.data["member"], None, act.data["user"], act.data["reason"],
            date.fromisoformat(act.data["until"]),
        )
        for act in register.acts(EXEMPT)
    ]  # fmt: skip
    return (*(one for one in found if isinstance(one, Exemption)), *said)
