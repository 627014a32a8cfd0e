"""What each part says, from a real ledger, a real register and a real inventory."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.exporter.conftest import (
    AGGLO,
    AGNEAUX,
    BAUDRE,
    CARANTILLY,
    NOW,
    SAINT_LO,
    Ask,
    equipped_twice,
    look,
    machine,
    read,
    take,
    used,
)

from kitsurvie import inventory, workspace
from kitsurvie.assets.record import Kind
from kitsurvie.cli.exporter import reading
from kitsurvie.errors import LedgerError
from kitsurvie.ledger import Ledger, Outcome, RunState
from kitsurvie.metrics import Snapshot, render
from kitsurvie.model import Status, Verdict
from kitsurvie.workspace import Workspace

GOOD = Verdict("ssh_hardening", "test_one", Status.COMPLIANT)
BAD = Verdict("ssh_hardening", "test_two", Status.DRIFT, "yes", "no")
AWAY = Outcome.UNREACHABLE
WAIVED = """waivers:
  - host: agneaux-srv-01
    measure: ssh_hardening
    reason: the supplier logs in with a password
    owner: the director
    until: "{until}"
"""


def night(book: Ledger, *looks: object, kind: str = "compliance") -> None:
    names = [one.host for one in looks]  # type: ignore[attr-defined]
    run = book.start_run(kind, "night@desk", {}, names)
    book.record(run, looks)  # type: ignore[arg-type]
    book.end_run(run, RunState.ENDED)


def test_a_host_stands_where_the_newest_look_at_it_left_it(
    place: Workspace, book: Ledger, ask: Ask
) -> None:
    until = date.today() + timedelta(days=3)
    (place.inventory / "waivers.yml").write_text(WAIVED.format(until=until.isoformat()))
    night(
        book,
        look("saint-lo-srv-01", GOOD, BAD, state=Outcome.DRIFT),
        look("saint-lo-portable-01", GOOD, state=Outcome.DONE, ago_days=12),
        look("agneaux-srv-01", GOOD, BAD, state=Outcome.DRIFT),
        look("carantilly-pc-01", state=AWAY),
    )
    night(book, look("saint-lo-portable-01", state=AWAY))
    # a deployment mended it since
    mended = Verdict("ssh_hardening", "test_two", Status.COMPLIANT)
    night(book, look("saint-lo-srv-01", GOOD, mended, state=Outcome.DONE), kind="deploy")
    found = ask("compliance", "compliance_hosts")
    assert {key: found[key] for key in found if key[0] in {SAINT_LO, AGNEAUX, CARANTILLY}} == {
        (SAINT_LO, "compliant"): 1, (SAINT_LO, "drift"): 0, (SAINT_LO, "absent"): 1,
        (SAINT_LO, "pending"): 1,
        (AGNEAUX, "compliant"): 0, (AGNEAUX, "drift"): 0, (AGNEAUX, "waived"): 1,
        (AGNEAUX, "pending"): 1,
        (CARANTILLY, "compliant"): 0, (CARANTILLY, "drift"): 0, (CARANTILLY, "unreachable"): 1,
    }  # fmt: skip
    assert ask("compliance", "compliance_checks") == {
        ("ssh_hardening", "compliant"): 4, ("ssh_hardening", "waived"): 1,
        ("ssh_hardening", "drift"): 0,
    }  # fmt: skip
    assert ask("compliance", "compliance_drifting_hosts") == {("ssh_hardening",): 0}
    seen = ask("compliance", "hosts_seen")
    assert seen[AGGLO, "laptop", "30d"] == 1
    assert seen[AGGLO, "server", "1d"] == 2
    assert seen[AGGLO, "desktop", "never"] == 4
    assert ask("inventory", "waivers") == {
        ("7d",): 1, ("30d",): 0, ("later",): 0, ("over",): 0,
    }  # fmt: skip


def test_a_waiver_that_is_over_waives_nothing(place: Workspace, book: Ledger, ask: Ask) -> None:
    until = date.today() - timedelta(days=1)
    (place.inventory / "waivers.yml").write_text(WAIVED.format(until=until.isoformat()))
    night(book, look("agneaux-srv-01", GOOD, BAD, state=Outcome.DRIFT))
    assert ask("compliance", "compliance_hosts")[AGNEAUX, "drift"] == 1
    assert ask("inventory", "waivers")[("over",)] == 1


def test_the_newest_run_of_each_kind_and_the_last_night_that_answered(
    book: Ledger, ask: Ask
) -> None:
    night(book, look("saint-lo-srv-01", GOOD, state=Outcome.DONE))
    first = ask("runs", "compliance_last_success_timestamp_seconds")[()]
    night(book, look("saint-lo-srv-01", state=AWAY), look("agneaux-srv-01", state=AWAY))
    cut_short = book.start_run("compliance", "night@desk", {}, ["saint-lo-srv-01"])
    assert ask("runs", "compliance_last_success_timestamp_seconds")[()] == first
    assert ask("runs", "compliance_last_run_timestamp_seconds")[()] > first
    assert ask("runs", "run_hosts") == {("compliance", "unreachable"): 2}
    assert list(ask("runs", "run_duration_seconds")) == [("compliance",)]
    book.end_run(cut_short, RunState.INTERRUPTED)
    assert ask("runs", "run_hosts") == {("compliance", "pending"): 1}


def test_of_no_run_nothing_is_said(book: Ledger, place: Workspace) -> None:
    assert book.runs() == ()
    found = read(place, "runs")
    assert (found.up, found.samples) == (True, ())


def test_devices_are_counted_where_they_stand_and_cost_what_paper_says(
    book: Ledger, ask: Ask
) -> None:
    take(book, [
        machine(1, BAUDRE, "", Kind.DESKTOP),
        machine(2, BAUDRE, "", Kind.DESKTOP, status="En stock"),
        machine(3, AGNEAUX, "", Kind.DESKTOP),
        machine(4, AGNEAUX, "", Kind.DESKTOP, status="Réformé"),
        machine(5, AGGLO, "", Kind.PRINTER),
        machine(6, "", "", Kind.SCREEN),
    ])  # fmt: skip
    assert ask("equipment", "equipment_devices") == {
        (AGGLO, "desktop", "in_service"): 2, (AGGLO, "desktop", "stock"): 1,
        (AGGLO, "desktop", "discarded"): 1, (AGGLO, "printer", "in_service"): 1,
        ("", "screen", "in_service"): 1,
    }  # fmt: skip
    yearly = ask("equipment", "equipment_yearly_joules")
    assert {key[:2] for key in yearly} == {(AGGLO, "desktop"), ("", "screen")}
    assert yearly[AGGLO, "desktop", "central"] == pytest.approx(2 * 92.4 * 3_600_000)
    assert yearly["", "screen", "low"] < yearly["", "screen", "central"]
    assert ask("equipment", "electricity_joule_grams") == {
        (bound,): pytest.approx(51.9 / 3_600_000) for bound in ("low", "central", "high")
    }
    euros = ask("equipment", "electricity_joule_euros")
    assert [euros[(bound,)] * 3_600_000 for bound in ("low", "central", "high")] == pytest.approx(
        [0.2016, 0.2016, 0.239]
    )
    # nobody is known, so that nothing is told of anybody
    assert ask("equipment", "equipment_doubles") == {}


def test_doubles_are_told_from_five_agents_up(book: Ledger, ask: Ask) -> None:
    records, days = equipped_twice(100, SAINT_LO, people=6, doubles=5)
    for first, member in ((300, AGNEAUX), (400, BAUDRE)):
        more, when = equipped_twice(first, member, people=3, doubles=2)
        records, days = records + more, days + when
    take(book, records, days)
    assert ask("equipment", "equipment_member_doubles") == {(SAINT_LO, "dormant_second"): 5}
    assert ask("equipment", "equipment_doubles")[AGGLO, "dormant_second"] == 9
    # 9 machines on one day of thirty: a small part of what 220 working days would use
    joules = ask("equipment", "equipment_doubles_yearly_joules")
    assert 0 < joules[AGGLO, "central"] < 9 * 17.49 * 3_600_000 / 20
    assert ask("equipment", "equipment_doubles_embodied_grams")[AGGLO, "central"] > 100_000
    # no source gives the price of a machine
    assert ask("equipment", "equipment_doubles_purchase_euros") == {}
    assert (SAINT_LO, "Saint-Lô", AGGLO) in ask("equipment", "member_info")


def test_one_small_member_is_not_the_difference_between_an_epci_and_the_others(
    book: Ledger, ask: Ask
) -> None:
    records, days = equipped_twice(100, SAINT_LO, people=6, doubles=2)
    more, when = equipped_twice(300, AGNEAUX, people=1, doubles=1)
    take(book, records + more, days + when)
    assert ask("equipment", "equipment_doubles")[AGGLO, "dormant_second"] == 3
    assert ask("equipment", "equipment_member_doubles") == {}
    # three people's days of use would be told as joules
    assert ask("equipment", "equipment_doubles_yearly_joules") == {}


def test_four_agents_of_an_epci_are_not_told_at_all(book: Ledger, ask: Ask) -> None:
    records, days = equipped_twice(100, SAINT_LO, people=4, doubles=4)
    take(book, records, days)
    for name in ("doubles", "member_doubles", "doubles_embodied_grams"):
        assert ask("equipment", f"equipment_{name}") == {}
    assert ask("equipment", "equipment_devices")[AGGLO, "laptop", "in_service"] == 4


def test_a_register_that_changed_has_another_mark(book: Ledger) -> None:
    marks = [book.marks()]

    def changed(*, runs: bool, register: bool) -> None:
        marks.append(book.marks())
        before, after = marks[-2:]
        assert ((before.runs != after.runs), (before.register != after.register)) == (
            runs,
            register,
        )

    changed(runs=False, register=False)
    take(book, [machine(1, BAUDRE, "p-1", Kind.DESKTOP)])
    changed(runs=False, register=True)
    book.register.decide("me", "exempt", {"user": "p-1"})
    changed(runs=False, register=True)
    book.register.undo(1)
    changed(runs=False, register=True)
    night(book, look("saint-lo-srv-01", GOOD, state=Outcome.DONE))
    changed(runs=True, register=False)


def test_what_is_read_at_once_is_of_one_moment(place: Workspace, book: Ledger) -> None:
    night(book, look("saint-lo-srv-01", GOOD, state=Outcome.DONE))
    reader = Ledger.open(place.ledger_url, reading=True)
    with reader.at_once():
        before = reader.last_looks()
        night(book, look("agneaux-srv-01", GOOD, state=Outcome.DONE))
        assert reader.last_looks() == before
        assert {one.host for one in reader.tally()} == set(before)
    assert len(reader.last_looks()) == 2
    reader.close()


def test_a_ledger_that_is_read_is_not_made_and_not_written(place: Workspace) -> None:
    with pytest.raises(LedgerError, match=r"no ledger yet|cannot be opened"):
        Ledger.open(place.ledger_url, reading=True)
    Ledger.open(place.ledger_url).close()
    reader = Ledger.open(place.ledger_url, reading=True)
    with pytest.raises(LedgerError, match="read-only"):
        reader.start_run("compliance", "me", {})
    reader.close()


NAMES = st.from_regex(r"[A-Z]{3}[A-Z0-9-]{3,12}[0-9]{3}", fullmatch=True)


@settings(max_examples=10)
@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=6, max_size=12, unique=True))
def test_nothing_that_is_exported_names_a_machine_or_a_person(
    example: Path, said: list[tuple[str, str, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(shutil.copytree(example, Path(folder) / "syndicate"))
        place = workspace.load(root)
        book = Ledger.open(place.ledger_url)
        records, days = [], []
        for number, (name, serial, user) in enumerate(said):
            for kind, ending in ((Kind.DESKTOP, "A"), (Kind.LAPTOP, "B")):
                one = machine(
                    2 * number + (kind is Kind.LAPTOP), SAINT_LO, user, kind,
                    name=name + ending, serial=serial + ending,
                )  # fmt: skip
                records.append(one)
                days += used(one, range(1, 15))
        take(book, records, days)
        hosts = list(inventory.load(place).hosts)
        night(book, *(look(host, GOOD, BAD, state=Outcome.DRIFT) for host in hosts))
        book.close()
        found = reading.read(place, ["inventory", "compliance", "runs", "equipment"], None)
        assert [part.why for part in found.parts] == [""] * 4
        content, _ = render(Snapshot("1", found.parts, True, NOW, 1.0))
        text = content.decode().upper()
        assert "KITSURVIE_EQUIPMENT_MEMBER_DOUBLES{" in text
        for word in (*hosts, *(word for row in said for word in row)):
            assert word.upper() not in text
        for address in ("192.0.2", "198.51.100", "NIGHT@DESK", "P-0"):
            assert address not in text
