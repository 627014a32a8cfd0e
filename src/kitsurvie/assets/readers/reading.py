"""The files of an import, record by record, in constant memory. No record is lost in silence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, tzinfo
from pathlib import Path
from typing import BinaryIO

from kitsurvie.assets.places import Places
from kitsurvie.assets.pseudonym import Pseudonyms
from kitsurvie.assets.readers import (
    agent_xml,
    dates,
    devices,
    discards,
    files,
    glpi_json,
    guess,
    headings,
    inventory,
    people,
    table,
)
from kitsurvie.assets.readers.refused import Teller
from kitsurvie.assets.readers.schema import LONGEST
from kitsurvie.assets.readers.settings import Item, Limits, Progress, Settings, Tally
from kitsurvie.assets.readers.text import clean
from kitsurvie.assets.readers.told import Told
from kitsurvie.assets.record import Origin, Refusal, Source

EVERY = 1000  # records between two words of progress
Make = Callable[[Mapping[str, str], Origin], Item]


def read(
    paths: Iterable[Path | str],
    *,
    places: Places,
    pseudonyms: Pseudonyms,
    today: date,
    source: Source | None = None,
    register: str = "",
    entity: str = "",
    mapped: Mapping[str, str] | None = None,
    zone: tzinfo | None = None,
    limits: Limits | None = None,
    tally: Tally | None = None,
    progress: Progress | None = None,
) -> Iterator[Item]:
    """Every record of these files and folders, and a Refusal for each that cannot be taken.

    A file's source is guessed from its content where none is given; one that nobody can tell is
    refused whole. `entity` is where records are that say no place (a code, a SIREN, a name),
    `register` names one of several tools of a kind, `mapped` gives the fields of headings. Dates
    that say no zone are of `zone` (Europe/Paris). `tally` is kept up while records are taken, and
    handed to `progress` after each file and every 1,000 records.

    Raises UsageError at once for a field in `mapped` that there is not.
    """
    settings = Settings(
        places=places,
        pseudonyms=pseudonyms,
        today=today,
        zone=zone or dates.paris(),
        register=register,
        entity=entity,
        headings=dict(mapped or {}),
        limits=limits or Limits(),
    )
    headings.columns((), source or Source.PLAIN_CSV, settings.headings)
    reader = _Reader(settings, source, tally or Tally(), progress)
    return (item for found in files.walk(paths) for item in reader.file(found))


class _Reader:
    def __init__(
        self, settings: Settings, source: Source | None, tally: Tally, progress: Progress | None
    ) -> None:
        self._settings = settings
        self._source = source
        self._tally = tally
        self._progress = progress

    def file(self, found: files.Found) -> Iterator[Item]:
        tally = self._tally
        tally.file, before = found.name, tally.bytes
        try:
            if found.trouble:
                raise files.Unreadable(found.trouble)
            file, size = files.opened(found)
            with file:
                for item in self._items(file, size, found.name, before):
                    yield self._counted(item)
        except files.Unreadable as error:
            tally.records += 1
            yield self._counted(Refusal(Origin(found.name, error.line), f"The file {error}."))
        except OSError as error:
            tally.records += 1
            reason = f"The file cannot be read to its end: {error.strerror}."
            yield self._counted(Refusal(Origin(found.name), reason))
        else:
            tally.bytes = before + size
        tally.files += 1
        if self._progress:
            self._progress(tally)

    def _counted(self, item: Item) -> Item:
        if isinstance(item, Refusal):
            self._tally.refused += 1
        else:
            self._tally.kept += 1
        return item

    def _items(self, file: BinaryIO, size: int, name: str, before: int) -> Iterator[Item]:
        head = file.read(guess.HEAD)
        file.seek(0)
        source = self._source or guess.source(head, self._settings.headings)
        if source is Source.GLPI_JSON:
            data = files.whole(file, size, self._settings.limits.inventory_bytes)
            yield from self._inventory([glpi_json.read(data)], source, name)
        elif source is Source.AGENT_XML:
            limit = self._settings.limits.inventory_bytes
            data = files.whole(file, size, limit)
            if guess.compressed(head):
                data = agent_xml.inflated(data, limit)
            yield from self._inventory(agent_xml.read(data), source, name)
        elif source in headings.TABLES:
            yield from self._table(file, size, source, name, before)
        else:
            raise files.Unreadable(f"cannot be read as {source}, which is no kind of file")

    def _inventory(self, found: Iterable[Told], source: Source, name: str) -> Iterator[Item]:
        for told in found:
            for item in inventory.records(told, source, Origin(name), self._settings):
                self._tally.records += 1
                yield item

    def _table(
        self, file: BinaryIO, size: int, source: Source, name: str, before: int
    ) -> Iterator[Item]:
        settings, tally = self._settings, self._tally
        if size > settings.limits.table_bytes:
            raise files.Unreadable(
                f"is larger than {settings.limits.table_bytes} bytes; cut it in parts, or raise "
                "the limit"
            )
        line = table.first_line(guess.text_of(file.read(guess.HEAD)).lstrip("\ufeff"))
        delimiter = guess.delimiter(line, source, settings.headings)
        # the file is closed by whoever opened it
        stream = table.lines(file)
        rows = table.rows(stream, delimiter)
        first = next(rows, None)
        if first is None or first.trouble:
            raise files.Unreadable("has no line of headings that can be read", 1)
        columns = headings.columns(first.cells, source, settings.headings)
        if not headings.usable(columns, source):
            raise files.Unreadable(
                f"has not the headings of {source}; name them with --map, or another --source",
                first.line,
            )
        make, teller = _maker(source, settings), Teller(columns, delimiter, settings.pseudonyms)
        of = tuple((field, numbers[0], numbers[1:]) for field, numbers in columns.of.items())
        for row in rows:
            tally.records += 1
            origin = Origin(name, row.line)
            reason = row.trouble and f"The record cannot be taken: {row.trouble}."
            if not reason:
                try:
                    if columns.same:
                        _no_contradiction(columns, row.cells)
                    item = make(_values(of, row.cells), origin)
                except devices.Bad as error:
                    reason = f"The record {error}"
            yield teller.refusal(row, origin, reason) if reason else item
            if self._progress and tally.records % EVERY == 0:
                tally.bytes = before + os.lseek(file.fileno(), 0, os.SEEK_CUR)
                self._progress(tally)
        stream.detach()


def _maker(source: Source, settings: Settings) -> Make:
    if source is Source.SESSIONS:
        return people.session_day(settings)
    if source is Source.EXEMPTIONS:
        return people.exemption(settings)
    if source is Source.DIRECTORY:
        return people.person(settings)
    if source is Source.DISCARDED:
        return discards.discard(settings)
    return devices.record(source, settings)


def _values(of: tuple[tuple[str, int, tuple[int, ...]], ...], cells: list[str]) -> dict[str, str]:
    values = {}
    for field, number, others in of:
        value = cells[number]
        if value:
            value = clean(value)
        if not value and others:
            value = next((text for other in others if (text := clean(cells[other]))), "")
        if len(value) > LONGEST:
            raise devices.Bad(f"has more than {LONGEST} characters in one cell ({field}).")
        values[field] = value
    return values


def _no_contradiction(columns: headings.Columns, cells: list[str]) -> None:
    for numbers in columns.same:
        if len({clean(cells[number]) for number in numbers} - {""}) > 1:
            heading = columns.headings[numbers[0]][:80]
            raise devices.Bad(
                f"says two things under the heading {heading!r}, which is there twice."
            )
