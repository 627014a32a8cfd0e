"""`kitsurvie energy report`, from what the night brought back and from the register."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kitsurvie.assets import packing
from kitsurvie.assets.record import Kind, Origin, Record, Source
from kitsurvie.cli import init
from kitsurvie.cli.assets import clock, importing
from kitsurvie.cli.energy.report import report
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Ledger, Outcome
from kitsurvie.ledger import Record as Look
from kitsurvie.ledger.importing import Entry
from kitsurvie.model import Reading
from kitsurvie.workspace import find

TODAY = date(2026, 11, 26)
SAINT_LO, GRANVILLE = "215005026", "215002189"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    folder = tmp_path / "ws"
    init.init(folder)
    monkeypatch.chdir(folder)
    return folder


def counted(host: str, day: str, kwh: float, **more: Any) -> Reading:
    """So many kWh of processors by then, and twice that of the whole machine."""
    joules = kwh * 3.6e6
    one = Reading(
        host, day, "2026-01-01", "physical", "desktop", {"rapl": joules},
        (joules, joules * 2, joules * 4), {"powered": 1.0, "rapl": kwh, "modelled": kwh},
    )  # fmt: skip
    return replace(one, **more)


def record(place: Path, *taken: Reading) -> None:
    ledger = Ledger.open(find(place).ledger_url)
    for one in taken:
        run = ledger.start_run("compliance", "somebody", {})
        ledger.record(run, [Look(one.host, 1.0, (), None, Outcome.DONE, "", one)])
    ledger.close()


def both(host: str, kwh: float, **more: Any) -> tuple[Reading, Reading]:
    return counted(host, "2026-10-26", 100, **more), counted(host, "2026-11-25", 100 + kwh, **more)


def pcs(place: Path, *names: str, siren: str = SAINT_LO, profile: str = "desktop") -> None:
    """Machines of the inventory, in the place of those of the example."""
    path = place / "inventory" / "hosts.yml"
    text = path.read_text()
    heading = f"member_{siren}:"
    assert heading in text
    begin = text.index(heading)
    after = text.index("hosts:\n", begin) + len("hosts:\n")
    indent = re.match(" *", text[after:])[0]  # type: ignore[index]
    hosts = "\n".join(
        f"{indent}{name}: {{ansible_host: 192.0.2.{n}, kit__profile: {profile}}}"
        for n, name in enumerate(names, 1)
    )
    path.write_text(f"{text[:after]}{hosts}\n{text[after:]}")


def asked(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    assert report(json=True, **options) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def line(found: dict[str, Any], siren: str | None, kind: str) -> dict[str, Any]:
    (one,) = [
        one for one in found["lines"]
        if (one["member"] or {}).get("siren") == siren and one["kind"] == kind
    ]  # fmt: skip
    return one


def central(one: dict[str, Any], method: str) -> float:
    return float(one["methods"][method]["kwh"]["central"])


def test_measured_and_modelled_are_kept_apart_by_member_and_kind(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pcs(place, *(f"pc-{n}" for n in range(6)))
    for n in range(5):
        record(place, *both(f"pc-{n}", 2.0 + n))
    found = asked(capsys)
    assert (found["from"], found["until"], found["days"]) == ("2026-10-27", "2026-11-25", 30)
    one = line(found, SAINT_LO, "desktop")
    assert central(one, "rapl") == pytest.approx(20.0)
    assert one["methods"]["rapl"]["machines"] == 5
    assert one["methods"]["modelled"]["kwh"] == pytest.approx(
        {"low": 20.0, "central": 40.0, "high": 80.0}
    )
    # the sixth and the one of the example have no probe: on paper, 220 days of a year
    assert one["methods"]["paper"]["machines"] == 2
    assert one["machines"] == 7
    assert one["methods"]["modelled"]["kgco2e"]["central"] == pytest.approx(40 * 0.0519)
    assert one["methods"]["modelled"]["eur"] == pytest.approx(
        {"low": 20 * 0.2016, "central": 40 * 0.2016, "high": 80 * 0.239}
    )
    assert any("ADEME" in source for source in found["sources"])


def test_readings_of_few_pcs_are_told_of_several_members_together(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pcs(place, "pc-1", "pc-2", siren=SAINT_LO)
    pcs(place, "pc-3", "pc-4", "pc-5", siren=GRANVILLE)
    for n in range(1, 6):
        record(place, *both(f"pc-{n}", 1.0))
    found = asked(capsys)
    together = line(found, None, "desktop")
    assert together["small_members_of"] == ""
    assert together["machines"] == 5
    assert central(together, "rapl") == pytest.approx(5.0)
    for siren in (SAINT_LO, GRANVILLE):
        assert line(found, siren, "desktop")["methods"]["rapl"]["kwh"] is None
        alone = asked(capsys, member=siren)
        assert all(one["methods"]["rapl"]["kwh"] is None for one in alone["lines"])
    report()
    assert "small members elsewhere" in capsys.readouterr().out


def test_readings_of_fewer_than_five_pcs_in_all_are_not_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pcs(place, "pc-1", "pc-2", "pc-3", "pc-4")
    for n in range(1, 5):
        record(place, *both(f"pc-{n}", 1.0))
    found = asked(capsys)
    assert found["readings_withheld"] == 4
    assert found["total"]["methods"]["rapl"]["kwh"] is None
    report()
    assert "The readings of 4 PCs are not told: fewer than five." in capsys.readouterr().out


def test_a_server_is_told_of_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pcs(place, "srv-1", profile="server")
    record(place, *both("srv-1", 9.0, chassis="server"))
    found = asked(capsys)
    assert central(line(found, SAINT_LO, "server"), "rapl") == pytest.approx(9.0)


def test_a_virtual_machine_is_left_out_and_that_is_said(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = asked(capsys)["total"]["machines"]
    pcs(place, "vm-1", profile="server")
    record(
        place,
        *both("vm-1", 0.0, machine="virtual", joules={}, modelled=None, seconds={"powered": 9.0}),
    )
    found = asked(capsys)
    assert found["total"]["machines"] == before
    assert found["virtual_left_out"] == 1
    report()
    assert "1 virtual machine left out" in capsys.readouterr().out


def test_a_machine_of_the_register_is_counted_once_and_one_put_away_is_not(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = line(asked(capsys), SAINT_LO, "desktop")["machines"]
    table = tmp_path / "list.csv"
    table.write_text(
        "id,type,name,serial,siren,status\n"
        f"1,desktop,PC-A,SN12345A,{SAINT_LO},in service\n"
        f"2,desktop,PC-B,SN12345B,{SAINT_LO},in stock\n"
    )
    assert importing.import_([table]) == 0
    assert line(asked(capsys), SAINT_LO, "desktop")["machines"] == before + 1


def test_a_host_that_the_register_knows_no_kind_of_is_counted_by_what_it_is_used_for(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pcs(place, "srv-1", profile="server")
    record(place, *both("srv-1", 9.0, chassis="unknown"))
    before = asked(capsys)["total"]["machines"]
    ledger = Ledger.open(find(place).ledger_url)
    origin = Origin("made-up")
    one = Record(Source.FLEET, "srv-1", origin, member=SAINT_LO, kind=Kind.UNKNOWN, name="srv-1")
    entry = Entry("record", "fleet", "", "srv-1", packing.pack(one))
    ledger.register.take("a test", ["made-up"], lambda importing: importing.entry(entry))
    ledger.close()
    found = asked(capsys)
    assert found["total"]["machines"] == before
    assert central(line(found, SAINT_LO, "server"), "rapl") == pytest.approx(9.0)


def test_the_screen_says_how_it_is_known_of_how_many_and_where_figures_come_from(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report()
    said = capsys.readouterr().out
    assert "2026-10-27 to 2026-11-25 (30 days)" in said
    assert "on paper: kind and working days" in said
    assert "No probe has handed a day of this period over" in said
    assert "ADEME" in said
    assert "CRE" in said


def test_the_table_has_a_row_for_each_method_and_no_formula(
    place: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    pcs(place, "srv-1", profile="server")
    record(place, *both("srv-1", 9.0, chassis="server"))
    capsysbinary.readouterr()
    assert report(csv_=True) == 0
    rows = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode("utf-8-sig"))))
    measured = [one for one in rows if one["method"] == "rapl"]
    assert [(one["member"], one["kwh"], one["covered"]) for one in measured] == [
        ("Saint-Lô", "9.000", "1")
    ]
    (unknown,) = [one for one in rows if one["siren"] == "225005024"]
    assert (unknown["method"], unknown["kwh"], unknown["eur"]) == ("none", "", "")


@pytest.mark.parametrize(
    "options",
    [
        {"since": "2026-11-20", "until": "2026-11-10"}, {"until": "2026-12-24"},
        {"since": "soon"}, {"csv_": True, "json": True}, {"member": "123456789"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    place: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(UsageError) as refused:
        report(**options)
    assert refused.value.remedy
