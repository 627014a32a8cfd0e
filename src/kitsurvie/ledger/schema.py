"""The tables of the ledger. Times are seconds since the epoch, UTC.

What is the same night after night is written once and named by a number: a host, a check, a
verdict's content, the list of checks that a look covered. Looks are numbered in the order in which
they were written, whatever any clock says; a verdict holds from one look to another.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

# raised whenever a table changes; a ledger with a higher one was written by a newer kitsurvie
SCHEMA_VERSION = 2

metadata = MetaData()

# one row. Whoever writes looks or prunes changes it first, and so does one after the other:
# `looks` is the number of the last look, `prunings` says that something may have been taken away
version = Table(
    "ledger_version",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("looks", Integer, nullable=False, server_default=text("0")),
    Column("prunings", Integer, nullable=False, server_default=text("0")),
)

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

hosts = Table(
    "hosts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

checks = Table(
    "checks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("measure", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("measure", "name"),
)

# what a verdict says, whoever it is said of
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("status", String(20), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

# the checks that a look covered, in order
coverages = Table(
    "coverages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
)

# where each host of a run stands; what --resume reads
run_hosts = Table(
    "run_hosts",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("host_id", ForeignKey("hosts.id"), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    sqlite_with_rowid=False,
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

# one row for each time a host was looked at: all that a night in which nothing changed costs.
# `coverage_id` is null when the host gave no verdict; the digest of the evidence stays when that
# is pruned.
observations = Table(
    "observations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("host_id", ForeignKey("hosts.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("coverage_id", Integer),
    Column("evidence", LargeBinary(16)),
    Index("looks_of_run", "run_id"),
    Index("looks_of_host", "host_id"),
)

# a verdict from the look that gave it to the look that gave another, or asked no more (`to_*`);
# those are null while it stands. The rows of a host lie together. The runs and times are kept here
# since the looks themselves may be pruned.
intervals = Table(
    "intervals",
    metadata,
    Column("host_id", ForeignKey("hosts.id"), primary_key=True),
    Column("check_id", ForeignKey("checks.id"), primary_key=True),
    Column("from_look", Integer, primary_key=True, autoincrement=False),
    Column("from_run", Integer, nullable=False),
    Column("from_at", Double, nullable=False),
    Column("to_look", Integer),
    Column("to_run", Integer),
    Column("to_at", Double),
    Column("verdict_id", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("intervals_begun", intervals.c.from_look)
Index(
    "intervals_over",
    intervals.c.to_look,
    sqlite_where=intervals.c.to_look.is_not(None),
    postgresql_where=intervals.c.to_look.is_not(None),
)

# a drift that somebody answers for until a day (ISO); `look` is the last one before it was said
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host_id", ForeignKey("hosts.id"), nullable=False),
    Column("check_id", ForeignKey("checks.id"), nullable=False),
    Column("look", Integer, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", String(10), nullable=False),
    Index("acknowledged", "host_id", "check_id"),
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
