"""`kitsurvie kit coverage`: what the kit makes of every rule of the norms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from kitsurvie.cli import output
from kitsurvie.kit import Covered, How

NORMS = {
    "bp-028": ("BP-028/", "ANSSI BP-028 v2.0 (GNU/Linux)"),
    "gh-42": ("GH-42/", "ANSSI hygiene guide (2017)"),
}
_WORDS = {How.AUTOMATED: "automated", How.ATTESTED: "attested", How.LEFT_OUT: "left out"}


def chosen(found: Iterable[Covered], norm: str | None, level: str | None) -> list[Covered]:
    """The rules of that norm and that level; None: all."""
    prefix = NORMS[norm][0] if norm else ""
    return [
        one for one in found
        if one.rule.id.startswith(prefix) and level in (None, one.rule.level)
    ]  # fmt: skip


def document(found: Sequence[Covered]) -> dict[str, Any]:
    """The payload of `kit coverage --json`."""
    return {
        "summary": {how.value: number for how, number in _counts(found).items()},
        "rules": [
            {
                "id": one.rule.id,
                "title": one.rule.title,
                "level": one.rule.level,
                "how": one.how.value,
                "measures": list(one.measures),
                "text": {"fr": one.text.fr, "en": one.text.en} if one.text else None,
            }
            for one in found
        ],
    }


def show(found: Sequence[Covered], language: str) -> None:
    """Print one line a rule, then how many there are of each kind."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Rule", "Level", "What it asks", "How", "By, or why"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(
            one.rule.id, one.rule.level, Text(one.rule.title), _WORDS[one.how],
            Text(_said(one, language)),
        )  # fmt: skip
    output.stdout().print(table)
    output.say("")
    output.say(", ".join(f"{number} {_WORDS[how]}" for how, number in _counts(found).items()))


def page(found: Sequence[Covered]) -> Iterator[str]:
    """The same as a page of the reference, in Markdown, line by line."""
    for prefix, title in NORMS.values():
        own = [one for one in found if one.rule.id.startswith(prefix)]
        yield f"## {title}"
        yield ""
        yield ", ".join(f"{number} {_WORDS[how]}" for how, number in _counts(own).items()) + "."
        yield ""
        yield "| rule | level | what it asks | how | by, or why |"
        yield "|---|---|---|---|---|"
        for one in own:
            name = one.rule.id.rpartition("/")[2]
            said = _said(one, "en")
            yield f"| {name} | {one.rule.level} | {one.rule.title} | {_WORDS[one.how]} | {said} |"
        yield ""


def _counts(found: Iterable[Covered]) -> dict[How, int]:
    counted = Counter(one.how for one in found)
    return {how: counted[how] for how in How}


def _said(one: Covered, language: str) -> str:
    text = (one.text.fr if language == "fr" else one.text.en) if one.text else ""
    names = ", ".join(one.measures)
    return f"{names}. {text}" if names and text else names or text
