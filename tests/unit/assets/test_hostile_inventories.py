"""Inventories that are made to harm: refused, or read without what does not fit."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from pathlib import Path

import pytest

from kitsurvie.assets.readers import Limits
from kitsurvie.assets.record import Kind

from .conftest import Desk, inventory

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n + 1} "{f"&lol{n or str()};" * 10}">' for n in range(9))
    + "]><REQUEST><CONTENT><HARDWARE><NAME>&lol9;</NAME></HARDWARE></CONTENT></REQUEST>"
)


def test_a_bomb_of_entities_is_refused_at_once(desk: Desk) -> None:
    before = time.monotonic()
    assert "DTD or an entity" in desk.file("one.xml", BOMB).refusal.reason
    assert time.monotonic() - before < 2


def test_an_entity_outside_the_file_is_not_fetched(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    xml = (
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]><REQUEST><CONTENT><HARDWARE>'
        "<NAME>&e;</NAME></HARDWARE></CONTENT><DEVICEID>x</DEVICEID></REQUEST>"
    )
    came = desk.file("one.xml", xml)
    assert "DTD or an entity" in came.refusal.reason
    assert "SECRET" not in repr(came.items)


def test_a_dtd_alone_is_refused_too(desk: Desk) -> None:
    xml = '<!DOCTYPE REQUEST SYSTEM "http://192.0.2.1/x.dtd"><REQUEST><CONTENT/></REQUEST>'
    assert "DTD" in desk.file("one.xml", xml).refusal.reason


def test_xml_of_ten_thousand_levels_is_refused(desk: Desk) -> None:
    assert "deeply" in desk.xml("<HARDWARE>" * 10_000 + "</HARDWARE>" * 10_000).refusal.reason


def test_xml_of_a_million_elements_is_refused_before_it_fills_the_memory(desk: Desk) -> None:
    assert "too much" in desk.xml("<USERS/>" * 600_000).refusal.reason


def test_sections_that_are_not_read_are_not_kept(desk: Desk) -> None:
    processes = "<PROCESSES><CMD>x</CMD></PROCESSES>" * 300_000
    assert desk.xml(processes + "<HARDWARE><NAME>PC-1</NAME></HARDWARE>").record.name == "PC-1"


def test_control_characters_that_xml_forbids_are_read_over(desk: Desk) -> None:
    record = desk.xml("<BIOS><SSN>A1\x00\x00</SSN><SMODEL>x\x1fy</SMODEL></BIOS>").record
    assert (record.serial, record.model) == ("A1", "x y")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("", "utf-8"),
        ("", "cp1252"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ('<?xml version="1.0" encoding="UTF-8"?>', "cp1252"),
        ('<?xml version="1.0" encoding="windows-1252"?>', "cp1252"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
        ('<?xml version="1.0" encoding="klingon"?>', "utf-8"),
    ],
)
def test_xml_of_every_encoding_of_an_office_is_read(
    desk: Desk, declared: str, encoding: str
) -> None:
    xml = (
        declared + "<REQUEST><CONTENT><HARDWARE><NAME>PC-ÉTÉ</NAME></HARDWARE></CONTENT>"
        "<DEVICEID>x</DEVICEID></REQUEST>"
    )
    assert desk.file("one.xml", xml.encode(encoding)).record.name == "PC-ÉTÉ"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32"]
)
def test_json_of_every_encoding_of_an_office_is_read(desk: Desk, encoding: str) -> None:
    text = json.dumps(inventory(hardware={"name": "PC-ÉTÉ"}), ensure_ascii=False)
    assert desk.json(text.encode(encoding)).record.name == "PC-ÉTÉ"


@pytest.mark.parametrize("depth", [10_000, 1_000_000])
def test_json_of_ten_thousand_levels_is_refused(desk: Desk, depth: int) -> None:
    text = '{"deviceid": "x", "content": ' + '{"a":' * depth + "1" + "}" * depth + "}"
    assert desk.json(text).refusal.reason
    assert desk.json('{"content":' + "[" * depth).refusal.reason


def test_json_of_millions_of_values_is_refused_before_it_fills_the_memory(desk: Desk) -> None:
    text = '{"deviceid": "x", "content": {"a": [' + "[]," * 800_000 + "[]]}}"
    assert "values" in desk.json(text).refusal.reason


@pytest.mark.parametrize(
    "number", ["1e999999", "NaN", "-Infinity", "9" * 5000, "-1", "1.5", "true"]
)
def test_a_number_that_is_none_is_left_aside(desk: Desk, number: str) -> None:
    text = (
        '{"deviceid": "x", "content": {"versionclient": "x", "hardware": {"name": "PC-1", '
        f'"memory": {number}}}, "drives": [{{"letter": "C:", "total": {number}}}]}}}}'
    )
    record = desk.json(text).record
    assert record.name == "PC-1"
    assert record.condition.memory_mib is None
    assert record.condition.volumes is not None
    assert record.condition.volumes[0].size_bytes is None


def test_a_key_that_is_said_twice_is_not_believed(desk: Desk) -> None:
    text = (
        '{"deviceid": "x", "content": {"versionclient": "x", '
        '"bios": {"ssn": "A1", "ssn": "B2", "smodel": "M", "smodel": "M"}}}'
    )
    record = desk.json(text).record
    assert (record.serial, record.model) == ("", "M")
    assert record.left_aside == ("bios.ssn is said twice: left aside.",)
    assert desk.json('{"deviceid": "x", "deviceid": "y", "content": {}}').refusal.reason
    assert desk.json('{"content": {}, "deviceid": "y", "content": {"a": 1}}').refusal.reason


def test_half_a_letter_and_a_nul_in_json_are_no_part_of_a_name(desk: Desk) -> None:
    record = desk.json(
        '{"deviceid": "x\\ud800", "content": {"versionclient": "x", "hardware": '
        '{"name": "\\udfffPC\\u0000-1\\u0000"}}}'
    ).record
    assert record.name.encode()
    assert record.key.encode()
    assert "\x00" not in record.name


def test_a_text_of_a_megabyte_is_left_aside(desk: Desk) -> None:
    record = desk.json(inventory(hardware={"name": "x" * (1 << 20), "uuid": "u"})).record
    assert (record.name, record.uuid) == ("", "u")
    assert record.left_aside == ("hardware.name is longer than 1000 characters: left aside.",)


def test_an_inventory_over_the_limit_is_refused(desk: Desk) -> None:
    small = Limits(inventory_bytes=100)
    assert (
        "larger than 100 bytes"
        in desk.json(inventory(bios={"ssn": "x" * 99}), limits=small).refusal.reason
    )
    packed = zlib.compress(b"<REQUEST>" + b" " * 10_000_000)
    assert len(packed) < 100_000
    tight = Limits(inventory_bytes=100_000)
    assert "unpacked" in desk.file("one.ocs", packed, limits=tight).refusal.reason


@pytest.mark.parametrize(
    "raw", [zlib.compress(b"<REQUEST/>" * 99)[:-6], b"x\x9cgarbage", gzip.compress(b"")[:9]]
)
def test_a_packed_file_that_is_damaged_is_refused(desk: Desk, raw: bytes) -> None:
    assert desk.file("one.ocs", raw).refusal.reason


def test_an_archive_is_not_opened(desk: Desk) -> None:
    assert "unpack it" in desk.file("all.zip", b"PK\x03\x04" + b"\x00" * 50).refusal.reason


def test_nobody_is_named_by_a_refusal_or_by_what_is_left_aside(desk: Desk) -> None:
    users = [{"login": ["marie.dupont"]}, "marie.dupont"]
    hardware = {"lastloggeduser": {"name": "marie.dupont"}, "memory": "marie.dupont"}
    came = desk.json(inventory(users=users, hardware=hardware))
    assert came.record.left_aside
    assert "marie" not in repr(came.items)


def test_a_phone_that_says_it_is_a_server_of_forty_thousand_programs_is_read(desk: Desk) -> None:
    softwares = [{"name": f"p{n}"} for n in range(40_000)]
    record = desk.json({**inventory(softwares=softwares), "itemtype": "Computer"}).record
    assert record.kind is Kind.UNKNOWN
    assert len(record.condition.programs or ()) == 20_000
    assert record.left_aside
