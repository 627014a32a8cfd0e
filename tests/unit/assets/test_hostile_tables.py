"""Tables that nobody should write, and that somebody does: read or refused, never lost."""

from __future__ import annotations

import codecs
import csv
import time
import tracemalloc

import pytest

from kitsurvie.assets.readers import Limits, table
from kitsurvie.assets.record import Source

from .conftest import PEOPLE, Desk, came

HEAD = "Nom;Numéro de série;Usager;Entité\n"
ROWS = "PC-É1;A1;hélène;Agneaux\nPC-2;B2;paul;Saint-Lô\n"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("latin-1", b""),
        ("cp1252", b""),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32-le", codecs.BOM_UTF32_LE),
    ],
)
def test_every_encoding_of_an_office_is_read(desk: Desk, encoding: str, mark: bytes) -> None:
    records = desk.csv(mark + (HEAD + ROWS).encode(encoding)).records
    assert [one.name for one in records] == ["PC-É1", "PC-2"]
    assert [one.commune for one in records] == ["50002", "50502"]
    assert records[0].user == PEOPLE.of("helene")


def test_a_file_of_two_encodings_is_read_letter_by_letter(desk: Desk) -> None:
    raw = (HEAD + "PC-É1;A1;x;Agneaux\n").encode() + "PC-É2;B2;y;Saint-Lô “x”\n".encode("cp1252")
    assert [one.name for one in desk.csv(raw).records] == ["PC-É1", "PC-É2"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like_and_are_counted_as_they_are(desk: Desk, end: str) -> None:
    text = (HEAD + ROWS + "bad;bad\n").replace("\n", end)
    came = desk.csv(text)
    assert [one.origin.line for one in came.records] == [2, 3]
    assert came.refusals[0].origin.line == 4


def test_the_line_is_the_true_one_after_cells_of_several_lines(desk: Desk) -> None:
    text = HEAD + '"PC\n1";A1;x;"Ag\n\nneaux"\nPC-2;B2;y;Agneaux\n\n;;;\nPC-3\nPC-4;D4;z;Agneaux\n'
    came = desk.csv(text)
    assert [(one.origin.line, one.serial) for one in came.records] == [
        (2, "A1"),
        (6, "B2"),
        (10, "D4"),
    ]
    assert came.records[0].name == "PC 1"
    assert [one.origin.line for one in came.refusals] == [9]


def test_a_quote_that_is_not_closed_costs_its_own_line_only(desk: Desk) -> None:
    rows = [f"PC-{n};S{n};u;Agneaux" for n in range(200)]
    rows[20] = '"PC-20;S20;u;Agneaux'
    came = desk.csv(HEAD + "\n".join(rows) + "\n")
    assert [one.serial for one in came.records] == [f"S{n}" for n in range(200) if n != 20]
    assert [one.origin.line for one in came.refusals] == [22]
    assert "not closed" in came.refusals[0].reason


@pytest.mark.parametrize("last", [6, 7, 9])
def test_a_quote_that_another_one_closes_by_chance_costs_those_two_lines(
    desk: Desk, last: int
) -> None:
    rows = [f"PC-{n};S{n};u;Agneaux" for n in range(20)]
    rows[5] = '"PC-5;S5;u;Agneaux'
    rows[last] = f'PC-{last}";S{last};u;Agneaux'
    came = desk.csv(HEAD + "\n".join(rows) + "\n")
    assert came.tally.records == 20
    assert [one.origin.line - 2 for one in came.refusals] == [5]


@pytest.mark.parametrize("between", ["", ";;;", "PC-x;S", "PC-6;S6;u;Agneaux\n\nPC-7;S7"])
def test_rows_that_are_swallowed_with_a_bad_one_among_them_are_found(
    desk: Desk, between: str
) -> None:
    rows = f'"PC-1;S1;u;Agneaux\n{between}\nPC-9";S9;u;Agneaux\nPC-10;S10;u;Agneaux\n'
    found = desk.csv(HEAD + rows)
    assert {"S9", "S10"} <= {one.serial for one in found.records}
    assert found.refusals[0].origin.line == 2


def test_a_cell_of_several_lines_with_the_separator_in_it_is_a_cell(desk: Desk) -> None:
    text = HEAD + '"PC;1\nb;c\nd";A1;x;"Ag\nneaux;"\nPC-2;B2;y;"\n\nSaint-Lô"\n'
    assert [one.name for one in desk.csv(text).records] == ["PC;1 b;c d", "PC-2"]


def test_a_quote_that_is_open_at_the_end_of_the_file_loses_nothing(desk: Desk) -> None:
    came = desk.csv(HEAD + 'PC-1;A1;x;"Agneaux\nPC-2;B2;y;Agneaux\nPC-3;C3;y;Agneaux')
    assert [one.serial for one in came.records] == ["B2", "C3"]
    assert len(came.refusals) == 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("PC-1;A1;marie", "PC-1;?;?"),
        ("PC-1;marie;Agneaux", "PC-1;?;?"),
        ("PC-1;A1;x;marie;Agneaux", "PC-1;A1;?;?;Agneaux"),
        ("PC;1;A1;marie;Agneaux", "PC;1;?;?;Agneaux"),
        ("marie", "?"),
    ],
)
def test_a_row_of_too_few_or_too_many_cells_is_refused_and_names_nobody(
    desk: Desk, row: str, told: str
) -> None:
    came = desk.csv(HEAD + row + "\nPC-2;B2;y;Agneaux\n")
    (refusal,) = came.refusals
    assert "under 4 headings" in refusal.reason
    assert refusal.text == told
    assert [one.serial for one in came.records] == ["B2"]


def test_empty_cells_at_the_end_of_every_row_are_no_more_cells(desk: Desk) -> None:
    found = desk.csv(HEAD + "PC-1;A1;x;Agneaux;;;\nPC-2;B2;y;Agneaux;;;\nPC-3;C3;z;Agneaux\n")
    assert [one.serial for one in found.records] == ["A1", "B2", "C3"]


def test_an_empty_cell_too_many_in_one_row_does_not_push_a_login_aside(desk: Desk) -> None:
    found = desk.csv(HEAD + "PC-1;A1;x;Agneaux\nPC-2;new;B2;marie;\n")
    assert [one.serial for one in found.records] == ["A1"]
    assert "marie" not in repr(found.items)


def test_a_heading_that_is_there_twice_must_not_say_two_things(desk: Desk) -> None:
    text = (
        "Nom;Numéro de série;Numéro de série;Usager\nPC-1;A1;;x\nPC-2;B2;B2;x\nPC-3;C3;D4;marie\n"
    )
    came = desk.csv(text, source=Source.GLPI_CSV)
    assert [one.serial for one in came.records] == ["A1", "B2"]
    assert "twice" in came.refusals[0].reason
    assert "marie" not in came.refusals[0].text


def test_nuls_and_control_characters_are_no_part_of_a_cell(desk: Desk) -> None:
    record = desk.csv("serial,name\nA1\x00\x00,PC\x1b[2J\x07-1\x85\n").record
    assert (record.serial, record.name) == ("A1", "PC [2J -1")


def test_a_huge_cell_is_refused_alone(desk: Desk) -> None:
    came = desk.csv(f"serial,name\nA1,{'x' * 5000}\nB2,PC-2\nC3,{'y' * 500_000}\nD4,PC-4\n")
    assert [one.serial for one in came.records] == ["B2", "D4"]
    assert [one.origin.line for one in came.refusals] == [2, 4]
    assert all(len(one.text) < 2000 for one in came.refusals)


def test_a_huge_cell_inside_quotes_is_refused_alone(desk: Desk) -> None:
    came = desk.csv('serial,name\nA1,"' + ("x" * 90_000 + "\n") * 3 + '"\nB2,PC-2\n')
    assert "B2" in [one.serial for one in came.records]
    assert came.refusals[0].origin.line == 2


def test_a_line_without_an_end_costs_no_memory(desk: Desk) -> None:
    path = desk.folder / "endless.csv"
    with path.open("wb") as file:
        file.write(b"serial,name\nA1,")
        file.writelines(b"x" * (1 << 20) for _ in range(40))
        file.write(b"\nB2,PC-2\n")
    tracemalloc.start()
    found = came(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [one.serial for one in found.records] == ["B2"]
    assert "longer than" in found.refusals[0].reason
    assert peak < 8 << 20


def test_formulas_are_text(desk: Desk) -> None:
    cell = "=cmd|' /C calc'!A1"
    assert desk.csv(f'serial,name\nA1,"{cell}"\n').record.name == cell


def test_a_table_over_the_limit_is_refused_whole(desk: Desk) -> None:
    refusal = desk.csv(HEAD + ROWS, limits=Limits(table_bytes=50)).refusal
    assert "larger than 50 bytes" in refusal.reason


def test_headings_alone_are_no_record(desk: Desk) -> None:
    assert desk.csv(HEAD).items == []
    assert desk.csv("serial,mac").items == []


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\xef\xbb\xbf", b"\x00" * 100, b"   "])
def test_an_empty_file_is_refused_whole(desk: Desk, raw: bytes) -> None:
    assert desk.csv(raw).refusal.reason
    assert desk.csv(raw, source=Source.PLAIN_CSV).refusal.reason


def test_a_file_of_open_quotes_does_not_take_for_ever(desk: Desk) -> None:
    rows = '"a,b\n' * 10_000
    before = time.monotonic()
    came = desk.csv("serial,name\n" + rows)
    assert came.tally.records == 10_000
    assert time.monotonic() - before < 20


def test_the_limit_of_a_line_is_below_that_of_the_csv_module() -> None:
    assert csv.field_size_limit() > table.LONGEST_LINE
