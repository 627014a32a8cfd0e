"""The share of reuse, as décret n° 2023-266 counts it, and the table of what was discarded."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.unit.assets.conftest import Desk

from kitsurvie.assets import packing
from kitsurvie.assets.discards import Scope, Share, once, scope, shares, target, total
from kitsurvie.assets.record import Discard, Kind, Origin, Outcome

AGNEAUX = "215000027"


def thing(left: str = "", outcome: Outcome = Outcome.STOCK, **more: Any) -> Discard:
    words = {
        "discarded": date(2025, 6, 1), "kind": Kind.LAPTOP, "bought": date(2019, 1, 1),
        "member": AGNEAUX, **more,
    }  # fmt: skip
    gone = date.fromisoformat(left) if left else None
    return Discard(Origin(""), "1", outcome=outcome, left=gone, **words)


def share(*things: Discard, year: int = 2026) -> Share:
    (one,) = shares(things, year)
    return one


def test_the_share_is_what_went_to_reuse_by_what_was_in_stock_on_the_first_of_january() -> None:
    found = share(
        thing(), thing("2026-03-01", Outcome.DONATED), thing("2026-05-01", Outcome.RECYCLING),
        thing("2027-01-01", Outcome.CEDED),
    )  # fmt: skip
    assert (found.stock, found.reused, found.left, found.recycled) == (4, 1, 2, 1)
    assert (found.rate, found.of_left, found.target) == (0.25, 0.5, 0.5)


def test_what_is_discarded_and_goes_in_one_year_is_in_no_stock_and_counts_all_the_same() -> None:
    found = share(thing("2026-03-01", Outcome.CEDED, discarded=date(2026, 2, 1)))
    assert (found.stock, found.reused, found.rate) == (0, 1, None)


@pytest.mark.parametrize("outcome", [Outcome.SOLD, Outcome.REUSE])
def test_what_is_sold_or_taken_back_is_reused_with_a_proof_alone(outcome: Outcome) -> None:
    found = share(thing("2026-03-01", outcome), thing("2026-03-01", outcome, proof="contract 12"))
    assert (found.reused, found.unproven, found.left) == (1, 1, 2)


def test_the_first_of_january_is_in_the_stock_the_day_before_it_left_is_not() -> None:
    assert share(thing("2026-01-01", Outcome.CEDED)).stock == 1
    assert shares([thing("2025-12-31", Outcome.CEDED)], 2026) == ()
    assert share(thing(discarded=date(2025, 12, 31))).stock == 1
    assert share(thing(discarded=date(2026, 1, 1))).stock == 0
    assert shares([thing(discarded=date(2027, 1, 1))], 2026) == ()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"bought": date(2015, 6, 1)}, Scope.COUNTED),  # ten years old that day
        ({"bought": date(2015, 5, 31)}, Scope.OLDER),
        ({"bought": date(2012, 2, 29), "discarded": date(2022, 2, 28)}, Scope.COUNTED),
        ({"bought": date(2012, 2, 29), "discarded": date(2022, 3, 1)}, Scope.OLDER),
        ({"bought": None}, Scope.AGE_UNKNOWN),
        ({"kind": Kind.SCREEN}, Scope.COUNTED),
        ({"kind": Kind.SCREEN, "small": False}, Scope.COUNTED),
        ({"kind": Kind.DESKTOP}, Scope.COUNTED),
        ({"kind": Kind.DESKTOP, "small": False}, Scope.LARGE),
        ({"kind": Kind.SERVER}, Scope.SIZE_UNKNOWN),
        ({"kind": Kind.PRINTER, "small": True}, Scope.COUNTED),
        ({"kind": Kind.VIRTUAL}, Scope.LARGE),
        ({"excluded": "classified"}, Scope.EXCLUDED),
    ],
)
def test_what_the_decree_counts_is_what_is_counted(more: dict[str, Any], expected: Scope) -> None:
    one = thing(**more)
    assert scope(one) is expected
    found = share(one)
    assert found.stock == (expected is Scope.COUNTED)
    assert sum(found.aside.values()) == (expected is not Scope.COUNTED)


def test_the_share_asked_for_is_that_of_the_year() -> None:
    asked = [target(year) for year in (2022, 2023, 2024, 2025, 2026, 2040)]
    assert asked == [None, 0.25, 0.35, 0.5, 0.5, 0.5]


def test_the_sum_is_over_members_and_each_member_is_alone() -> None:
    each = shares([thing(), thing(member="215000035"), thing(member=None)], 2026)
    assert [(one.member, one.stock) for one in each] == [(AGNEAUX, 1), ("215000035", 1)]
    assert total(each, 2026).stock == 2


def test_a_thing_that_a_table_and_a_decision_speak_of_is_one_thing() -> None:
    (one,) = once(
        [
            ("d1", thing(discarded=date(2026, 2, 1), bought=None)),
            ("d1", thing("2026-05-01", Outcome.DONATED, discarded=date(2026, 5, 1))),
            ("d1", thing(discarded=date(2026, 1, 5))),
        ]
    )
    assert (one.outcome, one.discarded, one.left) == (
        Outcome.DONATED, date(2026, 1, 5), date(2026, 5, 1),
    )  # fmt: skip
    assert one.bought == date(2019, 1, 1)


# -- the table ----------------------------------------------------------------------------------

HEADINGS = (
    "Commune;Type;Nom;Numéro de série;Date d'achat;Date de réforme;Destination;Date de sortie"
)


def row(desk: Desk, cells: str, headings: str = HEADINGS) -> Any:
    (item,) = desk.csv(f"{headings}\r\n{cells}\r\n").items
    return item


def test_a_table_in_french_is_known_by_its_headings_and_read(desk: Desk) -> None:
    one = row(desk, "Agneaux;Écran;;S3R14L9;12/03/2019;01/02/2026;Don;15/05/2026")
    assert isinstance(one, Discard)
    assert (one.member, one.kind, one.serial) == (AGNEAUX, Kind.SCREEN, "S3R14L9")
    assert (one.discarded, one.left) == (date(2026, 2, 1), date(2026, 5, 15))
    assert one.outcome is Outcome.DONATED
    assert packing.unpack("discard", packing.pack(one)).key == one.key


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("Agneaux;Écran;;;;01/02/2026;Don;15/05/2026", "neither number"),
        ("Agneaux;Écran;E1;;;01/02/2026;Réaffecté;15/05/2026", "not discarded"),
        ("Agneaux;Écran;E1;;;01/02/2026;À la cave;15/05/2026", "went where nobody knows"),
        ("Agneaux;Écran;E1;;;;Don;15/05/2026", "on which day it was discarded"),
        ("Agneaux;Écran;E1;;;01/02/2026;Don;", "on which day it left"),
        ("Agneaux;Écran;E1;;;01/02/2026;En stock;15/05/2026", "one of the two"),
        ("Agneaux;Écran;E1;;;01/02/2026;Don;15/01/2026", "before it was discarded"),
        ("Agneaux;Écran;E1;;;01/02/2099;Don;15/01/2099", "to come"),
        ("Agneaux;Écran;E1;;;31/02/2026;Don;15/05/2026", "no date"),
        ("Nulle-Part;Écran;E1;;;01/02/2026;Don;15/05/2026", "of no member"),
        (f"Agneaux;Écran;{'x' * 70000};;;01/02/2026;Don;15/05/2026", "characters in one cell"),
        ("Agneaux;Écran;E1;;\x00;01/02/2026;=HYPERLINK(1);15/05/2026", "went where nobody knows"),
    ],
)
def test_a_row_that_cannot_be_counted_is_refused_with_the_reason(
    desk: Desk, cells: str, why: str
) -> None:
    came = desk.csv(f"{HEADINGS}\r\n{cells}\r\n")
    assert why in came.refusal.reason


def test_small_is_said_with_yes_or_no(desk: Desk) -> None:
    headings = f"{HEADINGS};Petit"
    said = {
        word: row(desk, f"Agneaux;Serveur;S;;;01/02/2026;Stock;;{word}", headings)
        for word in ("oui", "Non", "", "perhaps")
    }
    assert [said[w].small for w in ("oui", "Non", "")] == [True, False, None]
    assert "neither yes nor no" in said["perhaps"].reason


def test_a_table_of_devices_is_none_of_what_was_discarded(desk: Desk) -> None:
    came = desk.csv("id;nom;entité;numéro de série;destination\r\n1;PC;Agneaux;7H2K9Q3;x\r\n")
    assert [type(item).__name__ for item in came.items] == ["Record"]
