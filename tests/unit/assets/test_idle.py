"""Machines that nobody uses, and those of which it is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kitsurvie.assets import factors
from kitsurvie.assets.devices import Device
from kitsurvie.assets.idle import idle, worths
from kitsurvie.assets.record import Kind
from kitsurvie.assets.use import Use, Window

END = date(2026, 10, 31)
WINDOW = Window(END)


def device(name: str, *, seen: int | None = 1, **said: Any) -> Device:
    """A desktop that an inventory saw so many days before the end."""
    moment = None if seen is None else datetime(2026, 10, 31, tzinfo=UTC) - timedelta(days=seen)
    return Device(
        **{
            "id": name, "records": (f"csv//{name}",), "member": "m", "kind": Kind.DESKTOP,
            "name": name, "maker": "", "model": "", "serial": "", "status": "", "names": (name,),
            "serials": frozenset(), "last_users": (), "assigned": (), "seen": moment,
            "bought": None, **said,
        }
    )  # fmt: skip


def used(**days_before: tuple[int, ...]) -> Use:
    """Somebody used machines so many days before the end."""
    return Use(
        {
            name: {"somebody": frozenset(END - timedelta(days=n) for n in back)}
            for name, back in days_before.items()
        }
    )


def days(*devices: Device, use: Use, **more: Any) -> dict[str, int]:
    return {one.device.id: one.days for one in idle(devices, use, WINDOW, **more)}


def test_days_are_counted_from_the_last_use() -> None:
    found = days(device("a"), device("b"), use=used(a=(0, 40), b=(31, 62)))
    assert found == {"a": 0, "b": 31}


def test_a_machine_seen_and_not_used_is_idle_where_sessions_are_collected() -> None:
    assert days(device("a"), device("b", seen=3), use=used(a=(1,))) == {"a": 1, "b": 90}


@pytest.mark.parametrize(
    "other",
    [
        device("b", member="elsewhere"), device("b", seen=None), device("b", seen=120),
        device("b", status="en stock"), device("b", kind=Kind.SERVER),
    ],
)  # fmt: skip
def test_of_any_other_it_is_not_known(other: Device) -> None:
    assert days(device("a"), other, use=used(a=(1,))) == {"a": 1}


def test_without_sessions_nothing_is_known() -> None:
    assert days(device("a"), device("b"), use=Use({})) == {}


def test_an_administrator_is_no_use_of_a_machine() -> None:
    found = days(
        device("a"), device("b"),
        use=Use({"a": {"agent": frozenset({END})}, "b": {"admin": frozenset({END})}}),
        shared=frozenset({"admin"}),
    )  # fmt: skip
    assert found == {"a": 0, "b": 90}


def test_a_probe_s_last_day_counts_where_no_session_says_a_later_one() -> None:
    probed = {"a": END - timedelta(days=50), "b": END - timedelta(days=2), "c": date(2026, 1, 1)}
    found = days(device("a"), device("b"), device("c"), use=used(b=(20,)), probed=probed)
    assert found == {"a": 50, "b": 2, "c": 90}


def test_a_day_ahead_of_the_window_is_its_last() -> None:
    assert days(device("a"), use=Use({}), probed={"a": END + timedelta(days=3)}) == {"a": 0}


def test_a_machine_that_nobody_uses_spends_only_if_it_was_seen_on() -> None:
    shipped = factors.load()
    on, off = idle(
        [device("a", seen=1), device("b", seen=60)], used(a=(50,), b=(60,)), WINDOW
    )  # fmt: skip
    assert on.was_on
    assert not off.was_on
    spending, quiet = worths(on, shipped, END), worths(off, shipped, END)
    assert spending.energy is not None
    assert spending.energy.range.central == pytest.approx(92.4, abs=0.1)
    assert quiet.energy is None
    assert quiet.purchase is not None
