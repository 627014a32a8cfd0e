"""`kitsurvie assets import`: exports into the register, and what an import can be undone to."""

from __future__ import annotations

import csv
import io
import json as json_format
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from kitsurvie import inventory as inventories
from kitsurvie.assets import packing, places
from kitsurvie.assets.life import KINDS
from kitsurvie.assets.readers import Item, Tally, read
from kitsurvie.assets.record import (
    Discard,
    Exemption,
    Person,
    Record,
    Refusal,
    SessionDay,
    Source,
)
from kitsurvie.assets.traces import parts_of_id
from kitsurvie.assets.use import WINDOW_DAYS
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock, keeping, people
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.stories import lent_and_discarded
from kitsurvie.cli.context import who
from kitsurvie.cli.formats import rows, whole
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import ExitCode, UsageError, WorkspaceError
from kitsurvie.inventory import consultations
from kitsurvie.ledger.importing import Day, Entry, Importing, Refused
from kitsurvie.ledger.register import Act, Import
from kitsurvie.workspace import find

# what a terminal shows of what was refused; the file and the document have all of it
REFUSALS_SHOWN = 12
HANGING_SHOWN = 12
Number = Annotated[int, typer.Argument(metavar="N", help="The import, by its number.")]


def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Exports, or folders of them.")
    ],
    source: Annotated[
        Source | None,
        typer.Option("--source", "-s", help="What they are; told by their content otherwise."),
    ] = None,
    register: Annotated[
        str,
        typer.Option(
            "--register", metavar="NAME", help="Which one, where two tools of a kind are kept."
        ),
    ] = "",
    entity: Annotated[
        str,
        typer.Option(
            "--entity", metavar="PLACE", help="Whose records are that say no place of their own."
        ),
    ] = "",
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="HEADING=FIELD", help="What a heading means; may be repeated."
        ),
    ] = None,
    refused: Annotated[
        Path | None,
        typer.Option(
            "--refused", metavar="FOLDER", help="Write what is refused there, to be mended."
        ),
    ] = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Take exports of equipment into the register, all of them or none.

    Importing the same again doubles nothing. Logins become pseudonyms before anything is kept.
    A record that cannot be taken is refused alone, with the reason: mend it, import it again.

    Exit code: 0 all was taken, 1 something was refused, 2 nothing could be begun.
    """
    fields = _fields(mapped or [])
    place = find(workspace)
    inventory = inventories.load(place)
    consulted = consultations.load(place, inventory)
    today = clock.today()
    total = sum(path.stat().st_size for path in _files(paths))
    with opened(place.ledger_url) as ledger:
        logins = people.pseudonyms(place)
        with _Watch(total) as watch:
            items = read(
                paths, places=places.known(inventory), pseudonyms=logins,
                today=today, source=source, register=register, entity=entity,
                mapped=fields, progress=watch,
            )  # fmt: skip
            giving = Giving(consulted, keeping.oldest(today))
            done = ledger.register.take(
                who(), map(str, paths), lambda to: giving(to, items), packing.seen
            )
        keeping.purge(ledger.register, place, consulted, today)
        estate = estates.load(ledger.register, place)
        estates.settle(estate)
        lent = lent_and_discarded(estate)
        not_taken = ledger.register.refused(done.id)
    if refused is not None and not_taken:
        _write(refused, done.id, not_taken)
    counts = {**done.counts, "devices": len(estate.devices)}
    counts["proposals"] = len(estate.identity.proposals)
    counts["not_consulted"] = giving.left_out.total()
    counts["too_old"] = giving.too_old
    counts["discarded_while_lent"] = len(lent)
    if json:
        output.document(
            "assets_import",
            {"import": done.id, "counts": counts, "refused": [one._asdict() for one in not_taken]},
        )
    else:
        say(done, counts, not_taken, refused)
        say_left_out(giving.left_out, estate)
        if giving.too_old:
            days = told.count(giving.too_old, "day")
            output.say(f"{days} of use left out: older than {WINDOW_DAYS} days.")
        if lent:
            output.say(
                f"{told.count(len(lent), 'machine')} discarded while lent to somebody: which, and "
                "what to do: kitsurvie assets discarded"
            )
    return ExitCode.DRIFT if not_taken else ExitCode.COMPLIANT


def imports(json: Json = False, workspace: Workspace = None) -> int:
    """List what was imported, when, and by whom; the newest first."""
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        listed = ledger.register.imports()
    if json:
        output.document("assets_imports", {"imports": [_document(one) for one in listed]})
        return 0
    if not listed:
        output.say("Nothing was imported yet. Begin with: kitsurvie assets import PATH")
    for one in listed:
        undone = f", undone on {told.day(one.undone_at)}" if one.undone_at is not None else ""
        files = told.names([output.printable(file) for file in one.files])
        output.say(f"{one.id}  {told.day(one.at)}  {one.by_whom}  {files}: {kept(one)}{undone}")
    return 0


def undo(number: Number, json: Json = False, workspace: Workspace = None) -> int:
    """Take an import back: the register is as if it had never been, later imports stay.

    Loans, returns and discards of machines that it alone knew stay on record, and are told.
    """
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        before = ledger.register.devices()
        one = ledger.register.undo(number)
        estate = estates.load(ledger.register, place)
        estates.settle(estate)
        hanging = _hanging(estate, before)
    if json:
        document = _document(one) | {"devices": len(estate.devices)}
        document["hanging"] = [
            {"decision": act.id, "kind": act.kind, "device": act.data["device"]} for act in hanging
        ]
        output.document("assets_undo", document)
    else:
        devices = told.count(len(estate.devices), "device")
        output.say(f"Import {number} is undone: the register has {devices}.")
        _say_hanging(hanging)
    return 0


def _hanging(estate: Estate, before: Mapping[tuple[str, str, str], str]) -> list[Act]:
    """The decisions on the life of machines that the register had, and has no more."""
    had = set(before.values())
    return [
        act
        for act in estate.register.acts(*KINDS)
        if (parts_of_id(act.data["record"]) in before or act.data["device"] in had)
        and estate.meant(act.data) is None
    ]


def _say_hanging(hanging: list[Act]) -> None:
    if not hanging:
        return
    kinds = Counter(act.kind for act in hanging)
    numbers = " ".join(str(act.id) for act in hanging[:HANGING_SHOWN])
    more = len(hanging) - HANGING_SHOWN
    others = f" (and {more} more: kitsurvie assets journal)" if more > 0 else ""
    output.say(
        f"{', '.join(told.count(kinds[kind], kind) for kind in KINDS if kinds[kind])} on record "
        "of machines that no import knows any more: each holds again once an import has its "
        f"machine. Where none will: kitsurvie assets revoke {numbers}{others}"
    )


def _fields(words: Iterable[str]) -> dict[str, str]:
    found = {}
    for word in words:
        heading, equals, field = word.rpartition("=")
        if not equals or not heading.strip() or not field.strip():
            raise UsageError(
                f"--map {word!r} does not say which field a heading is.",
                remedy="Write it as in --map 'N° parc=id' (docs/reference/exports.md).",
            )
        found[heading.strip()] = field.strip()
    return found


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"There is no {path}.", remedy="Check the name of the export.")
        if path.is_dir():
            yield from (f for f in path.rglob("*") if f.is_file() and not f.is_symlink())
        elif path.is_file():
            yield path


class Giving:
    """Hands over what may be kept; counts the days of use that may not.

    `left_out` are days of members at which nobody was consulted, `too_old` those before `oldest`.
    """

    def __init__(self, consulted: consultations.Consultations, oldest: date) -> None:
        self._may = cache(lambda member: consulted.of(member) is not None)
        self._oldest = oldest
        self.left_out: Counter[str | None] = Counter()
        self.too_old = 0

    def __call__(self, to: Importing, items: Iterable[Item]) -> None:
        for one in items:
            match one:
                case SessionDay():
                    self._day(to, one)
                case Refusal():
                    row = {"text": one.text, "headings": one.headings} if one.text else {}
                    text = json_format.dumps(row, ensure_ascii=False) if row else ""
                    to.refuse(Refused(one.origin.file, one.origin.line, one.reason, text))
                case _:
                    for entry in _entries(one):
                        to.entry(entry)

    def _day(self, to: Importing, one: SessionDay) -> None:
        if one.day < self._oldest:
            self.too_old += 1
        elif not self._may(one.member):
            self.left_out[one.member] += 1
        else:
            to.day(
                Day(
                    one.day.isoformat(), one.member or "", one.commune or "", one.device_name,
                    one.device_serial, one.user,
                )
            )  # fmt: skip


def _entries(one: Record | Person | Exemption | Discard) -> Iterable[Entry]:
    match one:
        case Record():
            kept = packing.named(one)
            data = packing.pack(kept)
            yield Entry("record", kept.source.value, kept.register, kept.key, data)
        case Person() if one.user:
            key = f"{one.member or ''}/{one.user}"
            yield Entry("person", Source.DIRECTORY.value, "", key, packing.pack(one))
        case Exemption():
            key = f"{one.member or ''}/{one.user}"
            yield Entry("exemption", Source.EXEMPTIONS.value, "", key, packing.pack(one))
        case Discard():
            source = Source.DISCARDED.value
            yield Entry("discard", source, one.register, one.key, packing.pack(one))


class _Watch:
    """A bar of the bytes read, on a terminal alone."""

    def __init__(self, total: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
            console=output.stderr(), transient=True, disable=not output.stderr().is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("Import", total=total)

    def __enter__(self) -> _Watch:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, tally: Tally) -> None:
        self._progress.update(self._task, completed=tally.bytes)


def say(
    done: Import, counts: Mapping[str, int], not_taken: tuple[Refused, ...], folder: Path | None
) -> None:
    output.say(f"Import {done.id}: {kept(done)}.")
    for one in not_taken[:REFUSALS_SHOWN]:
        line = f", line {one.line}" if one.line else ""
        output.say(f"  refused: {output.printable(one.file)}{line}: {output.printable(one.reason)}")
    if len(not_taken) > REFUSALS_SHOWN:
        output.say(f"  and {len(not_taken) - REFUSALS_SHOWN} more (--json has them all)")
    if not_taken and folder is None:
        output.say("  To have what is refused as files to mend, import again with --refused FOLDER")
    elif not_taken:
        output.say(f"  They are in {folder}, to be mended and imported again.")
    if counts["older"]:
        output.say(
            f"{told.count(counts['older'], 'machine')} changed to what an earlier day had of it: "
            "the register knew a later one. If these are old exports, take them back and import "
            f"those of today: kitsurvie assets undo {done.id}"
        )
    devices = told.count(counts["devices"], "device")
    output.say(f"The register has {devices}.")
    if counts["proposals"]:
        ones = told.count(counts["proposals"], "pair")
        output.say(f"{ones} of records may be one machine: kitsurvie assets identical")
    output.say(f"To take it back: kitsurvie assets undo {done.id}")


def say_left_out(left_out: Counter[str | None], estate: Estate) -> None:
    """How many days of use were not taken, and of whom."""
    if not left_out:
        return
    members = told.names(
        [output.printable(estate.member(one)) for one, _ in left_out.most_common()]
    )
    output.say(
        f"{told.count(left_out.total(), 'day')} of use left out: nobody was consulted, as far as "
        f"inventory/consultations.yml says, for {members}. Write it there, then import again."
    )


def kept(one: Import) -> str:
    """What an import came to, in words."""
    words = [("new", "new"), ("changed", "changed"), ("same", "as before")]
    parts = [f"{one.counts.get(name, 0)} {word}" for name, word in words]
    twice = one.counts.get("twice", 0)
    parts += [f"{twice} given twice (the one seen last is kept)"] if twice else []
    days = one.counts.get("days", 0)
    parts += [f"{told.count(days, 'day')} of use"] if days else []
    parts += [f"{one.counts.get('refused', 0)} refused"]
    return ", ".join(parts)


def _document(one: Import) -> dict[str, Any]:
    return {
        "import": one.id,
        "at": told.iso(one.at),
        "by": one.by_whom,
        "files": list(one.files),
        "counts": dict(one.counts),
        "undone": told.iso(one.undone_at) if one.undone_at is not None else None,
    }


def _write(folder: Path, number: int, not_taken: Iterable[Refused]) -> None:
    """A table for each heading line that rows were refused under, and the list of all refusals."""
    tables: dict[str, list[str]] = {}
    listed = io.StringIO(newline="")
    writer = csv.writer(listed, lineterminator="\r\n")
    writer.writerow(("file", "line", "reason"))
    for one in not_taken:
        writer.writerow((rows.cell(one.file), one.line or "", rows.cell(one.reason)))
        row = json_format.loads(one.text) if one.text else None
        if row:
            tables.setdefault(row["headings"], []).append(row["text"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        start = f"import-{number}"
        whole.write(folder / f"{start}-refused.csv", listed.getvalue().encode("utf-8-sig"), 0o600)
        for rank, (headings, texts) in enumerate(tables.items(), start=1):
            content = _table([headings, *texts])
            whole.write(folder / f"{start}-mend-{rank}.csv", content, 0o600)
    except OSError as error:
        raise WorkspaceError(
            f"What was refused cannot be written: {error.strerror}. The import itself is done.",
            where=str(folder),
            remedy="Name a folder that can be written: kitsurvie assets import ... --refused",
        ) from error


def _table(lines: list[str]) -> bytes:
    """The rows as they came, each cell safe from formulas; their separator is that of the first."""
    separator = max(";,\t|", key=lines[0].count)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    for line in lines:
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator):
            writer.writerow([rows.cell(cell) for cell in row])
    return stream.getvalue().encode("utf-8-sig")
