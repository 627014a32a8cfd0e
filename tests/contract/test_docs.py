"""The documentation says what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from kitsurvie.cli.main import app
from kitsurvie.inventory import territory

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(command: Any, path: str) -> list[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below:
        return [found for name in below for found in commands(below[name], f"{path} {name}")]
    return [(path, command)]


COMMANDS = commands(typer.main.get_command(app), "kitsurvie")


def test_the_page_of_commands_is_the_one_the_program_writes() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / "reference"), "--check"])
    assert done.returncode == 0, "run scripts/reference"


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_and_every_option_says_what_it_does(path: str, command: Any) -> None:
    assert command.help, path
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{path}: {parameter.name}"


def test_every_json_document_is_described() -> None:
    sources = (ROOT / "src" / "kitsurvie" / "cli").glob("*.py")
    kinds = {
        kind
        for source in sources
        for kind in re.findall(r'output\.document\(\s*"(\w+)"', source.read_text())
    }
    described = (ROOT / "docs" / "reference" / "json.md").read_text()
    assert len(kinds) >= 8
    assert {kind for kind in kinds if f"`{kind}`" not in described} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_inside_the_project_is_broken(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_kit_variable_the_program_reads_is_documented() -> None:
    read = {
        name
        for folder in ("src/kitsurvie", "playbooks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".yml"}
        for name in re.findall(r"\bkit__[a-z_]+", path.read_text())
    }
    described = (ROOT / "docs" / "reference" / "variables.md").read_text()
    assert {name for name in read if f"`{name}`" not in described} == set()


def test_the_members_of_the_how_tos_are_members_that_there_are() -> None:
    """Whoever copies an example is not told that there is no such member."""
    known = {one.siren for one in territory.members()}
    for page in sorted((ROOT / "docs" / "how-to").glob("*.md")):
        for line in page.read_text("utf-8").splitlines():
            for siren in re.findall(r"--member ([0-9]{9})|member_([0-9]{9})", line):
                assert set(siren) & known, f"{page.name}: {line}"
