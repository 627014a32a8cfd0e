"""What identifies nothing is blank, and what identifies is spelled one way."""

from __future__ import annotations

import csv
from importlib import resources

import pytest

from kitsurvie.assets import identifiers
from kitsurvie.assets.record import Interface

LISTED = resources.files("kitsurvie.assets") / "data" / "bad_identifiers.csv"


def listed(kind: str) -> list[str]:
    rows = csv.DictReader(LISTED.read_text("utf-8").splitlines())
    return [r["value"] for r in rows if r["type"] == kind and r["match"] == "casefold-exact"]


@pytest.mark.parametrize("said", [*listed("serial"), "", "   ", "TO BE FILLED BY O.E.M.", "nONe"])
def test_a_listed_serial_is_blank(said: str) -> None:
    assert identifiers.serial(said) == ""


@pytest.mark.parametrize(
    "said",
    ["A1", "aaaaaaaa", "0000-0000", "ABABABAB", "1234-5678", "ABCDEFGH", "BF EB FB FF 00 01 06 5E"],
)
def test_a_serial_that_is_short_repeated_or_a_run_is_blank(said: str) -> None:
    assert identifiers.serial(said) == ""


def test_a_serial_that_is_the_model_or_the_maker_is_blank() -> None:
    assert identifiers.serial("Esprimo D556", "FUJITSU", "ESPRIMO D556") == ""
    assert identifiers.serial("Fujitsu", "FUJITSU", "ESPRIMO D556") == ""


@pytest.mark.parametrize("typed", ["5cd0-123 4xz", " 5CDO1234XZ", "S/N: 5CD01234XZ", "5CD0I234XZ"])
def test_a_serial_typed_by_hand_is_spelled_like_the_one_that_was_read(typed: str) -> None:
    assert identifiers.serial(typed) == identifiers.serial("5CD01234XZ")


def test_both_byte_orders_of_a_uuid_are_one() -> None:
    read = identifiers.uuid("4C4C4544-0042-4A10-8051-B9C04F4E3732")
    assert read == identifiers.uuid("44454c4c-4200-104a-8051-b9c04f4e3732")
    assert len(read) == 32


@pytest.mark.parametrize("said", [*listed("uuid"), "", "00020003-0004-0005-0006-000700080009", "x"])
def test_a_listed_uuid_is_blank_in_either_byte_order(said: str) -> None:
    assert identifiers.uuid(said) == ""


@pytest.mark.parametrize(
    ("mac", "what", "virtual"),
    [
        ("54:BF:64:01:02:03", "ThinkPad USB-C Dock Ethernet", False),
        ("54:BF:64:01:02:03", "Realtek USB GbE Family Controller", False),
        ("54:BF:64:01:02:03", "Bluetooth Device (Personal Area Network)", False),
        ("54:BF:64:01:02:03", "eth0", True),
        ("56:BF:64:01:02:03", "eth0", False),
        ("55:BF:64:01:02:03", "eth0", False),
        ("00:50:56:C0:00:08", "", False),
        ("08:00:27:1A:2B:3C", "", False),
        ("FF:FF:FF:FF:FF:FF", "", False),
        ("44:45:53:54:00:00", "", False),
        ("", "", False),
    ],
)
def test_a_mac_that_is_not_the_machine_s_own_is_left_out(
    mac: str, what: str, virtual: bool
) -> None:
    assert identifiers.macs([Interface(mac, what, virtual)]) == ()


def test_a_mac_is_read_in_every_spelling() -> None:
    spelled = ["54:bf:64:01:02:03", "54-BF-64-01-02-03", "54BF.6401.0203"]
    assert identifiers.macs([Interface(mac, "eth0") for mac in spelled]) == ("54bf64010203",)


@pytest.mark.parametrize("leftover", ["DESKTOP-7M4LU0B", "LAPTOP-0123ABCD", "PF-12-OLD", "x (hs)"])
def test_a_name_that_an_installer_gave_or_that_was_put_away_tells_nothing(leftover: str) -> None:
    assert not identifiers.tells_apart(identifiers.name(leftover))


def test_a_name_is_read_without_domain_case_and_accents() -> None:
    assert identifiers.name("pc-élections.mairie.local") == "PC-ELECTIONS"
    assert identifiers.tells_apart("PC-ELECTIONS")


def test_makers_are_known_under_all_their_names() -> None:
    names = ["HP", "Hewlett-Packard", "HP Inc.", "Hewlett Packard Enterprise"]
    assert {identifiers.maker(name) for name in names} == {"hp"}
    assert identifiers.maker("System manufacturer") == ""
    assert identifiers.model("HP EliteDesk 800 G3", "Hewlett-Packard") == "ELITEDESK800G3"
    assert identifiers.model("System Product Name") == ""


@pytest.mark.parametrize(
    "typed", ["S5CD0123", "1S20W0CT01WW5CD0123", "5CD123", "5CD01233", "5DC0123", "5CD0124"]
)
def test_one_slip_of_the_pen_is_a_slip(typed: str) -> None:
    assert identifiers.alike(typed, "5CD0123")


@pytest.mark.parametrize("typed", ["5CD0456", "XX5CD0123", "5CD0132X", "3CD0132"])
def test_two_slips_are_another_serial(typed: str) -> None:
    assert not identifiers.alike(typed, "5CD0123")
