"""The rows of a table in CSV, one at a time, each with the line that it begins on.

A quote that is opened and not closed swallows the rows after it: a record whose quote is not closed
within some lines, or is closed by chance around what are rows of their own, is refused by its first
line alone, and what follows is read anew.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO

from kitsurvie.assets.readers import text

DELIMITERS = (";", ",", "\t", "|")
LONGEST_LINE = 100_000  # letters; below the limit that the csv module has
MOST_LINES = 50  # of one record
# what Excel is told the separator by, above the headings
_MARK = re.compile(r"\"?sep=.?\"?,?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a record, or why its cells cannot be told (`cells` are then those it has)."""

    line: int
    cells: list[str]
    trouble: str = ""


class _Unclosed(Exception):
    pass


class _Lines:
    """The lines of a stream, which can be put back; `taken` are those since `begin`."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._back: deque[tuple[int, str]] = deque()
        self._number = 0
        self.taken: list[tuple[int, str]] = []
        self.too_long: set[int] = set()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MOST_LINES:
            raise _Unclosed
        if self._back:
            one = self._back.popleft()
        else:
            line = self._stream.readline(LONGEST_LINE + 1)
            if not line:
                raise StopIteration
            self._number += 1
            if len(line) > LONGEST_LINE and line[-1] not in "\r\n":
                self._skip()
                self.too_long.add(self._number)
                line = "\n"
            one = (self._number, line)
        self.taken.append(one)
        return one[1]

    def _skip(self) -> None:
        while (rest := self._stream.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
            pass

    def begin(self) -> None:
        self.taken = []

    def give_back_all_but_the_first(self) -> None:
        self._back.extendleft(reversed(self.taken[1:]))


def lines(file: BinaryIO) -> io.TextIOWrapper:
    """The file as text in lines, from its beginning, whatever its encoding and line ends."""
    file.seek(0)
    name, errors, skip = text.encoding(file.read(4096))
    file.seek(skip)
    return io.TextIOWrapper(file, encoding=name, errors=errors, newline="")


def rows(stream: io.TextIOBase, delimiter: str) -> Iterator[Row]:
    """The records of a table, its headings first; empty ones are left out.

    Where the first two records end in as many empty cells beyond the headings, all may: some tools
    end each row so. Elsewhere an empty cell too many may be one that pushed a login aside.
    """
    records = _records(stream, delimiter)
    first = list(islice(records, 3))
    width = len(first[0].cells) if first else 0
    beyond = {len(row.cells) - width for row in first[1:] if _empty(row.cells[width:])}
    spare = beyond.pop() if len(first) == 3 and len(beyond) == 1 else 0
    for row in chain(first, records):
        if spare > 0 and len(row.cells) == width + spare and _empty(row.cells[width:]):
            yield Row(row.line, row.cells[:width])
        else:
            yield row


def _records(stream: io.TextIOBase, delimiter: str) -> Iterator[Row]:
    source = _Lines(stream)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    width = 0
    while True:
        source.begin()
        cells, trouble, swallows = [], "", True
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _Unclosed:
            trouble = f"a quote in it is not closed within {MOST_LINES} lines"
        except csv.Error:
            trouble = "its quotes are not as CSV has them, or one is not closed"
        taken = source.taken
        first = taken[0][0]
        if source.too_long and not source.too_long.isdisjoint(number for number, _ in taken):
            cells, trouble = [], f"it is longer than {LONGEST_LINE} characters"
            if first not in source.too_long:
                trouble = "a quote in it is not closed before a line that is too long"
            source.too_long.discard(first)
        elif not trouble:
            if _empty(cells) or (not width and _MARK.fullmatch(",".join(cells))):
                continue
            if not width:
                width = len(cells)
            swallows = len(taken) > 1 and _swallows(cells, taken, width, delimiter)
            if len(cells) != width:
                trouble = f"it has {len(cells)} cells under {width} headings"
            elif swallows:
                trouble = "a cell of it holds whole rows, as when a quote is not closed"
        if trouble and swallows and len(taken) > 1:
            source.give_back_all_but_the_first()
            reader = csv.reader(source, delimiter=delimiter, strict=True)
            cells = []
        yield Row(first, cells, trouble)


def _empty(cells: list[str]) -> bool:
    return not any(map(str.strip, cells))


def _swallows(cells: list[str], taken: list[tuple[int, str]], width: int, delimiter: str) -> bool:
    """Whether a record of several lines reads as if a quote had swallowed the rows below it.

    Most of the lines between its first and its last are then rows of their own; where there are
    none, the last one is, and the first would have been but for the quote.
    """
    below = [line for _, line in taken[1:] if line.strip()]
    if width < 2 or not below:
        return False
    between = [_is_row(line, width, delimiter) for line in below[:-1]]
    if between and 2 * sum(between) >= len(between):
        return True
    if len(cells) != width:
        return below[-1].count(delimiter) == width - 1
    if not _is_row(below[-1], width, delimiter):
        return False
    for before, cell in enumerate(cells):
        first, *others = cell.splitlines() or [""]
        if others and 0 < first.count(delimiter) == width - 1 - before:
            return True
    return False


def _is_row(line: str, width: int, delimiter: str) -> bool:
    """Whether a line is a row of its own."""
    try:
        return len(next(csv.reader([line], delimiter=delimiter, strict=True), [])) == width
    except csv.Error:
        return False


def first_line(head: str) -> str:
    """The line of headings in the beginning of a file."""
    lines = io.StringIO(head, newline=None)
    return next((line for line in lines if line.strip() and not _MARK.fullmatch(line.strip())), "")


def split(line: str, delimiter: str) -> list[str]:
    """The cells of one line, none when it is no CSV."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def joined(cells: list[str], delimiter: str) -> str:
    """One row as CSV, without the line end."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(cells)
    return out.getvalue()
