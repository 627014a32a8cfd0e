"""What the measure brings to a machine is the probe of this tree, and runs there."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "src" / "kitsurvie" / "probe.py"
ROLE = ROOT / "roles" / "metrics_probe"


def test_the_measure_has_the_probe_and_its_check_asks_for_it() -> None:
    program = PROGRAM.read_bytes()
    assert (ROLE / "files" / "kitsurvie_probe.py").read_bytes() == program, "scripts/probe mends it"
    check = (ROLE / "checks" / "test_metrics_probe.py").read_text()
    found = re.search(r'^BROUGHT = "(\w+)"', check, re.M)
    assert found
    assert found[1] == hashlib.sha256(program).hexdigest(), "scripts/probe mends it"


def test_the_probe_is_written_for_the_python_of_debian_12() -> None:
    ast.parse(PROGRAM.read_text(), feature_version=(3, 11))


def test_the_probe_imports_nothing_more() -> None:
    """ADR 0013; what follows `if TYPE_CHECKING` is not run."""
    tree = ast.parse(PROGRAM.read_text())
    found = {
        name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert found == {"__future__", "fcntl", "os", "sys", "time"}
    inner = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert len(inner) == len(found) + 1


def test_every_metric_of_the_probe_is_in_the_reference_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    section = page.partition("## The probe")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `(kitsurvie_\w+)`", section, re.M))
    written = set(re.findall(r'"(kitsurvie_[a-z_]+)", "(?:gauge|counter)"', PROGRAM.read_text()))
    more = set(re.findall(r'"(kitsurvie_[a-z_]+)",\s+"(?:gauge|counter)"', PROGRAM.read_text()))
    assert written | more == documented
