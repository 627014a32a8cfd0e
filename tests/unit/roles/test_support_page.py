"""The dates of the support desk's page, as the machine fills them in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

FILES = Path(__file__).parents[3] / "roles" / "support_contact" / "files"
PAGE = """\
<ul>
@@by date fr firewall@@<li>%s<ul>%t</ul></li>@@<li>Pare-feu & co</li>@@
@@by date fr updates@@<li>%s<ul>%t</ul></li>@@<li>Mises à jour</li>@@
@@otherwise@@<li>pas encore</li>@@
</ul>
<p>@@fr firewall@@Depuis le %s.@@Bientôt.@@</p>
<p>@@en updates@@Since %s.@@Soon.@@</p>
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with a page in it, and a copy of the program that fills that page in."""
    (tmp_path / "page").mkdir()
    (tmp_path / "stamps").mkdir()
    for kind in ("html", "txt"):
        (tmp_path / "page" / f"contact.{kind}").write_text(PAGE, encoding="utf-8")
    program = (FILES / "page").read_text(encoding="utf-8")
    for there, here in (
        ("/usr/share/kitsurvie", tmp_path),
        ("/var/lib/kitsurvie/stamps", tmp_path / "stamps"),
        ("/usr/lib/kitsurvie", FILES),
    ):
        program = program.replace(there, str(here))
    (tmp_path / "program").write_text(program, encoding="utf-8")
    return tmp_path


def applied(machine: Path, measure: str, when: int) -> None:
    (machine / "stamps" / measure).write_text("digest\n", encoding="utf-8")
    os.utime(machine / "stamps" / measure, (when, when))


def run(machine: Path, *words: str) -> str:
    return subprocess.run(
        ["/bin/sh", machine / "program", *words],
        check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "TZ": "UTC"},
    ).stdout  # fmt: skip


NOON_1_AUGUST_2026 = 1785585600
NOON_25_NOVEMBER_2026 = 1795608000


def test_each_rule_has_its_date_and_the_latest_change_comes_first(machine: Path) -> None:
    applied(machine, "firewall", NOON_1_AUGUST_2026)
    applied(machine, "updates", NOON_25_NOVEMBER_2026)
    assert run(machine, "show", "html").splitlines() == [
        "<ul>",
        "<li>25 novembre 2026<ul><li>Mises à jour</li></ul></li>",
        "<li>1er août 2026<ul><li>Pare-feu & co</li></ul></li>",
        "</ul>",
        "<p>Depuis le 1er août 2026.</p>",
        "<p>Since 25 November 2026.</p>",
    ]


def test_rules_changed_on_one_day_stand_under_one_date(machine: Path) -> None:
    applied(machine, "firewall", NOON_1_AUGUST_2026)
    applied(machine, "updates", NOON_1_AUGUST_2026 + 60)
    assert run(machine, "show", "html").count("1er août 2026<ul>") == 1


def test_a_rule_that_was_never_applied_has_no_date(machine: Path) -> None:
    applied(machine, "a_rule_for_other_machines", NOON_1_AUGUST_2026)
    assert run(machine, "show", "txt").splitlines() == [
        "<ul>",
        "<li>pas encore</li>",
        "</ul>",
        "<p>Bientôt.</p>",
        "<p>Soon.</p>",
    ]


def test_the_pages_are_written_once(machine: Path) -> None:
    assert run(machine, "write") == "written\nwritten\n"
    assert run(machine, "write") == ""
    applied(machine, "updates", NOON_1_AUGUST_2026)
    assert run(machine, "write") == "written\nwritten\n"
    assert not list(machine.glob(".contact*"))
