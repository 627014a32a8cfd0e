"""When a host may be changed, in words."""

from __future__ import annotations

from datetime import datetime

import pytest

from kitsurvie.inventory.windows import shut

MONDAY_NOON = datetime(2026, 11, 23, 12, 0)


def test_a_freeze_shuts_a_host_and_says_until_when_and_why() -> None:
    freeze = {"from": "2026-11-20", "until": "2026-11-23", "reason": "élections"}
    assert shut({"kit__freezes": [freeze]}, MONDAY_NOON) == "frozen until 2026-11-23 (élections)"
    assert shut({"kit__freezes": [freeze]}, datetime(2026, 11, 24)) == ""


def test_no_window_means_any_time_and_a_missed_one_says_when_the_next_opens() -> None:
    assert shut({}, MONDAY_NOON) == ""
    assert shut({"kit__change_windows": ["mon 08:00-18:00"]}, MONDAY_NOON) == ""
    said = shut({"kit__change_windows": ["sat 08:00-12:00", "wed 18:00-20:00"]}, MONDAY_NOON)
    assert said == "outside its change windows; the next one opens Wed 25 November at 18:00"


def test_a_measure_s_own_windows_and_freezes_stand_in_the_place_of_the_kit_s() -> None:
    freeze = {"from": "2026-11-20", "until": "2026-11-23", "reason": "élections"}
    variables = {
        "kit__freezes": [freeze],
        "updates__freezes": [],
        "updates__change_windows": ["mon 11:00-13:00"],
        "firewall__change_windows": [],
    }
    assert shut(variables, MONDAY_NOON, "updates") == ""
    assert shut(variables, datetime(2026, 11, 23, 14, 0), "updates").startswith("outside its")
    assert shut(variables, MONDAY_NOON, "firewall") == "frozen until 2026-11-23 (élections)"
    assert shut({"kit__change_windows": ["sat 08:00-12:00"]}, MONDAY_NOON, "firewall") != ""


def test_what_cannot_be_read_never_counts_as_open() -> None:
    with pytest.raises(ValueError, match="not days and hours"):
        shut({"kit__change_windows": ["always"]}, MONDAY_NOON)
