"""The page on health says what the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from kitsurvie.assets.finding import Check, Limits
from kitsurvie.assets.record import Kind
from kitsurvie.assets.support import extendable, table
from kitsurvie.assets.wear import LEAST_FREE_GB, LEAST_FREE_SHARE

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "health.md").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    """The cells of the table of one section, its headings left out."""
    _, found, after = PAGE.partition(f"\n## {section}\n")
    assert found, section
    lines = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_lists_the_checks_that_there_are_in_their_order() -> None:
    assert [row[0].strip("`") for row in rows("The checks")] == list(Check)


def test_the_page_lists_the_limits_with_their_defaults() -> None:
    told = {row[0].strip("`"): row[1] for row in rows("Limits that a syndicate may set")}
    assert list(told) == [field.name for field in fields(Limits)]
    assert told["stale_days"] == str(Limits().stale_days)
    assert told["years"] == str(Limits().years)
    assert told["encrypted"] == "laptops, tablets"
    assert Limits().encrypted == {Kind.LAPTOP, Kind.TABLET}
    assert Limits().extended == frozenset()
    assert f"{LEAST_FREE_SHARE:.0%}".replace("%", " %") + f" or {LEAST_FREE_GB} GB free" in PAGE


def test_the_page_names_what_can_be_extended_and_every_source_with_its_year() -> None:
    (row,) = (row for row in rows("Limits that a syndicate may set") if row[0] == "`extended`")
    assert set(re.findall(r"`([^`]+)`", row[2])) == extendable()
    sources = rows("Ends of support")
    for line in table():
        maker = line.source.partition(":")[0].split()[0]
        assert any(maker in row[1] and str(line.year) in row[2] for row in sources), line
