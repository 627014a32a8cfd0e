"""A condition of a task is true or false: Ansible refuses a list, but not before it is met."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
CONDITIONS = ("when", "changed_when", "failed_when", "until", "that")
# what these give is no answer to a question, whether something is in it or not
NO_ANSWER = {
    "count", "dict2items", "difference", "first", "int", "intersect", "items2dict", "join", "last",
    "length", "list", "map", "regex_findall", "regex_replace", "regex_search", "reject",
    "rejectattr", "replace", "select", "selectattr", "sort", "split", "string", "sum", "trim",
    "union", "unique",
}  # fmt: skip
FILES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/**/*.yml")
    for path in ROOT.glob(pattern)
)


def conditions(node: Any) -> Iterator[str]:
    """Every condition in a file, wherever it stands: of a task, of a block, of an assertion."""
    if isinstance(node, list):
        for one in node:
            yield from conditions(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in CONDITIONS:
                yield from (x for x in (value if isinstance(value, list) else [value]) if x)
            yield from conditions(value)


def no_answers(expression: nodes.Node) -> Iterator[str]:
    """The parts of an expression that may be its value, and are neither true nor false."""
    match expression:
        case nodes.And() | nodes.Or():
            yield from no_answers(expression.left)
            yield from no_answers(expression.right)
        case nodes.CondExpr():
            yield from no_answers(expression.expr1)
            yield from no_answers(expression.expr2 or nodes.Const(False))
        case nodes.Filter(name="default", args=[other, *_], node=value):
            yield from no_answers(other)
            yield from no_answers(value)
        case nodes.Filter(name=name) if name in NO_ANSWER:
            yield f"| {name}"
        case nodes.List() | nodes.Tuple() | nodes.Dict():
            yield "a list"
        case nodes.Const(value=value) if not isinstance(value, bool):
            yield repr(value)


def wrong(text: str) -> list[str]:
    with warnings.catch_warnings():
        # jinja2 reads a pattern's backslashes as Python would
        warnings.simplefilter("ignore", DeprecationWarning)
        tree = Environment(autoescape=True).parse("{{ " + text + " }}")
    return list(no_answers(tree.body[0].nodes[0]))


@pytest.mark.parametrize("file", FILES)
def test_every_condition_is_true_or_false(file: str) -> None:
    asked = conditions(yaml.safe_load((ROOT / file).read_text(encoding="utf-8")))
    found = {str(text): wrong(str(text)) for text in asked}
    assert {text: why for text, why in found.items() if why} == {}


def test_a_list_is_seen_where_it_may_be_the_answer() -> None:
    assert wrong("made is changed or said.lines | select('match', 'x') | list") == ["| list"]
    assert wrong("said.lines | default([])") == ["a list"]
    assert wrong("said.lines | select('match', 'x') | list | length > 0") == []
    assert wrong("not said.lines | list and made is changed") == []
    assert wrong("made | default(false) | bool") == []
