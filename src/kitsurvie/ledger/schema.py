"""The tables of the ledger. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

# raised whenever a table changes; a ledger with a higher one was written by a newer kitsurvie
SCHEMA_VERSION = 1

metadata = MetaData()

version = Table("ledger_version", metadata, Column("version", Integer, primary_key=True))

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
)

# where each host of a run stands; what --resume reads
run_hosts = Table(
    "run_hosts",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("host", Text, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
)

# what Ansible did with one measure on one host
outcomes = Table(
    "outcomes",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("host", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
)

# one row for each time a host was looked at; verdicts and evidence are content-addressed,
# so a night in which nothing changed costs this row alone
observations = Table(
    "observations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False, index=True),
    Column("host", Text, nullable=False, index=True),
    Column("at", Double, nullable=False),
    Column("verdicts", LargeBinary(16), nullable=False),
    Column("evidence", LargeBinary(16)),
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# the commands a class of hosts, or one host, is known to need
learnt = Table(
    "learnt",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("commands", LargeBinary(16), nullable=False),
)
