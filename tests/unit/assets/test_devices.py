"""What a device says of itself, and that its id outlives imports."""

from __future__ import annotations

import pytest
from tests.unit.assets.test_identity import M1, U1, U2, record, typed

from kitsurvie.assets.devices import adopt
from kitsurvie.assets.identity import Decision, Ruling, identify
from kitsurvie.assets.record import Kind
from kitsurvie.assets.traces import id_of, parts_of_id, record_id


def test_a_device_is_what_saw_it_last_says() -> None:
    (device,) = identify(
        [
            record(serial="KFRCHBN", uuid=U1, name="DESKTOP-7M4LU0B", user="old", month=1),
            record(serial="KFRCHBN", uuid=U1, name="PC-1", user="now", month=9),
            typed(serial="kfrchbn", name="PC-0", user="paper", kind=Kind.UNKNOWN),
        ]
    ).devices
    assert (device.name, device.serial, device.kind) == ("PC-1", "KFRCHBN", Kind.LAPTOP)
    assert device.names == ("PC-1", "PC-0")
    assert device.last_users == ("now", "old")
    assert device.assigned == ("paper",)
    assert device.seen is not None
    assert device.seen.month == 9


def test_a_device_keeps_its_id_when_records_come_and_go() -> None:
    a = record(serial="KFRCHBN", uuid=U1)
    (first,) = adopt(identify([a]).devices, {})
    new = [record(serial="KFRCHBN", uuid=U1, key="0"), record(serial="KFRCHBN", uuid=U1, macs=[M1])]
    (second,) = adopt(identify([a, *new]).devices, {first.id: first.records})
    assert second.id == first.id
    (third,) = adopt(identify(new).devices, {second.id: second.records})
    assert third.id == first.id


def test_a_merge_keeps_the_id_of_the_larger_part_and_a_split_gives_the_other_a_new_one() -> None:
    large = [record(serial="KFRCHBN", uuid=U1), record(serial="KFRCHBN", uuid=U1)]
    small = record(serial="4NM315X", uuid=U2)
    before = adopt(identify([*large, small]).devices, {})
    ids = {device.records: device.id for device in before}
    former = {device.id: device.records for device in before}
    same = [Decision(record_id(large[0]), record_id(small), Ruling.SAME)]
    (merged,) = adopt(identify([*large, small], same).devices, former)
    assert merged.id == next(i for records, i in ids.items() if len(records) == 2)
    after = adopt(identify([*large, small]).devices, {merged.id: merged.records})
    assert {d.id for d in after if len(d.records) == 2} == {merged.id}
    assert len({d.id for d in after}) == 2


def test_ids_are_the_same_whatever_the_order() -> None:
    records = [record(serial=f"KFRCHB{n}", uuid=U1[:-1] + str(n)) for n in range(9)]
    assert adopt(identify(records).devices, {}) == adopt(identify(records[::-1]).devices, {})


@pytest.mark.parametrize("register", ["", "mairie d'Agneaux/2", "100 %", "é"])
@pytest.mark.parametrize("key", ["12", "desktop:a/b", "%2F", ""])
def test_the_id_of_a_record_says_which_it_is(register: str, key: str) -> None:
    assert parts_of_id(id_of("glpi-csv", register, key)) == ("glpi-csv", register, key)
