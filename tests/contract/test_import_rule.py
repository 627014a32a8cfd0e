"""The module table of the design, read from the code's own imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "kitsurvie"

FOUNDATION = {"model", "errors", "workspace", "inventory", "kit"}

# module -> the modules of ours it may import (besides itself); DESIGN section 4
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "model": set(),
    "errors": set(),
    "workspace": {"model", "errors"},
    "inventory": {"model", "errors", "workspace"},
    "kit": {"model", "errors", "workspace"},
    "plan": {"model", "errors"},
    "fleet": FOUNDATION,
    "observe": FOUNDATION,
    "judge": FOUNDATION,
    "converge": FOUNDATION,
    "enroll": FOUNDATION,
    "ledger": FOUNDATION,
    "backup": FOUNDATION,
    "lab": FOUNDATION,
    "spool": FOUNDATION,
    "assets": FOUNDATION,
    "energy": FOUNDATION,
    "probe": set(),
    "metrics": FOUNDATION | {"ledger"},
}
ONLY_THERE = {
    "pyinfra": "fleet",
    "gevent": "fleet",
    "testinfra": "judge",
    "ansible_runner": "converge",
    "paramiko": "enroll",
    "defusedxml": "assets",
    "pydantic": "assets",
    "psutil": "probe",
    "sqlalchemy": "ledger",
    "typer": "cli",
    "rich": "cli",
    "bcrypt": "cli",
}
# the exporter's families, and the file that a run writes for node_exporter
PROMETHEUS = {"metrics", "cli/formats/textfile.py"}
PURE = {"model", "errors"}


def room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room they come from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "data" not in p.relative_to(PACKAGE).parts)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_stage_imports_the_foundation_and_never_another_stage(path: Path) -> None:
    here = room(path)
    if here == "cli":
        return
    assert here in MAY_IMPORT, f"{here} is not in the module table"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "kitsurvie" or len(parts) == 1:
            continue
        assert parts[1] == here or parts[1] in MAY_IMPORT[here] or parts[1] == "__version__", (
            f"{path.relative_to(PACKAGE)} imports {name}"
        )


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_heavy_library_has_one_home(path: Path) -> None:
    for name in imports(path):
        home = ONLY_THERE.get(name.split(".")[0])
        assert home is None or room(path) == home, f"{path.relative_to(PACKAGE)} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_two_places_speak_the_words_of_prometheus(path: Path) -> None:
    if any(name.split(".")[0] == "prometheus_client" for name in imports(path)):
        # the probe has a room of its own and no other of ours
        assert room(path) == "probe" or {room(path), str(path.relative_to(PACKAGE))} & PROMETHEUS


@pytest.mark.parametrize("name", sorted(PURE))
def test_the_domain_imports_nothing_but_the_standard_library(name: str) -> None:
    import sys

    for imported in imports(PACKAGE / f"{name}.py"):
        top = imported.split(".")[0]
        assert top in sys.stdlib_module_names, f"{name} imports {imported}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_shell_string_is_ever_built(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            shell = [k for k in node.keywords if k.arg == "shell"]
            assert not shell, f"{path.relative_to(PACKAGE)}:{node.lineno} passes shell="


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_prints(path: Path) -> None:
    if room(path) == "cli" or path.name in {"runner.py", "worker.py", "__main__.py"}:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{path.relative_to(PACKAGE)}:{node.lineno} prints"
