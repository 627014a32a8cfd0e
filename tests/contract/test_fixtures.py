"""What a test sets up ends with it: nothing is left behind for those that run after."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def scopes(file: Path) -> list[str]:
    """The scopes that the fixtures of a file name."""
    return [
        word.value.value
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "scope" and isinstance(word.value, ast.Constant)
    ]


def test_no_fixture_is_of_a_package_where_its_folder_is_none() -> None:
    """In a folder without __init__.py, pytest ends it with the last test of all."""
    left_behind = [
        str(file.relative_to(TESTS))
        for file in TESTS.rglob("*.py")
        if "package" in scopes(file) and not (file.parent / "__init__.py").exists()
    ]
    assert left_behind == []
