"""Whose a record is, and nobody's where the words do not tell."""

from __future__ import annotations

import pytest

from kitsurvie.assets.places import Place, Territory, known
from kitsurvie.model import Inventory, Member, MemberKind

MANCHE = known()
BARRE = Place("215000324", "50032")
SAINT_LO = Place("215005026", "50502")


@pytest.mark.parametrize(
    "said",
    [
        "Syndicat > CA Saint-Lô Agglo > La Barre-de-Semilly",
        "Syndicat > CA Saint-Lô Agglo > La Barre-de-Semilly > Mairie",
        "syndicat>ca saint lo agglo>LA BARRE DE SEMILLY",
        "Syndicat &gt; CA Saint-Lô Agglo &#62; La Barre-de-Semilly",
        "50032",
        " 50 032 ",
        "215000324",
        "215 000 324",
        "21500032400016",
        "La Barre-de-Semilly",
        "la barre de semilly",
        "Mairie de La Barre-de-Semilly",
    ],
)
def test_a_path_a_code_and_a_name_are_one_place(said: str) -> None:
    assert MANCHE.find(said) == BARRE


@pytest.mark.parametrize(
    ("said", "insee"),
    [
        ("Saint-Hilaire-du-Harcouët", "50484"),
        ("ST HILAIRE DU HARCOUET", "50484"),
        ("Mairie d'Agneaux", "50002"),
        ("Commune du Dézert", "50161"),
        ("Ville de Saint-Lô", "50502"),
    ],
)
def test_a_name_is_known_without_accents_and_with_the_town_hall_around_it(
    said: str, insee: str
) -> None:
    assert MANCHE.find(said).commune == insee


def test_what_nobody_is_called_is_nowhere_and_said() -> None:
    assert MANCHE.find("Atlantis") == Place(reason="No member is known as 'Atlantis'.")
    assert MANCHE.find("99999").reason
    assert MANCHE.find("123456789").member is None
    assert MANCHE.find("") == Place()


def test_the_machines_of_an_epci_are_its_own() -> None:
    assert MANCHE.find("Syndicat > CA Saint-Lô Agglo") == Place("200066389")
    assert MANCHE.find("200066389") == Place("200066389")
    assert MANCHE.find("Saint-Lô Agglo") == Place("200066389")


def test_a_commune_under_another_epci_is_not_believed() -> None:
    found = MANCHE.find("Syndicat > CA du Cotentin > La Barre-de-Semilly")
    assert found.member is None
    assert "another EPCI" in found.reason


def two_saint_martins() -> Territory:
    kind = MemberKind.COMMUNE
    return Territory(
        (
            Member("111111118", "Saint-Martin", kind, "50901", "200066389"),
            Member("222222226", "Saint-Martin", kind, "50902", "200042604"),
        ),
        (("200066389", "CA Saint-Lô Agglo"), ("200042604", "CC de Granville, Terre et Mer")),
    )


def test_a_name_that_two_share_is_told_by_the_epci_of_the_path_alone() -> None:
    there = two_saint_martins()
    assert there.find("CC de Granville, Terre et Mer > Saint-Martin").commune == "50902"
    assert there.find("Granville Terre et Mer > St Martin").commune == "50902"
    assert there.find("50901").member == "111111118"
    for said in ("Saint-Martin", "Syndicat > Saint-Martin"):
        assert there.find(said).member is None
        assert "2 members are called" in there.find(said).reason


def test_the_members_of_the_inventory_are_known_beside_the_communes() -> None:
    ccas = Member("999999998", "CCAS de Granville", MemberKind.CCAS, "50218", "200042604")
    there = known(Inventory({}, {ccas.siren: ccas}, {"200042604": "Granville T&M"}, ""))
    assert there.find("CCAS de Granville") == Place("999999998", "50218")
    assert there.find("50218").member == "215002189"  # the code is the commune's
    assert there.find("Granville T&M > Carolles").commune == "50102"
    assert there.find("CC de Granville, Terre et Mer > Carolles").commune == "50102"
    assert MANCHE.find("CCAS de Granville").member is None


def test_a_long_entity_is_cut_in_the_reason() -> None:
    assert len(MANCHE.find("x" * 5000).reason) < 150
