"""What was allowed is not any more, or was never meant: it stops being told, and goes."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from kitsurvie import workspace
from kitsurvie.assets import packing
from kitsurvie.cli.assets import (
    available,
    deciding,
    discarding,
    doubles,
    importing,
    keeping,
    lending,
    listing,
)
from kitsurvie.errors import LedgerError, UsageError
from kitsurvie.ledger import Ledger

from .test_commands import consult
from .test_life import AGNEAUX, WHY, Ask, ask, root, typed

__all__ = ["ask", "root"]


def sessions(root: Path, *rows: str) -> Path:
    table = root.parent / "sessions.csv"
    table.write_text("date,insee,device_name,device_serial,user\n" + "\n".join(rows) + "\n")
    return table


def kept(root: Path) -> int:
    ledger = Ledger.open(workspace.load(root).ledger_url)
    count = len(list(ledger.register.days()))
    ledger.close()
    return count


def used(user: str, *, desktop: int = 20) -> list[str]:
    return [f"2026-10-{day:02},50002,PF-1,8J3L0R4,{user}" for day in range(1, desktop + 1)]


def test_without_its_consultation_use_is_not_told_and_goes(root: Path, ask: Ask) -> None:
    consult(root, "all: true")
    importing.import_([sessions(root, *used("marie.martin"))], workspace=root)
    assert ask(doubles.doubles)["doubles"][0]["verdict"] == "dormant_second"
    (root / "inventory" / "consultations.yml").write_text("consultations: []\n")
    assert ask(doubles.doubles)["doubles"][0]["verdict"] == "unknown"
    assert kept(root) == 20
    assert ask(keeping.prune)["removed"]["days"] == 20
    assert kept(root) == 0


def test_a_login_that_is_said_to_be_nobodys_loses_its_days(root: Path) -> None:
    consult(root, "all: true")
    table = sessions(root, *used("borne.accueil", desktop=5), *used("marie.martin", desktop=7))
    importing.import_([table], workspace=root)
    with (root / "kitsurvie.toml").open("a") as file:
        file.write('nobody = ["borne.accueil"]\n')
    importing.import_([table], workspace=root)
    ledger = Ledger.open(workspace.load(root).ledger_url)
    named = [one for one in ledger.register.days() if one.user]
    ledger.close()
    assert len(named) == 7


def test_technicians_do_not_make_a_crowd_of_one_agent(root: Path, ask: Ask) -> None:
    consult(root, "all: true")
    rows = [f"{n + 10};PC-{n};50002;AB{n:04}X9Q;Desktop;;2022-10-01;;2026-10-30" for n in range(9)]
    parc = root.parent / "more.csv"
    heading = "id;nom;entité;numéro de série;type;usager;date d'achat;statut;dernier inventaire"
    parc.write_text("\r\n".join((heading, *rows)) + "\r\n", encoding="utf-8")
    # each technician signs the inventories of many machines, as those who mend them do
    signed = root.parent / "signed.csv"
    lines = [
        f"{n + 100 * t};PC-{n};50002;AB{n:04}X9Q;Desktop;technicien{t};2022-10-01;;2026-10-30"
        for t in range(1, 6)
        for n in range(9)
    ]
    signed.write_text("\r\n".join((heading, *lines)) + "\r\n", encoding="utf-8")
    importing.import_([parc, signed], workspace=root)
    seen = [
        f"2026-10-02,50002,PC-{n},AB{n:04}X9Q,technicien{t}" for t in range(1, 6) for n in range(9)
    ]
    importing.import_([sessions(root, *used("marie.martin"), *seen)], workspace=root)
    found = ask(doubles.doubles)
    assert found["session_rows"] is None
    assert [one["counts"] for one in found["doubles"]] == [None]


def test_stock_is_seen_at_work_by_inventories_and_not_by_who_used_it(root: Path, ask: Ask) -> None:
    consult(root, "all: true")
    ask(lending.return_, "PT-1", WHY, day="2026-10-15")
    importing.import_(
        [sessions(root, "2026-10-20,50002,PT-1,7H2K9Q3,marie.martin")], workspace=root
    )
    (one,) = [o for o in ask(available.available)["available"] if o["name"] == "PT-1"]
    assert one["seen_since"] is False


def test_when_a_machine_was_seen_is_no_trail_of_imports_past() -> None:
    past = packing.without_anybody("record", b'{"source":"csv","key":"1","name":"PC","kind":'
                                   b'"desktop","seen":"2026-04-01T05:01:00Z","user":"p-1",'
                                   b'"origin":{"file":""}}')  # fmt: skip
    assert past is not None
    assert b"seen" not in past
    assert b"p-1" not in past
    assert b"PC" in past


def test_what_left_is_not_said_to_be_still_there(root: Path, ask: Ask) -> None:
    made = ask(discarding.discard, "PF-1", to=discarding.Outcome.RECYCLING)
    with pytest.raises(UsageError, match="left already") as named:
        ask(discarding.discard, "PF-1", to=discarding.Outcome.STOCK)
    assert f"revoke {made['decision']}" in (named.value.remedy or "")


@pytest.mark.parametrize("member", ["999999999", "999", ""])
def test_a_member_that_there_is_not_is_said_and_not_nothing_of_it(
    root: Path, ask: Ask, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (doubles.doubles, listing.list_, deciding.identical):
        with pytest.raises(UsageError, match="no member"):
            ask(command, member=member)
    typed(monkeypatch, "marie.martin")
    with pytest.raises(UsageError, match="no member"):
        ask(deciding.exempt, member=member, reason="x", until="2027-01-01")


def test_computers_are_those_of_the_member(root: Path, ask: Ask) -> None:
    assert ask(doubles.doubles)["computers"] == 4
    assert ask(doubles.doubles, member=AGNEAUX)["computers"] == 2


@pytest.mark.parametrize("until", ["2035-01-01", "2020-01-01"])
def test_use_is_told_of_the_days_that_are_known(root: Path, ask: Ask, until: str) -> None:
    with pytest.raises(UsageError, match="last 90 days"):
        ask(doubles.doubles, until=until)


def test_several_decisions_are_taken_back_together_or_none(root: Path, ask: Ask) -> None:
    first = ask(lending.return_, "PT-1", WHY)["decision"]
    second = ask(lending.return_, "PF-1", WHY)["decision"]
    with pytest.raises(LedgerError, match="no decision 99"):
        ask(deciding.revoke, [first, 99])
    assert len(ask(deciding.journal)["decisions"]) == 2
    taken = ask(deciding.revoke, [first, second])["decisions"]
    assert sorted(one["decision"] for one in taken) == [first, second]
    assert ask(deciding.journal)["decisions"] == []


def test_figures_below_zero_are_figures_to_a_spreadsheet(root: Path, capsys: Any) -> None:
    """Work that goes from a laptop to a desktop takes more power: what is saved is below zero."""
    consult(root, "all: true")
    on_both = [f"2026-10-{day:02},50002,PT-1,7H2K9Q3,marie.martin" for day in (1, 2)]
    others = [f"2026-10-01,50002,PF-1,8J3L0R4,agent{n}" for n in range(4)]
    table = sessions(root, *used("marie.martin"), *on_both, *others)
    importing.import_([table], workspace=root)
    capsys.readouterr()
    doubles.doubles(csv_=True, workspace=root)
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out.removeprefix("\ufeff")))
    figures = [float(row[name]) for name in ("kwh_year_low", "kwh_year", "kwh_year_high")]
    assert figures == sorted(figures)
    assert figures[0] < 0


def test_a_device_is_found_by_every_name_that_it_had(root: Path, ask: Ask) -> None:
    table = root.parent / "renamed.csv"
    table.write_text("asset tag,name,company,serial,last checkout\nA1,ACCUEIL-2,50002,7H2K9Q3,\n")
    importing.import_([table], workspace=root)
    assert ask(listing.show, "ACCUEIL-2")["id"] == ask(listing.show, "7H2K9Q3")["id"]
