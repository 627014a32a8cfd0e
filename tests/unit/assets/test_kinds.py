"""What a thing is, from what it is called."""

from __future__ import annotations

import pytest

from kitsurvie.assets.readers import kinds
from kitsurvie.assets.record import Kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Notebook", Kind.LAPTOP),
        ("10", Kind.LAPTOP),
        ("Convertible", Kind.LAPTOP),
        ("Portable", Kind.LAPTOP),
        ("Ordinateur portable", Kind.LAPTOP),
        ("3", Kind.DESKTOP),
        ("Mini Tower", Kind.DESKTOP),
        ("Space-saving", Kind.DESKTOP),
        ("All in One", Kind.DESKTOP),
        ("Mini PC", Kind.DESKTOP),
        ("Unité centrale", Kind.DESKTOP),
        ("30", Kind.TABLET),
        ("Tablette", Kind.TABLET),
        ("Rack Mount Chassis", Kind.SERVER),
        ("Serveur", Kind.SERVER),
        ("Écran", Kind.SCREEN),
        ("Moniteurs", Kind.SCREEN),
        ("Téléphone portable", Kind.PHONE),
        ("Imprimante", Kind.PRINTER),
        ("Commutateur", Kind.NETWORK),
        ("Machine virtuelle", Kind.VIRTUAL),
        ("Docking Station", Kind.OTHER),
        ("Other", Kind.UNKNOWN),
        ("2", Kind.UNKNOWN),
        ("37", Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
        ("Chaise", Kind.UNKNOWN),
    ],
)
def test_a_type_is_known_by_its_number_and_its_name_in_both_languages(
    said: str, kind: Kind
) -> None:
    assert kinds.of_words(said) is kind


def computer(
    chassis: str = "", vmsystem: str = "", maker: str = "", model: str = "", battery: bool = False
) -> Kind:
    return kinds.of_computer(
        chassis=chassis, vmsystem=vmsystem, maker=maker, model=model, battery=battery
    )


def test_a_virtual_machine_is_one_whatever_its_chassis_says() -> None:
    assert computer("Desktop", "VMware") is Kind.VIRTUAL
    assert computer("Desktop", "Physical") is Kind.DESKTOP
    assert computer("Other", "", "innotek GmbH", "VirtualBox") is Kind.VIRTUAL
    assert computer("Desktop", "", "Microsoft Corporation", "Virtual Machine") is Kind.VIRTUAL
    assert computer("Laptop", "", "Microsoft Corporation", "Surface Laptop 4") is Kind.LAPTOP


def test_a_battery_makes_a_laptop_only_of_what_no_chassis_tells() -> None:
    assert computer("", battery=True) is Kind.LAPTOP
    assert computer("Docking Station", battery=True) is Kind.LAPTOP
    assert computer("Desktop", battery=True) is Kind.DESKTOP  # a UPS
    assert computer("") is Kind.UNKNOWN


def test_what_apple_makes_is_known_by_its_model() -> None:
    assert computer("", maker="Apple Inc.", model="iMac15,1", battery=True) is Kind.DESKTOP
    assert computer("", maker="Apple Inc.", model="MacBookPro18,3") is Kind.LAPTOP
