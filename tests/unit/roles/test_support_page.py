"""The support desk's page: what it tells of the kit, and the dates that the machine fills in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROLE = Path(__file__).parents[3] / "roles" / "support_contact"
FILES = ROLE / "files"
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


def test_what_is_set_aside_is_told_with_its_last_day_and_its_reason(tmp_path: Path) -> None:
    """The page as Ansible writes it, with the list of the kit that the role makes."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "kit__mode": "enforce",
            "kit__profile": "server",
            "ansible_python_interpreter": sys.executable,
            "role_path": str(ROLE),
            "kit_tasks": str(ROLE.parents[1] / "playbooks" / "tasks"),
            **yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8")),
            **next(
                task["vars"]
                for task in yaml.safe_load((ROLE / "tasks" / "main.yml").read_text("utf-8"))
                if task["name"] == "Write who to call"
            ),
            "updates__off_until": "2999-12-31",
            "updates__off_reason": "a press that <prints> the budget",
            "journal__off_until": "2020-01-01",
            "accounts__mode": False,
        },
        "tasks": [
            {
                "name": "Write the page",
                "ansible.builtin.template": {"src": str(ROLE / "templates" / src), "dest": dest},
            }
            for src, dest in (
                ("contact.html.j2", str(tmp_path / "page.html")),
                ("contact.txt.j2", str(tmp_path / "page.txt")),
            )
        ],
    }
    (tmp_path / "kit.yml").write_bytes((ROLE.parents[1] / "playbooks" / "kit.yml").read_bytes())
    (tmp_path / "play.json").write_text(json.dumps([play]), encoding="utf-8")
    subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local",
         str(tmp_path / "play.json")],
        check=True, capture_output=True, cwd=tmp_path, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    why = "a press that &lt;prints&gt; the budget"
    assert f"écartée par votre collectivité jusqu’au 31/12/2999&nbsp;: {why}</li>" in page
    assert f"left out by your town hall until 31/12/2999: {why}</li>" in page
    assert page.count("écartée par votre collectivité") == 2
    assert "Un journal qui" not in page.partition("a écarté")[2].partition('lang="en"')[0]
    plain = " ".join((tmp_path / "page.txt").read_text(encoding="utf-8").split())
    assert "jusqu’au 31/12/2999, a press that <prints> the budget" in plain
