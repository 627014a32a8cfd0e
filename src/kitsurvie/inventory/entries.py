"""Files of people's decisions beside the inventory: a list of entries, each a few names and texts.

Every value is read as it is written: `2026-02-30` and `0123456789` stay texts, so that what is
wrong with them is told at their line and in their own characters.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml

from kitsurvie.errors import InventoryError
from kitsurvie.inventory import sources, syntax
from kitsurvie.inventory.problem import Problem
from kitsurvie.inventory.values import day

MAX_BYTES = 2 * 1024 * 1024
MAX_ENTRIES = 10_000
# what a line of a report can carry
LONGEST = 500
# a hint is worth something in the first faults, and costs seconds in ten thousand
MOST_HINTS = 50

# YAML is indented with spaces, French is spaced with unbreakable ones: all are one space here
_BLANKS = re.compile("[ \t\n\u00a0\u2009\u202f]+")
_STANDARD = "tag:yaml.org,2002:"
_WRITTEN = {_STANDARD + name for name in ("str", "int", "float", "bool", "timestamp")}
_NOT_WALKED = {"group_vars", "host_vars", "territory"}


@dataclass(frozen=True, slots=True)
class Form:
    """What the entries of one file hold.

    `keys` are those it may have, with what to do when the value is not as it should be; of each
    group of `one_of` an entry has one, and of the rest all but the `optional`.
    """

    file: str
    heading: str
    noun: str
    keys: Mapping[str, str]
    one_of: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The keys that every entry has."""
        chosen = {key for group in self.one_of for key in group}
        return tuple(key for key in self.keys if key not in chosen and key not in self.optional)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its texts and the `file:line` of each, both by key; `where` is its own line.

    It is `sound` when it has every key it must have, and each can be read.
    """

    where: str
    sound: bool
    texts: Mapping[str, str]
    lines: Mapping[str, str]

    def at(self, key: str) -> str:
        """The line of that key, else that of the entry."""
        return self.lines.get(key, self.where)


@dataclass(slots=True)
class Reader:
    """Collects what is wrong with one file, and what may be meant."""

    form: Form
    problems: list[Problem] = field(default_factory=list)
    hints: int = 0

    def wrong(self, where: str, what: str, remedy: str = "", key: str = "") -> None:
        """One more fault; the remedy is that of the key unless given."""
        self.problems.append(Problem(where, what, remedy or self.form.keys[key]))

    def told(self) -> list[Problem]:
        """What is wrong, from the top of the file to its end."""
        return sorted(self.problems, key=lambda problem: _line(problem.where))

    def hint(self, word: str, known: Collection[str]) -> str:
        """What may have been meant, as a sentence; empty when nothing is near."""
        if len(word) > 100 or self.hints >= MOST_HINTS:
            return ""
        self.hints += 1
        near = difflib.get_close_matches(word, known, n=3, cutoff=0.7)
        return f"Did you mean {' or '.join(near)}?" if near else ""

    def no_such(self, entry: Entry, scope: str) -> None:
        """A fault: the inventory holds no member or EPCI of that SIREN."""
        of, name = "member" if scope == "member" else "EPCI", short(entry.texts[scope])
        self.wrong(entry.at(scope), f"The inventory holds no {of} {name}.", key=scope)

    def day_of(self, entry: Entry, key: str) -> date | None:
        """The day that a key says; told when it says none."""
        text = entry.texts.get(key)
        if text is None:
            return None
        found = day(text)
        if found is None:
            self.wrong(entry.at(key), f"{key} is {short(text)}, which is no day.", key=key)
        return found


def read(folder: Path, form: Form) -> tuple[tuple[Entry, ...], Reader]:
    """The entries of a file of the inventory folder, none when there is none, and their faults.

    An entry with a fault is among them, with the keys of its that can be read.
    """
    reader = Reader(form)
    entries: list[Entry] = []
    try:
        _astray(folder, reader)
        path, shown = folder / form.file, f"{folder.name}/{form.file}"
        if os.path.lexists(path):
            node = syntax.compose(sources.contents(path, shown, MAX_BYTES), shown)
            entries += _entries(node, shown, reader)
    except InventoryError as error:
        reader.wrong(error.where or form.file, error.what, error.remedy)
    except OSError as error:
        reader.wrong(
            str(error.filename or folder),
            f"{form.file} cannot be read: {error.strerror or error}.",
            "Mend the rights of that file or folder.",
        )
    return tuple(entries), reader


def short(text: str) -> str:
    """A text as it can be shown in a sentence, between quotes."""
    shown = repr(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _line(where: str) -> int:
    line = where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


def _astray(folder: Path, reader: Reader) -> None:
    """The same file under another name or in a folder below: Ansible and the kit pass it over."""
    stem, right = reader.form.file.removesuffix(".yml"), folder / reader.form.file
    for here, below, files in os.walk(folder):
        below[:] = [n for n in below if n not in _NOT_WALKED and not n.startswith(".")]
        for name in sorted({f"{stem}.yml", f"{stem}.yaml"}.intersection(files)):
            path = Path(here) / name
            if path != right:
                reader.wrong(
                    f"{folder.name}/{path.relative_to(folder)}",
                    f"This file is not read: {reader.form.heading} stand in one place.",
                    f"Move what it holds into {folder.name}/{reader.form.file}.",
                )


def _entries(node: yaml.MappingNode | None, shown: str, reader: Reader) -> Iterator[Entry]:
    heading = reader.form.heading
    for key, value in node.value if node is not None else ():
        where = f"{shown}:{syntax.line(key)}"
        if not isinstance(key, yaml.ScalarNode) or key.value != heading:
            reader.wrong(
                where,
                f"{_called(key)} means nothing here.",
                f"Write each {reader.form.noun} under `{heading}:`, after a dash.",
            )
        elif isinstance(value, yaml.SequenceNode):
            if len(value.value) > MAX_ENTRIES:
                reader.wrong(
                    where,
                    f"There are more than {MAX_ENTRIES} {heading} here: what follows is not read.",
                    "Write one for a member or an EPCI in the place of one for each machine.",
                )
            for item in value.value[:MAX_ENTRIES]:
                yield from _entry(item, shown, reader)
        elif value.tag != _STANDARD + "null":
            reader.wrong(
                where, f"`{heading}` does not hold a list.", "Write each entry after a dash."
            )


def _entry(node: yaml.Node, shown: str, reader: Reader) -> Iterator[Entry]:
    form, where = reader.form, f"{shown}:{syntax.line(node)}"
    before = len(reader.problems)
    if not isinstance(node, yaml.MappingNode):
        reader.wrong(
            where,
            f"This {form.noun} does not hold names and values.",
            f"It holds {', '.join(form.keys)}.",
        )
        return
    texts: dict[str, str] = {}
    lines: dict[str, str] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        here = f"{shown}:{syntax.line(key)}"
        if name not in form.keys:
            reader.wrong(
                here,
                f"{_called(key)} means nothing in this {form.noun}.",
                reader.hint(name, form.keys) or f"It holds {', '.join(form.keys)}.",
            )
            continue
        lines[name] = here
        text, flaw = _text(value)
        if flaw:
            reader.wrong(here, f"{name} {flaw}.", key=name)
        else:
            texts[name] = text
    for key in form.required:
        if key not in lines:
            reader.wrong(where, f"This {form.noun} has no {key}.", key=key)
    for group in form.one_of:
        given = [key for key in group if key in lines]
        if len(given) != 1:
            has = " and ".join(given) if given else f"none of {', '.join(group)}"
            reader.wrong(
                where,
                f"This {form.noun} has {has}.",
                f"Write one of them, and only one: {', '.join(group)}.",
            )
    yield Entry(where, len(reader.problems) == before, texts, lines)


def _called(key: yaml.Node) -> str:
    return short(key.value) if isinstance(key, yaml.ScalarNode) else "What stands before the colon"


def _text(node: yaml.Node) -> tuple[str, str]:
    """The text of a value, or what is wrong with it."""
    if not isinstance(node, yaml.ScalarNode):
        return "", "is not one text"
    if node.tag not in {*_WRITTEN, _STANDARD + "null"}:
        return "", f"carries the tag {node.tag}: it is not in clear"
    text = _BLANKS.sub(" ", node.value).strip()
    strange = next((c for c in text if not c.isprintable()), "")
    if strange:
        return "", f"holds a character that cannot be shown, U+{ord(strange):04X}"
    if not text or node.tag == _STANDARD + "null":
        return "", "is empty"
    if len(text) > LONGEST:
        return "", f"is too long: {len(text)} characters, at most {LONGEST} are read"
    return text, ""
