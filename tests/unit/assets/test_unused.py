"""`kitsurvie assets unused`: of whom it may be told, and what is said."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.assets.conftest import TODAY

from kitsurvie.cli import init
from kitsurvie.cli.assets import importing
from kitsurvie.cli.assets.unused import unused
from kitsurvie.errors import UsageError

SAINT_LO, GRANVILLE = "215005026", "215002189"
INSEE = {SAINT_LO: "50502", GRANVILLE: "50218"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ws"
    init.init(folder)
    monkeypatch.chdir(folder)
    consult("all: true")
    return folder


def consult(whom: str) -> None:
    Path("inventory/consultations.yml").write_text(
        f'consultations:\n  - {whom}\n    body: social committee\n    on: "2026-03-12"\n'
    )


def fill(siren: str, agents: int, idle: int) -> None:
    """PCs of a member, as many as agents; the last `idle` of them unused since 45 days."""
    lines, days = [], []
    for n in range(agents):
        name = f"PC-{siren[-4:]}-{n}"
        seen = (TODAY - timedelta(days=1)).isoformat()
        lines.append(f"{name},desktop,{name},SN{siren}{n:03},{siren},in service,{seen}")
        back = 45 if n >= agents - idle else 2
        day = (TODAY - timedelta(days=back)).isoformat()
        days.append(f"{day},{INSEE[siren]},{name},SN{siren}{n:03},agent{siren}{n}")
    parts = {
        "list": ("id,type,name,serial,siren,status,last seen", lines),
        "days": ("date,insee,device_name,device_serial,user", days),
    }
    for name, (heading, rows) in parts.items():
        path = Path(f"{name}-{siren}.csv")
        path.write_text("\n".join((heading, *rows)) + "\n")
        assert importing.import_([path]) == 0


def asked(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    assert unused(json=True, **options) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_member_of_five_agents_is_told_of_with_its_machines(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del place
    fill(SAINT_LO, 6, 2)
    found = asked(capsys)
    assert (found["known"], found["withheld"]) == (6, 0)
    assert found["unused"] == {"30": 2, "60": 0, "90": 0}
    assert [one["unused_days"] for one in found["devices"]] == [44, 44]
    assert found["worth"]["purchases"]["central"] > 0
    assert asked(capsys, days=60)["devices"] == []
    unused()
    said = capsys.readouterr().out
    assert "Saint-Lô" in said
    assert "2 (33%)" in said


def test_small_members_are_told_of_together_and_their_machines_are_not_listed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del place
    fill(SAINT_LO, 3, 1)
    fill(GRANVILLE, 3, 2)
    found = asked(capsys)
    (group,) = found["groups"]
    assert [one["name"] for one in group["members"]] == ["Granville", "Saint-Lô"]
    assert group["unused"]["30"] == 3
    assert found["devices"] == []
    for days in (30, 60, 90):
        unused(days=days)
        assert "PC-" not in capsys.readouterr().out


def test_of_fewer_than_five_agents_in_all_nothing_is_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del place
    fill(SAINT_LO, 4, 2)
    found = asked(capsys)
    assert (found["known"], found["withheld"], found["groups"], found["devices"]) == (0, 4, [], [])
    assert unused() == 0
    assert "too few agents" in capsys.readouterr().out


def test_a_member_at_which_nobody_was_consulted_is_not_looked_at(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del place
    fill(SAINT_LO, 6, 2)
    consult(f'member: "{GRANVILLE}"')
    assert asked(capsys)["known"] == 0


def test_the_table_is_for_a_spreadsheet(
    place: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    del place
    fill(SAINT_LO, 6, 2)
    capsysbinary.readouterr()
    assert unused(csv_=True) == 0
    rows = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode("utf-8-sig"))))
    assert [(one["member"], one["unused_days"], one["on_since"]) for one in rows] == [
        ("Saint-Lô", "44", "yes")
    ] * 2


def test_two_shapes_at_once_are_refused(place: Path) -> None:
    del place
    with pytest.raises(UsageError, match="two things"):
        unused(csv_=True, json=True)
