"""What giving a machine up is worth: always low, central and high, with source and year."""

from __future__ import annotations

from dataclasses import astuple, fields, replace
from datetime import date
from pathlib import Path

import pytest
from tests.unit.assets.test_doubles import DESKTOP, LAPTOP

from kitsurvie.assets import factors
from kitsurvie.assets.factors import Range
from kitsurvie.assets.record import Kind
from kitsurvie.assets.worth import total, worth, yearly
from kitsurvie.errors import UsageError

TODAY = date(2026, 10, 31)
HEADINGS = "kind,quantity,value,unit,source,year,licence,redistributable\n"


def own(tmp_path: Path, *lines: str) -> factors.Factors:
    path = tmp_path / "factors.csv"
    path.write_text(HEADINGS + "\n".join(lines), encoding="utf-8")
    return factors.load(path)


def test_every_figure_has_bounds_in_order_a_source_and_a_year() -> None:
    bought = date(2024, 10, 31)
    for device in (replace(LAPTOP, bought=bought), replace(DESKTOP, bought=bought)):
        found = worth(device, factors.load(), TODAY)
        for field in fields(found):
            figure = getattr(found, field.name)
            if field.name == "price":
                assert figure is None, "no price of a machine travels with us"
                continue
            assert figure.range.low <= figure.range.central <= figure.range.high
            assert figure.sources
            assert any("20" in source for source in figure.sources), field.name
        assert found.embodied.range.low < found.embodied.range.high


def test_a_laptop_of_two_years_has_three_fifths_of_its_life_left() -> None:
    found = worth(replace(LAPTOP, bought=date(2024, 10, 31)), factors.load(), TODAY)
    assert found.years_left is not None
    assert found.years_left.range.central == pytest.approx(3, abs=0.01)
    assert found.purchase is not None
    assert found.purchase.range.central == pytest.approx(0.6, abs=0.01)
    assert found.embodied is not None
    # 170 + 12.3 + 2.79 kgCO2e by ADEME; 156.4 and 339.3 are the makers' deciles
    assert found.embodied.range.central == pytest.approx(185.09 * 0.6, rel=0.01)
    assert found.embodied.range.low == pytest.approx(156.4 * 0.6, rel=0.01)
    assert found.embodied.range.high == pytest.approx(339.3 * 0.6, rel=0.01)


def test_a_machine_past_its_life_avoids_no_purchase_and_one_of_unknown_age_a_half() -> None:
    old = worth(replace(LAPTOP, bought=date(2018, 1, 1)), factors.load(), TODAY)
    assert old.purchase is not None
    assert old.purchase.range == Range(0, 0, 0)
    unknown = worth(LAPTOP, factors.load(), TODAY)
    assert unknown.purchase is not None
    assert unknown.purchase.range == Range(0, 0.5, 1)
    assert unknown.years_left is None


def test_energy_is_of_220_working_days_unless_use_is_known() -> None:
    shipped = factors.load()
    year = shipped.energy(Kind.DESKTOP)
    assert year is not None
    # 70 W for 6 h by ADEME; 17.7 kWh is the makers' first decile, 153.3 ADEME's 365 days
    assert astuple(year.range) == pytest.approx((17.7, 92.4, 153.3))
    known = shipped.energy(Kind.DESKTOP, days=22)
    assert known is not None
    assert known.range.central == pytest.approx(9.24)
    assert yearly(50, 90) == pytest.approx(203, abs=1)


def test_the_days_that_another_machine_takes_over_are_taken_off() -> None:
    alone = worth(DESKTOP, factors.load(), TODAY)
    moved = worth(DESKTOP, factors.load(), TODAY, moved_to=Kind.LAPTOP)
    assert alone.energy is not None
    assert moved.energy is not None
    assert moved.energy.range.central == pytest.approx(92.4 - 17.49)
    assert moved.energy.range.low < 0 < moved.energy.range.high
    assert moved.energy_price is not None
    assert moved.energy_price.range.low < 0


def test_a_syndicate_s_own_file_replaces_what_it_names(tmp_path: Path) -> None:
    found = own(
        tmp_path,
        "tariff,own_kwh,0.17,EUR/kWh,our invoice,2026,own,no",
        "laptop,purchase_price,620,EUR,our market,2026,own,no",
        "laptop,purchase_price,890,EUR,our market,2026,own,no",
        "laptop,purchase_price,750,EUR,our market,2026,own,no",
        "laptop,lifetime,7,years,our own,2026,own,no",
    )
    price = found.price()
    assert price is not None
    assert price.range == Range(0.17, 0.17, 0.17)
    got = worth(replace(LAPTOP, bought=TODAY), found, TODAY)
    assert got.price is not None
    assert got.price.range == Range(620, 750, 890)
    assert got.price.sources == ("our market (2026)", "our own (2026)")
    assert found.grid() == factors.load().grid()


@pytest.mark.parametrize(
    "line",
    ["laptop,lifetime,five,years,us,2026,,", "laptop,lifetime,5,years,,2026,,", "x,y,-1,,s,1"],
)
def test_a_line_without_number_source_or_year_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match=r"factors\.csv:2"):
        own(tmp_path, line)


def test_a_file_with_other_headings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("kind;quantity\n", encoding="utf-8")
    with pytest.raises(UsageError, match="lacks the headings"):
        factors.load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        factors.load(tmp_path / "none.csv")


def test_what_no_source_gives_is_nothing_and_not_zero() -> None:
    found = worth(replace(LAPTOP, kind=Kind.PHONE), factors.load(), TODAY)
    assert all(getattr(found, field.name) is None for field in fields(found))


def test_a_total_keeps_low_central_and_high() -> None:
    one = worth(replace(LAPTOP, bought=TODAY), factors.load(), TODAY)
    both = total([one, one])
    assert one.embodied is not None
    assert both.embodied is not None
    assert both.embodied.range == one.embodied.range + one.embodied.range
    assert both.price is None
    assert total([]).energy is None


def test_bounds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="not in order"):
        Range(2, 1, 3)
