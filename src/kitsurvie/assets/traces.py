"""What a record says of which machine it is about, and nothing else: small enough for 200,000."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from sys import intern
from urllib.parse import quote, unquote

from kitsurvie.assets import identifiers
from kitsurvie.assets.record import Kind, Record, Source

# exports that people type, or may type: a record of theirs with neither UUID nor MAC was typed
_MAY_BE_TYPED = frozenset({Source.SNIPEIT_CSV, Source.PLAIN_CSV, Source.GLPI_CSV})


@dataclass(slots=True)
class Trace:
    """The identifiers of one record in one spelling, blank where they identify nothing.

    `id` is the record's (see `record_id`); `name` is "" where the name tells nothing apart;
    `register` is the source and its register. Identifiers are blanked further when the other
    records show that they are no one machine's.
    """

    id: str
    register: str
    source: Source
    member: str | None
    kind: Kind
    called: str
    name: str
    maker: str
    model: str
    serial: str
    uuid: str
    macs: tuple[str, ...]
    typed: bool
    user: str
    seen: datetime | None
    bought: date | None
    said_maker: str
    said_model: str
    said_serial: str
    status: str

    @property
    def bare(self) -> bool:
        """Whether it has a name at most."""
        return not (self.serial or self.uuid or self.macs)


def record_id(record: Record) -> str:
    """`source/register/key`: the same line of the same register has it in every import."""
    return id_of(record.source.value, record.register, record.key)


def id_of(source: str, register: str, key: str) -> str:
    """The id of the record that these name."""
    return f"{_prefix(source, register)}/{key}"


@lru_cache(maxsize=1024)
def _prefix(source: str, register: str) -> str:
    return f"{source}/{quote(register, safe='')}"


def parts_of_id(name: str) -> tuple[str, str, str]:
    """Source, register and key of the record of an id."""
    source, register, key = name.split("/", 2)
    return source, unquote(register), key


def trace(record: Record) -> Trace:
    """The trace of one record."""
    spelled = identifiers.name(record.name)
    serial = identifiers.serial(record.serial, record.maker, record.model)
    uuid = identifiers.uuid(record.uuid)
    macs = identifiers.macs(record.interfaces)
    return Trace(
        id=record_id(record),
        register=intern(f"{record.source.value}/{record.register}"),
        source=record.source,
        member=record.member and intern(record.member),
        kind=record.kind,
        called=record.name,
        name=spelled if identifiers.tells_apart(spelled) else "",
        maker=intern(identifiers.maker(record.maker)),
        model=intern(identifiers.model(record.model, record.maker)),
        serial=serial,
        uuid=uuid,
        macs=macs,
        typed=not uuid and not record.interfaces and record.source in _MAY_BE_TYPED,
        user=record.user,
        seen=record.seen,
        bought=record.bought,
        said_maker=intern(record.maker),
        said_model=intern(record.model),
        said_serial=record.serial,
        status=intern(record.status),
    )
