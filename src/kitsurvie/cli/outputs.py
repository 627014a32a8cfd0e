"""`--output FORMAT=PATH`: a run in as many shapes as were asked for, each whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kitsurvie.cli import output, view
from kitsurvie.cli.documents import run_document
from kitsurvie.cli.formats import junit, page, rows, textfile, whole
from kitsurvie.cli.language import language
from kitsurvie.cli.report import report as printed
from kitsurvie.errors import UsageError, WorkspaceError
from kitsurvie.model import Measure


class Format(StrEnum):
    """The shapes a run can be given (docs/reference/formats.md)."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"
    CSV = "csv"
    HTML = "html"
    PROMETHEUS = "prometheus"


Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FORMAT=PATH",
        help=f"Write the run as {', '.join(Format)} to a file, or to - for standard output, which "
        "has the table if nothing else; may be repeated.",
    ),
]
Lang = Annotated[
    Literal["fr", "en"] | None,
    typer.Option(help="The language of the HTML page; else English if LANG says so, else French."),
]


@dataclass(frozen=True, slots=True)
class Target:
    """One shape and where it goes; no path is standard output."""

    format: Format
    path: Path | None

    def __str__(self) -> str:
        return f"{self.format.value}={self.path or '-'}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. With nothing for standard output, and no file for it, the table."""

    targets: tuple[Target, ...]
    language: Literal["fr", "en"]

    def wants(self, format: Format) -> bool:
        """Whether a run is to be given that shape."""
        return any(target.format is format for target in self.targets)


def asked(words: Sequence[str] | None, *, json: bool, lang: Literal["fr", "en"] | None) -> Asked:
    """Read the options, and prove that each file can be written, before anything is begun.

    Raises UsageError for what cannot be meant, WorkspaceError for what cannot be written.
    """
    targets = [_target(word) for word in words or ()]
    if json:
        targets.append(Target(Format.JSON, None))
    places = [target.path.resolve() if target.path else None for target in targets]
    for place in places:
        if places.count(place) > 1:
            said = "Standard output" if place is None else str(place)
            raise UsageError(
                f"{said} is given twice: one would overwrite the other.",
                remedy="Give each format a place of its own; --json is --output json=-",
            )
    for target in targets:
        if target.path:
            try:
                whole.prove(target.path)
            except OSError as error:
                raise _unwritable(target, error, "Nothing was begun.") from error
        if target.format is Format.PROMETHEUS and target.path and target.path.suffix != ".prom":
            output.complain(f"Note: node_exporter reads names in .prom only, not {target.path}.")
    if not any(t.path is None or t.format is Format.TABLE for t in targets):
        targets.append(Target(Format.TABLE, None))
    return Asked(tuple(targets), language(lang, otherwise="fr"))


def report(
    run: view.RunView,
    to: Asked,
    measures: Mapping[str, Measure],
    changes: Mapping[str, Any] | None = None,
) -> int:
    """Write a run in every shape asked for, files first; gives its exit code.

    A file that cannot be written any more keeps none of the others back; WorkspaceError says so at
    the end. `changes` is what is new since an earlier run, as `compliance diff` has it.
    """
    told = any(target.format is not Format.TABLE for target in to.targets)
    document = run_document(run) if told else {}
    failed: list[WorkspaceError] = []
    for target in sorted(to.targets, key=lambda target: target.path is None):
        if target.path is None and target.format in {Format.TABLE, Format.JSON}:
            _print(target, run, document)
            continue
        content = _content(target, run, document, to, measures, changes)
        if target.path is None:
            output.raw(content)
            continue
        try:
            mode = whole.COUNTS if target.format is Format.PROMETHEUS else whole.REPORT
            whole.write(target.path, content, mode)
        except OSError as error:
            word = "rejudge" if run.rejudged else "show"
            again = f"Once it is mended: kitsurvie compliance {word} --run {run.id} -o {target}"
            failed.append(_unwritable(target, error, "The run itself is recorded.", again))
    for trouble in failed[:-1]:
        output.error(trouble)
    if failed:
        raise failed[-1]
    return view.exit_code(run)


def _content(
    target: Target,
    run: view.RunView,
    document: dict[str, Any],
    to: Asked,
    measures: Mapping[str, Measure],
    changes: Mapping[str, Any] | None,
) -> bytes:
    match target.format:
        case Format.JUNIT:
            return junit.render(document)
        case Format.CSV:
            return rows.render(document)
        case Format.PROMETHEUS:
            return textfile.render(document, _last_success(target.path))
        case Format.HTML:
            return page.render(document, to.language, page.described(measures.values()), changes)
        case _:
            with redirect_stdout(io.StringIO()) as stream:
                _print(target, run, document)
            return stream.getvalue().encode("utf-8", "backslashreplace")


def _print(target: Target, run: view.RunView, document: dict[str, Any]) -> None:
    if target.format is Format.JSON:
        output.document("run", document)
    else:
        printed(run, json=False)


def _last_success(path: Path | None) -> float | None:
    """What the file of the run before says, if it can be read."""
    if path is not None:
        with suppress(OSError, UnicodeDecodeError):
            return textfile.success(path.read_text(encoding="utf-8"))
    return None


def _target(word: str) -> Target:
    name, equals, path = word.partition("=")
    if name not in set(Format) or not equals or not path:
        raise UsageError(
            f"--output {word!r} is not FORMAT=PATH.",
            remedy=f"The formats are {', '.join(Format)}; the path is a file, or - for standard "
            "output. For example: --output html=/srv/night/index.html",
        )
    return Target(Format(name), None if path == "-" else Path(path))


def _unwritable(target: Target, error: OSError, so: str, remedy: str = "") -> WorkspaceError:
    missing = isinstance(error, FileNotFoundError)
    why = "its folder does not exist" if missing else error.strerror or str(error)
    return WorkspaceError(
        f"The {target.format.value} file cannot be written: {why}. {so}",
        where=str(target.path),
        remedy=remedy or "Make its folder, let this account write there, or name another place.",
    )
