"""What goes out of the register of equipment: what is over, and somebody who is to be forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, or_, select, update

from kitsurvie.ledger.interning import parts
from kitsurvie.ledger.register_tables import acts, current, days, entries, imports, refusals

# an entry of some kind without a person: other bytes, the same ones, or None to drop it
Rewrite = Callable[[str, bytes], bytes | None]
# what stands for a person in a refused row, so that it can still be mended
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Over:
    """What is over.

    Days of use before `day` (ISO), those of `nobody` (pseudonyms), and those of members (SIREN, or
    empty) of which `may` is false. Of imports made before `moment` (seconds since the epoch): the
    rows that they refused, and the people in entries that they superseded, which `past` takes out.
    Standing entries of `kinds` as `ended` gives them, of which those that it drops are counted. The
    people in the decisions `acts`.
    """

    day: str
    moment: float
    past: Rewrite
    kinds: tuple[str, ...]
    ended: Rewrite
    acts: tuple[int, ...] = ()
    nobody: tuple[str, ...] = ()
    may: Callable[[str], bool] = lambda _member: True


class Purged(NamedTuple):
    """How many rows were taken away, or lost the person in them."""

    days: int = 0
    refused: int = 0
    superseded: int = 0
    ended: int = 0
    decisions: int = 0


def purge(connection: Connection, over: Over, *, dry_run: bool) -> Purged:
    """Take away what is over, or only count it."""
    _overwrite(connection, dry_run=dry_run)
    old = select(imports.c.id).where(imports.c.at < over.moment)
    unasked = [
        member
        for (member,) in connection.execute(select(days.c.member).distinct())
        if not over.may(member)
    ]
    before = or_(days.c.day < over.day, days.c.user.in_(over.nobody), days.c.member.in_(unasked))
    gone = connection.execute(select(func.count()).where(before)).scalar_one()
    rows = (refusals.c.import_id.in_(old), refusals.c.text != "")
    refused = connection.execute(select(func.count()).where(*rows)).scalar_one()
    past = _rewritten(connection, entries.c.superseded_by.in_(old), rewrite=over.past)
    named = (current, entries.c.kind.in_(over.kinds))
    ended = _rewritten(connection, *named, rewrite=over.ended)
    decided = [one for some in parts(over.acts) for one in _naming(connection, acts.c.id.in_(some))]
    if not dry_run:
        connection.execute(delete(days).where(before))
        connection.execute(update(refusals).where(*rows).values(text=""))
        _write(connection, (*past, *ended))
        _name_nobody(connection, decided)
    dropped = sum(data is None for _, data in ended)
    return Purged(gone, refused, len(past), dropped, len(decided))


def forget(connection: Connection, user: str, member: str, rewrite: Rewrite) -> int:
    """Take a person of a member out of everything; gives how many rows.

    What belongs to no member is gone through too: nobody else can answer for it.
    """
    _overwrite(connection, dry_run=False)
    own = (days.c.user == user, days.c.member.in_((member, "")))
    count = connection.execute(delete(days).where(*own)).rowcount
    told = user.encode()
    found = _rewritten(connection, rewrite=lambda k, d: rewrite(k, d) if told in d else d)
    _write(connection, found)
    texts = select(refusals.c.id, refusals.c.text).where(refusals.c.text.contains(user))
    refused = list(connection.execute(texts))
    for row in refused:
        mended = row.text.replace(user, NOBODY)
        connection.execute(update(refusals).where(refusals.c.id == row.id).values(text=mended))
    decided = [
        one
        for one in _naming(connection, acts.c.data.contains(user))
        if one.data["user"] == user and one.data.get("member") in (member, None)
    ]
    _name_nobody(connection, decided)
    return count + len(found) + len(refused) + len(decided)


class _Decision(NamedTuple):
    id: int
    data: dict[str, Any]


def _naming(connection: Connection, where: Any) -> Iterator[_Decision]:
    """The decisions that name somebody."""
    for row in list(connection.execute(select(acts.c.id, acts.c.data).where(where))):
        data = json.loads(row.data)
        if data.get("user"):
            yield _Decision(row.id, data)


def _name_nobody(connection: Connection, decisions: Iterable[_Decision]) -> None:
    for one in decisions:
        text = json.dumps({**one.data, "user": ""}, ensure_ascii=False)
        connection.execute(update(acts).where(acts.c.id == one.id).values(data=text))


def _rewritten(
    connection: Connection, *where: Any, rewrite: Rewrite
) -> list[tuple[int, bytes | None]]:
    """The entries that are other bytes now, or none."""
    query = select(entries.c.id, entries.c.kind, entries.c.data).where(*where)
    changed = []
    for row in connection.execute(query, execution_options={"yield_per": 2000}):
        data = bytes(row.data)
        new = rewrite(row.kind, data)
        if new != data:
            changed.append((row.id, new))
    return changed


def _write(connection: Connection, changed: Iterable[tuple[int, bytes | None]]) -> None:
    dropped = []
    for number, data in changed:
        if data is None:
            dropped.append(number)
            continue
        digest = blake2b(data, digest_size=16).digest()
        connection.execute(
            update(entries).where(entries.c.id == number).values(data=data, digest=digest)
        )
    for some in parts(dropped):
        connection.execute(delete(entries).where(entries.c.id.in_(some)))


def _overwrite(connection: Connection, *, dry_run: bool) -> None:
    """Have what goes written over in the file itself, not only taken off its list."""
    if connection.dialect.name == "sqlite" and not dry_run:
        connection.exec_driver_sql("PRAGMA secure_delete=ON").fetchall()
