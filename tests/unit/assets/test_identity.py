"""The rules of identity, one at a time."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest

from kitsurvie.assets.clusters import Grade, How
from kitsurvie.assets.identity import Decision, Identity, Ruling, identify
from kitsurvie.assets.record import Interface, Kind, Origin, Record, Source
from kitsurvie.assets.traces import record_id

NUMBERS = count(1)
U1, U2, U3 = (
    "8BAAEA7D-E446-1760-0344-6A265221E1FE",
    "2CA10D7C-8605-F10A-F050-A43AABDCEE42",
    "EB562B40-9A5E-BE37-0E81-D1F18498D348",
)
M1, M2, DOCK = "54:BF:64:00:00:01", "54:BF:64:00:00:02", "48:2A:E3:00:00:99"


def record(**said: Any) -> Record:
    macs = said.pop("macs", ())
    month = said.pop("month", None)
    return Record(
        **{
            "source": Source.GLPI_CSV,
            "key": str(next(NUMBERS)),
            "origin": Origin("made-up"),
            "member": "215000027",
            "kind": Kind.LAPTOP,
            "maker": "Dell Inc.",
            "model": "Latitude 5420",
            "interfaces": tuple(Interface(mac) for mac in macs),
            "seen": datetime(2026, month, 1, tzinfo=UTC) if month else None,
            **said,
        }
    )


def typed(**said: Any) -> Record:
    return record(source=Source.SNIPEIT_CSV, **said)


def groups(identity: Identity) -> set[frozenset[str]]:
    return {frozenset(device.records) for device in identity.devices}


def one_machine(*records: Record) -> bool:
    return len(identify(records).devices) == 1


def proposed(*records: Record) -> str:
    """The sentence of the one proposal that is made of records that stay apart."""
    identity = identify(records)
    assert len(identity.devices) == len(records)
    (proposal,) = identity.proposals
    return proposal.reason


def test_one_serial_is_one_machine_whatever_its_spelling_and_name() -> None:
    assert one_machine(
        record(serial="KFRCHBN", uuid=U1, name="PC-1"), typed(serial="kfr chbn", name="x")
    )


def test_two_good_serials_veto_a_merge() -> None:
    a = record(serial="KFRCHBN", uuid=U1, macs=[M1], name="PC-1")
    b = record(serial="4NM315X", uuid=U1, macs=[M1], name="PC-1")
    assert not one_machine(a, b)


def test_a_chain_never_joins_two_good_serials() -> None:
    a = record(serial="KFRCHBN", uuid=U1, macs=[M1], name="PC-1")
    between = record(uuid=U1, macs=[M2], name="PC-1")
    c = record(serial="4NM315X", uuid=U2, macs=[M2], name="PC-1")
    for order in ([a, between, c], [c, between, a], [between, a, c]):
        found = {len(d.serials) for d in identify(order).devices}
        assert max(found) == 1


def test_both_byte_orders_of_a_uuid_are_one_machine() -> None:
    a = record(uuid="8BAAEA7D-E446-1760-0344-6A265221E1FE", name="PC-1")
    b = record(uuid="7DEAAA8B-46E4-6017-0344-6A265221E1FE", name="PC-1")
    assert one_machine(a, b)


def test_same_serial_and_name_with_another_board_is_a_changed_mainboard() -> None:
    a = record(serial="KFRCHBN", uuid=U1, macs=[M1], name="PC-1", month=1)
    b = record(serial="KFRCHBN", uuid=U2, macs=[M2], name="PC-1", month=9)
    identity = identify([a, b])
    (link,) = identity.links
    assert link.reason == "same serial, different UUID: mainboard changed?"
    assert link.how is How.AUTOMATIC
    assert [c.sentence for c in identity.conflicts] == [
        "one machine with 2 UUIDs: mainboard changed?"
    ]


def test_a_changed_mainboard_without_its_serial_is_known_by_name_model_and_purchase() -> None:
    bought = date(2022, 3, 1)
    a = record(serial="KFRCHBN", uuid=U1, macs=[M1], name="PC-1", month=1, bought=bought)
    b = record(serial="Default string", uuid=U2, macs=[M2], name="PC-1", month=9, bought=bought)
    assert one_machine(a, b)
    assert not one_machine(a, replace(b, member="215000035"))
    # both renewed within a week: two machines at work
    assert not one_machine(replace(a, seen=b.seen), b)


def test_a_reinstalled_machine_keeps_its_uuid_and_loses_its_name() -> None:
    a = record(serial="None", uuid=U1, macs=[M1], name="PC-1", month=9)
    b = record(serial="None", uuid=U1, macs=[DOCK], name="DESKTOP-7M4LU0B", month=1)
    assert one_machine(a, b)
    assert "reinstalled" in identify([a, b]).links[0].reason


def test_one_uuid_on_machines_with_different_serials_is_nobodys() -> None:
    a = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    b = record(serial="4NM315X", uuid=U1, name="PC-2")
    c = record(uuid=U1, name="PC-3")
    identity = identify([a, b, c])
    assert len(identity.devices) == 3
    assert identity.conflicts[0].sentence.startswith("one UUID on 2 machines")


def test_one_uuid_on_three_machines_without_serial_is_nobodys() -> None:
    machines = [record(uuid=U1, macs=[f"54:BF:64:00:01:0{n}"], name=f"PC-{n}") for n in range(4)]
    again = replace(machines[0], source=Source.GLPI_JSON, name="PC-0")
    assert len(identify([*machines, again]).devices) == 4


def test_one_uuid_on_two_named_machines_without_serial_is_left_to_people() -> None:
    a = record(uuid=U1, macs=[M1], name="PC-1", month=9)
    b = record(uuid=U1, macs=[M2], name="PC-2", month=1)
    assert proposed(a, b) == "same UUID, different name: renamed or reinstalled?"


def test_a_placeholder_that_no_list_knows_is_found_by_its_many_machines() -> None:
    boards = [
        record(serial="A DEFINIR", uuid=f"8BAAEA7D-E446-1760-0344-6A265221E1F{n}", name=f"PC-{n}")
        for n in range(5)
    ]
    rows = [typed(serial="A definir", name=f"PC-{n}") for n in range(5)]
    assert groups(identify([*boards, *rows])) == {
        frozenset(map(record_id, pair)) for pair in zip(boards, rows, strict=True)
    }


def test_a_dock_that_goes_from_laptop_to_laptop_joins_nothing() -> None:
    a = record(serial="KFRCHBN", uuid=U1, macs=[DOCK], name="PC-1")
    b = record(serial="4NM315X", uuid=U2, macs=[DOCK], name="PC-2")
    c = record(uuid=U3, macs=[DOCK], name="PC-3")
    identity = identify([a, b, c])
    assert len(identity.devices) == 3
    assert "a dock or an adapter" in identity.conflicts[0].sentence


def test_one_card_on_laptops_with_two_uuids_is_left_to_people() -> None:
    a = record(uuid=U1, macs=[DOCK], name="PC-1")
    b = record(uuid=U2, macs=[DOCK], name="PC-2")
    assert proposed(a, b).startswith("same network card, different UUID")


def test_a_desktop_is_known_by_its_card_where_it_has_no_serial_and_no_uuid() -> None:
    a = record(kind=Kind.DESKTOP, serial="00000000", macs=[M1], name="PC-1", month=9)
    b = record(kind=Kind.DESKTOP, serial="00000000", macs=[M1], name="PC-1-OLD", month=1)
    assert one_machine(a, b)
    assert not one_machine(a, replace(b, model="OptiPlex 3060"))


def test_two_members_pc_accueil_never_meet() -> None:
    a = record(uuid=U1, name="PC-ACCUEIL", bought=date(2022, 3, 1))
    b = record(serial="KFRCHBN", name="PC-ACCUEIL", bought=date(2022, 3, 1), member="215000035")
    identity = identify([a, b])
    assert len(identity.devices) == 2
    assert identity.proposals == ()


def test_a_machine_known_in_two_members_is_left_to_people() -> None:
    a = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    b = record(serial="KFRCHBN", uuid=U1, name="PC-1", member="215000035")
    assert proposed(a, b) == "same serial and UUID; in two members: moved or lent?"


def test_a_record_of_no_known_member_bridges_no_two_members() -> None:
    a = record(serial="KFRCHBN", uuid=U1)
    nowhere = record(serial="KFRCHBN", uuid=U1, member=None)
    b = record(serial="KFRCHBN", uuid=U1, member="215000035")
    assert len(identify([a, nowhere]).devices) == 1
    assert len(identify([a, nowhere, b]).devices) == 3


def test_serials_of_two_makers_may_be_equal() -> None:
    a = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    b = record(serial="KFRCHBN", uuid=U2, name="PC-2", maker="LENOVO", model="ThinkPad T14")
    assert not one_machine(a, b)


@pytest.mark.parametrize("slip", ["KFRCHB", "KFRHCBN", "SKFRCHBN", "KFRCHBX"])
def test_a_slip_in_a_typed_serial_is_mended_by_the_name(slip: str) -> None:
    read = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    assert one_machine(read, typed(serial=slip, name="PC-1"))


def test_a_slip_is_not_mended_where_the_machine_is_another() -> None:
    read = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    assert not one_machine(read, typed(serial="KFRCHBX", name="PC-1", kind=Kind.DESKTOP))


def test_a_serial_that_the_agent_read_is_no_slip() -> None:
    a = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    b = record(serial="KFRCHBX", uuid=U2, name="PC-1")
    assert proposed(a, b).startswith("serials one slip apart")


def test_a_row_with_a_name_alone_goes_to_the_one_machine_of_that_name() -> None:
    row = typed(name="PC-1", model="")
    a = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    b = record(serial="4NM315X", uuid=U2, name="PC-1")
    assert one_machine(a, row)
    assert len(identify([a, b, row]).devices) == 3


def test_a_person_s_word_wins_over_the_rules() -> None:
    a = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    b = record(serial="4NM315X", uuid=U2, name="PC-2", member="215000035")
    c = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    same = Decision(record_id(a), record_id(b), Ruling.SAME, "moved to the other town hall")
    apart = Decision(record_id(a), record_id(c), Ruling.APART)
    identity = identify([a, b, c], [same, apart])
    assert groups(identity) == {frozenset({record_id(a), record_id(b)}), frozenset({record_id(c)})}
    assert identity.links[0].how is How.DECIDED
    assert identity.proposals == ()


def test_what_is_taken_out_of_a_machine_leaves_the_rest_together() -> None:
    records = [record(serial="KFRCHBN", uuid=U1) for _ in range(4)]
    first, *rest = sorted(map(record_id, records))
    apart = [Decision(first, other, Ruling.APART) for other in rest]
    assert groups(identify(records, apart)) == {frozenset({first}), frozenset(rest)}


def test_the_later_of_two_decisions_holds() -> None:
    a, b = record(serial="KFRCHBN", uuid=U1), record(serial="KFRCHBN", uuid=U1)
    said = [Decision(record_id(a), record_id(b), r) for r in (Ruling.APART, Ruling.SAME)]
    assert len(identify([a, b], said).devices) == 1
    assert len(identify([a, b], said[::-1]).devices) == 2


def test_decisions_that_contradict_each_other_are_a_conflict() -> None:
    a, b, c = record(serial="KFRCHBN"), record(serial="4NM315X"), record(serial="0UX25TM")
    identity = identify(
        [a, b, c],
        [
            Decision(record_id(a), record_id(b), Ruling.SAME),
            Decision(record_id(b), record_id(c), Ruling.SAME),
            Decision(record_id(a), record_id(c), Ruling.APART),
        ],
    )
    assert len(identity.devices) == 2
    assert "contradict" in identity.conflicts[0].sentence


def test_the_order_of_the_records_changes_nothing() -> None:
    from benchmarks import estate

    records = estate.make(11, 400).records
    first = identify(records)
    for seed in range(5):
        shuffled = records[:]
        random.Random(seed).shuffle(shuffled)
        assert identify(shuffled) == first


def test_a_link_says_how_strong_it_is() -> None:
    a = record(serial="KFRCHBN", uuid=U1, name="PC-1")
    grades = {
        Grade.A: record(serial="KFRCHBN", uuid=U1, name="PC-1"),
        Grade.B: typed(serial="KFRCHBN"),
        Grade.C: typed(name="PC-1"),
    }
    for grade, other in grades.items():
        assert identify([a, other]).links[0].grade is grade


def test_two_records_with_one_id_are_refused() -> None:
    a = record(serial="KFRCHBN")
    with pytest.raises(ValueError, match="two records have the id"):
        identify([a, a])
