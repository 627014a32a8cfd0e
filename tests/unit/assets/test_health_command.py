"""`kitsurvie assets health`: what is wrong with machines that nobody touches, the worst first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kitsurvie.cli import init
from kitsurvie.cli.assets import health, importing
from kitsurvie.errors import WorkspaceError

from .conftest import TODAY

SOON = f"{TODAY - timedelta(days=3)} 08:00:00"
Health = Callable[..., tuple[int, str]]


def inventory(name: str, serial: str, system: str, version: str, antivirus: str) -> str:
    """A GLPI inventory of a PC, of three days ago."""
    content = {
        "versionclient": "GLPI-Agent_v1.11",
        "hardware": {"name": name, "lastloggeduser": "jdupont", "chassis_type": "Desktop"},
        "bios": {"ssn": serial, "smanufacturer": "Dell Inc.", "smodel": "OptiPlex 3060"},
        "operatingsystem": {"full_name": system, "version": version},
        "accesslog": {"logdate": SOON},
        "antivirus": [
            {"company": "x", "name": "Defender", "version": "1", "enabled": antivirus == "on",
             "uptodate": antivirus == "on"}
        ],
        "drives": [{"letter": "C:", "label": "Windows", "total": 100_000, "free": 50_000}],
    }  # fmt: skip
    return json.dumps({"deviceid": f"{name}-x", "itemtype": "Computer", "content": content})


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Health:
    root = tmp_path / "syndicate"
    init.init(root)
    exports = tmp_path / "exports"
    exports.mkdir()
    for number, (name, system, version, antivirus) in enumerate(
        [
            ("PC-BON", "Microsoft Windows 11 Professionnel", "10.0.26200", "on"),
            ("PC-VIEUX", "Microsoft Windows 7 Professionnel", "6.1.7601", "on"),
            ("PC-DIX", "Microsoft Windows 10 Professionnel", "10.0.19045", "on"),
            ("=cmd|PC", "Microsoft Windows 11 Professionnel", "10.0.26200", "off"),
        ]
    ):
        (exports / f"{number}.json").write_text(
            inventory(name, f"SERIAL{number}A", system, version, antivirus)
        )
    importing.import_([exports], entity="50502", workspace=root)
    capsys.readouterr()

    def asked(*words: Any, **more: Any) -> tuple[int, str]:
        code = health.health(*words, workspace=root, **more)
        return code, capsys.readouterr().out

    return asked


def found(document: dict[str, Any], name: str, check: str) -> dict[str, Any]:
    (device,) = (one for one in document["devices"] if one["name"] == name)
    (finding,) = (one for one in device["findings"] if one["check"] == check)
    return finding


def test_each_machine_has_its_verdicts_with_what_was_found_and_when(ask: Health) -> None:
    code, said = ask(json=True)
    document = json.loads(said)
    assert (code, document["computers"]) == (1, 4)
    good = found(document, "PC-BON", "system_supported")
    assert (good["status"], good["seen"]) == ("compliant", SOON[:10])
    old = found(document, "PC-VIEUX", "system_supported")
    assert (old["status"], "Windows 7" in old["found"]) == ("drift", True)
    assert set(old["sentence"]) == {"fr", "en"}
    assert found(document, "=cmd|PC", "antivirus")["status"] == "drift"
    # nothing is said of the firewall by any of them
    assert {found(document, one["name"], "firewall")["status"] for one in document["devices"]} == {
        "unknown"
    }
    assert {
        "member": document["devices"][0]["member"], "check": "antivirus", "status": "compliant",
        "devices": 3,
    } in document["summary"]  # fmt: skip


def test_the_screen_tells_a_system_without_updates_before_an_antivirus(ask: Health) -> None:
    code, said = ask(lang="fr")
    assert code == 1
    assert "4 ordinateurs, dont 3 avec un écart." in said
    assert 0 < said.index("PC-VIEUX") < said.index("=cmd|PC")
    assert "PC-BON" not in said


def test_one_check_is_asked_alone(ask: Health) -> None:
    code, said = ask(check=health.Check.ANTIVIRUS, lang="en")
    assert code == 1
    assert "=cmd|PC" in said
    assert "PC-VIEUX" not in said
    assert ask(check=health.Check.FREE_SPACE, lang="en")[0] == 0


def test_a_spreadsheet_has_a_row_a_check_and_no_formula(ask: Health) -> None:
    _, said = ask(csv_=True, lang="fr")
    rows = list(csv.DictReader(io.StringIO(said.removeprefix("\ufeff"))))
    assert len(rows) == 4 * len(health.Check)
    assert {row["name"] for row in rows} == {"PC-BON", "PC-DIX", "PC-VIEUX", "'=cmd|PC"}


def test_paid_updates_count_where_they_were_bought(ask: Health, tmp_path: Path) -> None:
    assert health.support.extendable() == {"ubuntu", "windows-10", "windows-server"}
    settings = tmp_path / "syndicate" / "kitsurvie.toml"
    settings.write_text('extended_support = ["windows-3"]\n')
    with pytest.raises(WorkspaceError, match="no paid extension of 'windows-3'") as named:
        ask()
    assert "windows-10" in (named.value.remedy or "")
    settings.write_text('extended_support = ["windows-10"]\n')
    status = {one: found(json.loads(ask(json=True)[1]), one, "system_supported")["status"]
              for one in ("PC-DIX", "PC-VIEUX")}  # fmt: skip
    # nobody sells updates of Windows 7 any more
    assert status == {"PC-DIX": "compliant", "PC-VIEUX": "drift"}


def test_an_empty_register_says_where_to_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init.init(tmp_path / "new")
    capsys.readouterr()
    assert health.health(lang="en", workspace=tmp_path / "new") == 0
    assert "assets import" in capsys.readouterr().out


def test_dates_of_the_table_are_days_on_which_its_maker_ends_things() -> None:
    """Microsoft ends support on a Tuesday."""
    ends = [line for line in health.support.table() if line.system.startswith("windows")]
    assert {line.end.weekday() for line in ends if line.end > date(2014, 1, 1)} == {1}
