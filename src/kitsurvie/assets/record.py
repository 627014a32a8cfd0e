"""What an export says, line by line, in one shape whatever the export. No I/O, and no judgement.

Identifiers are kept as they were said (only trimmed): which of them identify nothing is for the
identity of devices to know. People are pseudonyms from here on: no login, no name of a person is in
any field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Source(StrEnum):
    """The kinds of export that are read."""

    GLPI_JSON = "glpi-json"
    GLPI_CSV = "glpi-csv"
    AGENT_XML = "agent-xml"  # FusionInventory and OCS Inventory
    SNIPEIT_CSV = "snipeit-csv"
    PLAIN_CSV = "csv"
    DIRECTORY = "directory"  # the accounts of an Active Directory or an LDAP server
    SESSIONS = "sessions"  # who used which device on which day
    EXEMPTIONS = "exemptions"  # who may have two machines, why and until when
    DISCARDED = "discarded"  # what is no longer of use, and where it went
    FLEET = "fleet"  # what kitsurvie itself saw


class Kind(StrEnum):
    """What a thing is; a virtual machine is no thing that could be given back."""

    DESKTOP = "desktop"
    LAPTOP = "laptop"
    TABLET = "tablet"
    SERVER = "server"
    SCREEN = "screen"
    PHONE = "phone"
    PRINTER = "printer"
    NETWORK = "network"
    VIRTUAL = "virtual"
    OTHER = "other"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """Where a discarded thing went."""

    STOCK = "stock"  # nowhere yet
    CEDED = "ceded"  # to another public body
    DONATED = "donated"  # to an association, a foundation, an organisation or staff
    SOLD = "sold"
    REUSE = "reuse"  # taken back for it, by an eco-organisation or a supplier
    RECYCLING = "recycling"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was read, for whoever has to mend it."""

    file: str
    line: int = 0  # 0: the file holds this record alone

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. `what` is what the agent calls it: a dock, a USB adapter, a bridge."""

    mac: str
    what: str = ""
    virtual: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A piece of software on a device."""

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system of a device, in bytes; None where the export is silent."""

    mount: str
    size_bytes: int | None = None
    free_bytes: int | None = None
    encrypted: bool | None = None


@dataclass(frozen=True, slots=True)
class Antivirus:
    """What the system says of an antivirus."""

    name: str
    enabled: bool | None = None
    up_to_date: bool | None = None


@dataclass(frozen=True, slots=True)
class Firewall:
    """A profile of a firewall (domain, private, public), on or off."""

    profile: str
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What an inventory says of the state of a device; an empty or None value is silence."""

    system: str = ""  # as in "Microsoft Windows 10 Professionnel"
    system_version: str = ""  # "22H2", "10.0.19045", "12.4"
    memory_mib: int | None = None
    processor: str = ""
    # an inventory that lists none differs from one that does not speak of them
    antivirus: tuple[Antivirus, ...] | None = None
    firewalls: tuple[Firewall, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    programs: tuple[Program, ...] | None = None
    battery: bool | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One line of one export: a device as one source knows it.

    `key` is what the source calls it, unique within `source` and `register` (two GLPI of two EPCI
    both have a number 1). `member` is the SIREN it belongs to, None where no member could be told.
    """

    source: Source
    key: str
    origin: Origin
    register: str = ""
    entity: str = ""  # where the source says it is, as said
    member: str | None = None
    commune: str | None = None  # INSEE
    kind: Kind = Kind.UNKNOWN
    name: str = ""
    maker: str = ""
    model: str = ""
    serial: str = ""
    uuid: str = ""
    interfaces: tuple[Interface, ...] = ()
    user: str = ""  # pseudonym
    seen: datetime | None = None  # in UTC, when the device itself was last seen
    bought: date | None = None
    status: str = ""  # what the source says of its life: deployed, in stock, discarded
    condition: Condition = field(default_factory=Condition)
    partial: bool = False  # the agent sent a part: what it is silent of was not taken away
    left_aside: tuple[str, ...] = ()  # what could not be used of it, a sentence each


@dataclass(frozen=True, slots=True)
class SessionDay:
    """Somebody used a device on a day. No hours: they are not collected."""

    origin: Origin
    day: date
    member: str | None
    commune: str | None
    device_name: str
    device_serial: str
    user: str  # pseudonym


@dataclass(frozen=True, slots=True)
class Person:
    """An account of a directory. `user` is empty for those that are nobody's use.

    Whether it is enabled and when it last logged on serve nothing here, and are not read.
    """

    origin: Origin
    user: str  # pseudonym
    member: str | None
    commune: str | None


@dataclass(frozen=True, slots=True)
class Exemption:
    """Somebody may have two machines until a day, and why."""

    origin: Origin
    member: str | None
    commune: str | None
    user: str  # pseudonym
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Discard:
    """A thing that a member has no use for any more, and where it went.

    `discarded` is the day it was so decided, `left` the day it went, None while it is there.
    `recipient` is a body, never a person. `proof` says what shows that whoever bought it or took it
    back undertook to have it used again, and did. `excluded` is why the decree does not count it
    (classified, under a duty of security); `small`: no side of it is over 50 cm, None where nobody
    said.
    """

    origin: Origin
    key: str
    member: str | None
    discarded: date
    outcome: Outcome
    register: str = ""
    commune: str | None = None
    kind: Kind = Kind.UNKNOWN
    name: str = ""
    maker: str = ""
    model: str = ""
    serial: str = ""
    bought: date | None = None
    left: date | None = None
    recipient: str = ""
    proof: str = ""
    excluded: str = ""
    small: bool | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is not taken, and why: a sentence for whoever mends the export.

    `text` is its row, so that it can be mended under `headings` and imported again: pseudonyms
    stand in the place of people, and columns that are not read are left out. Both are empty where
    the record is a whole file, or a line that no columns can be told in.
    """

    origin: Origin
    reason: str
    text: str = ""
    headings: str = ""
