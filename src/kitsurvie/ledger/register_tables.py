"""The tables of the register of equipment, apart from the others: in a ledger of any age.

They are made by the first import. Times are seconds since the epoch, days are ISO.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()
imports = Table(
    "asset_imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("files", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("undone_at", Double),
)
entries = Table(
    "asset_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", Integer, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("register", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("superseded_by", Integer),
)
# what an entry is called; the one of that name that stands
name = (entries.c.kind, entries.c.source, entries.c.register, entries.c.key)
current = entries.c.superseded_by.is_(None)
Index("asset_entries_current", *name, unique=True, sqlite_where=current, postgresql_where=current)
# not of what stands: PostgreSQL would look for it there, and read the whole table
gone = entries.c.superseded_by.is_not(None)
Index("asset_entries_gone", entries.c.superseded_by, sqlite_where=gone, postgresql_where=gone)
refusals = Table(
    "asset_refusals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", Integer, nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
)
days = Table(
    "asset_days",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("device_name", Text, nullable=False),
    Column("device_serial", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("commune", Text, nullable=False),
    Column("import_id", Integer, nullable=False, index=True),
)
# what a day of use is: it has no name but itself
day_itself = (
    days.c.day, days.c.member, days.c.device_name, days.c.device_serial, days.c.user,
)  # fmt: skip
Index("asset_days_once", *day_itself, unique=True)
# the rows that an import gave too, after the one that wrote them: they stay when that is undone
again = Table(
    "asset_again",
    metadata,
    Column("import_id", Integer, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("rows", LargeBinary, nullable=False),
)
devices = Table(
    "asset_devices",
    metadata,
    Column("source", Text, primary_key=True),
    Column("register", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("device", Text, nullable=False, index=True),
)
acts = Table(
    "asset_acts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("kind", Text, nullable=False, index=True),
    Column("data", Text, nullable=False),
    Column("undone_at", Double),
    Column("undone_by", Text),
)
