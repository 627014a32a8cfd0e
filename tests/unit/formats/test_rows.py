"""CSV: a row per host and check, and no cell that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

from hypothesis import example, given, settings
from tests.unit.formats.hostile import TEXT, documents
from tests.unit.formats.syndicate import document, host, measure, verdict

from kitsurvie.cli.formats import rows


def read(of: dict[str, Any], delimiter: str = ",") -> list[list[str]]:
    content = rows.render(of)
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))


def runs(cell: str) -> bool:
    """Whether a spreadsheet could take a cell for a formula."""
    bare = cell.lstrip(' \n\t\r\u00a0\u3000\u200b"')
    return unicodedata.normalize("NFKC", bare)[:1] in {"=", "+", "-", "@", "−"} - {""}


@settings(max_examples=100, deadline=None)
@given(TEXT)
@example("=1+1")
@example("﹢1")
@example(" \n ⁼1")
def test_no_value_begins_as_a_formula(value: str) -> None:
    assert not runs(rows.cell(value))
    # a tab and a carriage return are written out
    assert not {"\t", "\r", "\x00"} & set(rows.cell(value))


@settings(max_examples=100, deadline=None)
@given(documents())
def test_the_rows_come_back_as_they_were_and_none_is_missing(of: dict[str, Any]) -> None:
    head, *body = read(of)
    assert tuple(head) == rows.COLUMNS
    expected = sum(max(sum(len(m["checks"]) for m in h["measures"]), 1) for h in of["hosts"])
    assert [len(row) for row in body] == [len(head)] * expected
    assert not any(runs(cell) for row in body for cell in row)


@settings(max_examples=100, deadline=None)
@given(documents())
def test_opened_with_semicolons_as_french_excel_does_nothing_runs_either(
    of: dict[str, Any],
) -> None:
    # what another separator makes of the quotes is anybody's guess: none may matter
    text = rows.render(of).decode("utf-8-sig")
    for line in text.split("\n"):
        for cell in line.split(";"):
            assert not runs(cell)


def test_a_drift_is_a_row_with_its_member_its_age_and_both_sides() -> None:
    one = verdict("test_x", "drift", found="a,\nb", expected='"drop"', commands=["uname", "nft"])
    head, row = read(document(host("agn-srv", "drift", measures=[measure("firewall", one)])))
    found = dict(zip(head, row, strict=True))
    assert found == {
        "run": "412", "started": "2026-10-12T00:00:12", "epci": "200066389", "siren": "215000027",
        "member": "Agneaux", "host": "agn-srv", "profile": "server", "standing": "drift",
        "seen": "2026-10-12T00:03:12", "measure": "firewall", "mode": "enforce", "check": "test_x",
        "status": "drift", "since": "", "found": "a,\nb", "expected": '"drop"', "message": "",
        "command": "nft", "waived_until": "", "rejudged": "",
    }  # fmt: skip


def test_a_host_that_was_not_judged_has_a_row_of_its_own() -> None:
    head, row = read(document(host("a", "unreachable", seen=None, detail="a does not answer")))
    found = dict(zip(head, row, strict=True))
    assert (found["status"], found["message"]) == ("unreachable", "a does not answer")


def test_lines_end_as_rfc_4180_says() -> None:
    content = rows.render(document(host("a", measures=[measure("m", verdict("t"))])))
    assert content.count(b"\r\n") == content.count(b"\n") == 2
