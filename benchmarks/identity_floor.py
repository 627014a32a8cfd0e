"""The least that columns in a compiled engine need for the file of `benchmarks.identity`.

Read by DuckDB, which splink runs on, cleaned roughly, joined by serial, UUID, network card and name
within a member, and gathered into groups: with no rule at all, so that its groups are wrong (a
placeholder joins thousands of machines). It says what time is left to the rules, and no more.
Prints one JSON document, as `benchmarks.identity_peer` does, with the groups it made.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import duckdb

CLEANED = """
    CREATE TABLE records AS SELECT
        row_number() OVER () - 1 AS number, concat_ws('/', source, register, "key") AS id, member,
        translate(regexp_replace(upper(serial), '[^A-Z0-9]+', '', 'g'), 'OI', '01') AS serial,
        regexp_replace(lower(uuid), '[^0-9a-f]+', '', 'g') AS uuid,
        regexp_replace(upper(name), '[ _]+', '-', 'g') AS name,
        string_split(macs, '|') AS macs
    FROM read_csv('{}', all_varchar=true, header=true, nullstr='')
"""
# of each value the least number of a row, and every other row that has it
JOINED = """
    SELECT first, number FROM (
        SELECT number, min(number) OVER (PARTITION BY {by}) AS first FROM {table} WHERE {there}
    ) WHERE first <> number
"""
CARDS = "(SELECT number, split_part(unnest(macs), '~', 1) AS mac FROM records)"
BLOCKS = (
    ("serial", "records", "serial <> ''"),
    ("uuid", "records", "uuid <> ''"),
    ("mac", CARDS, "mac <> ''"),
    ("member, name", "records", "member <> '' AND name <> ''"),
)


def main() -> None:
    """Read, clean, join, gather."""
    start = time.perf_counter()
    connection = duckdb.connect()
    connection.execute(CLEANED.format(sys.argv[1].replace("'", "''")))
    joined = " UNION ALL ".join(
        JOINED.format(by=by, table=table, there=there) for by, table, there in BLOCKS
    )
    ids = [
        row[0] for row in connection.execute("SELECT id FROM records ORDER BY number").fetchall()
    ]
    parent = list(range(len(ids)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for one, other in connection.execute(joined).fetchall():
        here, there = root(one), root(other)
        parent[max(here, there)] = min(here, there)
    groups: dict[int, list[str]] = {}
    for at, name in enumerate(ids):
        groups.setdefault(root(at), []).append(name)
    seconds = time.perf_counter() - start
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = {"seconds": seconds, "cpu": time.process_time(), "megabytes": megabytes,
            "groups": [list(groups.values())]}  # fmt: skip
    print(json.dumps(said))


if __name__ == "__main__":
    main()
