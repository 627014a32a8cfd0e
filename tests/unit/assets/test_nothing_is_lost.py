"""Whatever the bytes: no exception, and every record that came in is kept or refused."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kitsurvie.assets.record import Record, Refusal, Source

from .conftest import INVENTORIES, SAMPLE, Came, came

SOURCES = [None, *Source]


def head(path: Path, size: int = 3000) -> bytes:
    return path.read_bytes()[:size]


GOOD = [
    head(SAMPLE / "glpi_export.csv"),
    head(SAMPLE / "snipeit.csv"),
    head(SAMPLE / "session_days.csv", 800),
    (SAMPLE / "exemptions.csv").read_bytes(),
    b'"ID";"Nom";"Num\xe9ro de s\xe9rie";"Usager"\r\n"1";"a\r\nb";"A1";"x"\r\n"2";"c";"B2";"y"\r\n',
    b"sAMAccountName,company,userAccountControl,lastLogonTimestamp\nmarie,Agneaux,512,0\n",
    (SAMPLE / "glpi_json" / "1017.json").read_bytes(),
    next((SAMPLE / "ocs_xml").iterdir()).read_bytes(),
    *(path.read_bytes() for path in sorted(INVENTORIES.glob("*.json"))[1:]),
    (INVENTORIES / "fusion_5-good.xml").read_bytes(),
    (INVENTORIES / "fusion_13.xml").read_bytes()[:6000],
]
PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [
            *(b'"', b"'", b";", b",", b"\n", b"\r", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9"),
            *(
                b"null",
                b"NaN",
                b"1e999",
                b"[",
                b"{",
                b"]",
                b"}",
                b":",
                b"<",
                b"&#0;",
                b"<!DOCTYPE x>",
            ),
            *(b"2099-01-01", b"31/02/2026", b"\\ud800", b"<DEVICE/>", b"=1+1", b'""', b"\xc2\x85"),
        ]
    ),
)
EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), PIECES, st.integers(1, 3)), max_size=12
)


def mutated(raw: bytes, edits: list[tuple[int, int, bytes, int]]) -> bytes:
    """The file with slices replaced."""
    for where, length, piece, times in edits:
        at = where % (len(raw) + 1)
        raw = raw[:at] + piece * times + raw[at + length :]
    return raw


def read(raw: bytes, source: Source | None) -> Came:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(raw)
        return came(path, source=source)


def holds(found: Came) -> None:
    """That what came can be stored, told and found again."""
    assert found.tally.records == len(found.items)
    for item in found.items:
        repr(item).encode()
        if isinstance(item, Record):
            assert item.key
            assert "\x00" not in item.key + item.name + item.serial + item.uuid
    lines = [item.origin.line for item in found.items if item.origin.line]
    assert lines == sorted(lines)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400), st.sampled_from(SOURCES))
def test_any_bytes_are_read_or_refused(raw: bytes, source: Source | None) -> None:
    holds(read(raw, source))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(GOOD), EDITS, st.sampled_from(SOURCES))
def test_a_good_file_that_was_damaged_is_read_or_refused(
    raw: bytes, edits: list[tuple[int, int, bytes, int]], source: Source | None
) -> None:
    holds(read(mutated(raw, edits), source))


CELLS = st.text(st.characters(exclude_characters='"\r\n,', exclude_categories=("Cs",)), max_size=12)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=12))
def test_every_line_of_a_table_without_quotes_is_one_item(rows: list[list[str]]) -> None:
    text = "serial,name,user\n" + "".join(",".join(row) + "\n" for row in rows)
    found = read(text.encode(), Source.PLAIN_CSV)
    filled = [
        number for number, row in enumerate(rows, start=2) if any(cell.strip() for cell in row)
    ]
    assert [item.origin.line for item in found.items] == filled


QUOTED = st.text(st.sampled_from('ab "\n,é'), max_size=8)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(QUOTED, QUOTED, QUOTED), max_size=8))
def test_every_record_of_a_table_in_quotes_comes_back_at_its_line(
    rows: list[tuple[str, str, str]],
) -> None:
    lines, text, wanted = 1, "serial;name;user\n", []
    for row in rows:
        written = ";".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n"
        if any(cell.strip() for cell in row):
            wanted.append(lines + 1)
        text, lines = text + written, lines + written.count("\n")
    found = read(text.encode(), Source.PLAIN_CSV)
    assert [item.origin.line for item in found.items] == wanted


LOGINS = [f"ZQ{number}.LOGIN" for number in range(6)]


def damaged(row: list[str], how: str, at: int) -> str:
    """A row with one fault: a cell or a mark lost, one too many, or a quote."""
    if how == "cell lost":
        row = [cell for number, cell in enumerate(row) if number != at]
    elif how == "cell too many":
        row = [*row[:at], "extra", *row[at:]]
    line = ";".join(row)
    if how == "quote":
        where = at * len(line) // 6
        return line[:where] + '"' + line[where:]
    if how == "mark lost":
        return ";".join(row[:at]) + ";".join(row[at:])
    return line


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "cell lost", "cell too many", "quote", "mark lost", "bad date"]),
            st.integers(0, 5),
            st.sampled_from(["", "Agneaux", "50002"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_login_is_told_of_a_row_with_a_fault(faults: list[tuple[str, int, str]]) -> None:
    text = "Nom;Contact;Usager;Numéro de série;Dernière date d'inventaire;Entité\n"
    # of which every row is at fault no reader can tell
    text += "PC-a;;;Sa;2026-10-29;Agneaux\n"
    for number, (how, at, entity) in enumerate(faults):
        day = "31/02/2026" if how == "bad date" else "2026-10-29"
        row = [f"PC-{number}", LOGINS[number], LOGINS[number], f"S{number}", day, entity]
        text += damaged(row, how, at) + "\n"
    found = read(text.encode(), Source.GLPI_CSV)
    told = repr([item for item in found.items if isinstance(item, Refusal)])
    assert "ZQ" not in told  # which the name of a temporary folder is not


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(3, 90),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 40)), min_size=1, max_size=3),
    st.sampled_from(["", "a", "a b", "50002"]),
)
def test_quotes_that_stand_alone_cost_no_other_row(
    count: int, quotes: list[tuple[int, int]], last: str
) -> None:
    rows = [f"S{number};PC-{number};;{last}" for number in range(count)]
    for where, at in quotes:
        row = rows[where % count]
        rows[where % count] = row[: at % len(row)] + '"' + row[at % len(row) :]
    found = read(("serial;name;user;status\n" + "\n".join(rows)).encode(), Source.PLAIN_CSV)
    kept = {item.serial for item in found.items if isinstance(item, Record)}
    touched = {f"S{where % count}" for where, _ in quotes}
    assert {f"S{number}" for number in range(count)} - touched <= kept
