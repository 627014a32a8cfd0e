"""What inventories say of the health of a device, check by check."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from tests.unit.assets.conftest import INVENTORIES, Desk, came, inventory
from tests.unit.assets.test_doubles import device

from kitsurvie.assets.finding import TITLES, Check, Finding, Limits
from kitsurvie.assets.health import Count, judge, summary
from kitsurvie.assets.record import (
    Antivirus,
    Condition,
    Firewall,
    Kind,
    Origin,
    Record,
    Source,
    Volume,
)
from kitsurvie.model import Status

TODAY = date(2026, 11, 26)
GB = 1 << 30
NUMBERS = count(1)
WINDOWS = Condition(system="Microsoft Windows 11 Professionnel", system_version="25H2")
DEBIAN = Condition(system="Debian GNU/Linux 13 (trixie)", system_version="13 (trixie)")
GOOD, DRIFT = Status.COMPLIANT, Status.DRIFT
NONE, UNKNOWN = Status.NOT_APPLICABLE, Status.UNKNOWN


def seen(days_ago: int | None, condition: Condition = WINDOWS, **said: Any) -> Record:
    day = None if days_ago is None else TODAY - timedelta(days=days_ago)
    return Record(
        **{
            "source": Source.GLPI_JSON,
            "key": str(next(NUMBERS)),
            "origin": Origin("made-up"),
            "seen": day and datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
            "condition": condition,
            **said,
        }
    )


def told(
    check: Check,
    *records: Record,
    kind: Kind = Kind.LAPTOP,
    limits: Limits | None = None,
    **said: Any,
) -> Finding:
    findings = judge(device(kind, **said), records, TODAY, limits)
    return next(finding for finding in findings if finding.check is check)


def says(check: Check, condition: Condition, **said: Any) -> Status:
    return told(check, seen(1, condition), **said).status


def protected(*antivirus: Antivirus) -> Condition:
    return replace(WINDOWS, antivirus=antivirus)


def fired(*states: bool | None) -> Condition:
    return replace(WINDOWS, firewalls=tuple(Firewall("PublicProfile", one) for one in states))


def disk(**states: bool | None) -> Condition:
    places = {"C": "C:", "D": "D:", "root": "/", "boot": "/boot", "label": "Recovery"}
    return replace(
        WINDOWS,
        volumes=tuple(Volume(places[name], encrypted=state) for name, state in states.items()),
    )


def space(free: float | None, size: float | None, mount: str = "C:") -> Condition:
    def sized(gigabytes: float | None) -> int | None:
        return None if gigabytes is None else int(gigabytes * GB)

    return replace(WINDOWS, volumes=(Volume(mount, sized(size), sized(free)),))


def test_each_computer_is_judged_by_every_check_in_order_with_a_title_in_two_languages() -> None:
    for kind in (Kind.DESKTOP, Kind.LAPTOP, Kind.SERVER, Kind.TABLET):
        findings = judge(device(kind), [seen(1)], TODAY)
        assert [finding.check for finding in findings] == list(Check) == list(TITLES)
        for finding in findings:
            assert finding.text.fr.endswith(".")
            assert finding.text.en.endswith(".")
            assert finding.text.fr != finding.text.en


@pytest.mark.parametrize(
    "kind", sorted(set(Kind) - {Kind.DESKTOP, Kind.LAPTOP, Kind.SERVER, Kind.TABLET, Kind.UNKNOWN})
)
def test_what_is_no_computer_is_not_judged(kind: Kind) -> None:
    assert judge(device(kind), [seen(1)], TODAY) == ()


def test_a_tablet_is_judged_under_windows_alone_and_an_unknown_thing_as_what_it_runs() -> None:
    android = Condition(system="Snow Cone Android 12.0 api 31")
    for kind in (Kind.TABLET, Kind.UNKNOWN):
        assert judge(device(kind), [seen(1)], TODAY)
        assert judge(device(kind), [seen(1, android)], TODAY) == ()
        assert judge(device(kind), [], TODAY) == ()
    assert judge(device(Kind.TABLET), [seen(1, DEBIAN)], TODAY) == ()
    unknown = judge(device(Kind.UNKNOWN), [seen(1, DEBIAN)], TODAY)
    assert {f.check: f.status for f in unknown}[Check.DISK_ENCRYPTED] is UNKNOWN


def test_one_antivirus_that_is_on_and_up_to_date_suffices() -> None:
    good = Antivirus("Defender", True, True)
    bad = Antivirus("Old", False, False)
    assert says(Check.ANTIVIRUS, protected(good, bad)) is GOOD
    assert says(Check.ANTIVIRUS, protected(bad, good)) is GOOD
    found = told(Check.ANTIVIRUS, seen(1, protected(bad, good))).found
    assert found == "Old: off, out of date; Defender: on, up to date"


@pytest.mark.parametrize(
    ("listed", "status"),
    [
        ((), DRIFT),
        ((Antivirus("a", True, False),), DRIFT),
        ((Antivirus("a", False, True),), DRIFT),
        ((Antivirus("a", True, False), Antivirus("b", False, True)), DRIFT),
        ((Antivirus("a", False, None),), DRIFT),
        ((Antivirus("a", None, False),), DRIFT),
        ((Antivirus("a", True, None),), UNKNOWN),
        ((Antivirus("a", None, True),), UNKNOWN),
        ((Antivirus("a", None, None), Antivirus("b", False, False)), UNKNOWN),
    ],
)
def test_an_antivirus_that_is_off_or_out_of_date_is_drift_and_silence_on_it_unknown(
    listed: tuple[Antivirus, ...], status: Status
) -> None:
    assert says(Check.ANTIVIRUS, protected(*listed)) is status


def test_no_antivirus_is_asked_where_there_is_no_windows() -> None:
    assert says(Check.ANTIVIRUS, replace(DEBIAN, antivirus=())) is NONE
    assert says(Check.ANTIVIRUS, DEBIAN) is NONE
    for nameless in ("", "N/A", "10 Pro"):
        assert says(Check.ANTIVIRUS, Condition(system=nameless)) is UNKNOWN
        assert says(Check.ANTIVIRUS, Condition(system=nameless, antivirus=())) is UNKNOWN
        on = (Antivirus("a", True, True),)
        assert says(Check.ANTIVIRUS, Condition(system=nameless, antivirus=on)) is GOOD


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((True, True, True), GOOD),
        ((True, False, True), DRIFT),
        ((None, False), DRIFT),
        ((True, None), UNKNOWN),
        ((), UNKNOWN),
    ],
)
def test_every_profile_of_the_firewall_must_be_on(
    states: tuple[bool | None, ...], status: Status
) -> None:
    assert says(Check.FIREWALL, fired(*states)) is status


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ({"C": True}, GOOD),
        ({"C": True, "label": None}, GOOD),
        ({"root": True, "boot": None}, GOOD),
        ({"root": True, "boot": False}, GOOD),
        ({"C": False}, DRIFT),
        ({"C": True, "D": False}, DRIFT),
        ({"C": None, "D": False}, DRIFT),
        ({"C": True, "D": None}, UNKNOWN),
        ({"C": None}, UNKNOWN),
        ({"D": True}, UNKNOWN),
        ({"label": True}, UNKNOWN),
    ],
)
def test_every_volume_that_holds_files_of_a_laptop_is_encrypted(
    states: dict[str, bool | None], status: Status
) -> None:
    assert says(Check.DISK_ENCRYPTED, disk(**states)) is status


def test_a_desktop_s_disk_may_be_clear_unless_it_is_asked_to_be_encrypted() -> None:
    clear = disk(C=False)
    assert says(Check.DISK_ENCRYPTED, clear, kind=Kind.DESKTOP) is NONE
    assert says(Check.DISK_ENCRYPTED, clear, kind=Kind.SERVER) is NONE
    assert says(Check.DISK_ENCRYPTED, clear, kind=Kind.TABLET) is DRIFT
    asked = Limits(encrypted=frozenset({Kind.DESKTOP}))
    assert says(Check.DISK_ENCRYPTED, clear, kind=Kind.DESKTOP, limits=asked) is DRIFT
    assert says(Check.DISK_ENCRYPTED, clear, kind=Kind.LAPTOP, limits=asked) is NONE


@pytest.mark.parametrize(
    ("free", "size", "status"),
    [
        (10, 500, GOOD),
        (9.9, 500, DRIFT),
        (6, 60, GOOD),
        (5.9, 60, DRIFT),
        (0, 64, DRIFT),
        (10, None, GOOD),
        (9.9, None, UNKNOWN),
        (65, 64, UNKNOWN),
        (0, 0, UNKNOWN),
        (-1, 64, UNKNOWN),
        (-1, None, UNKNOWN),
        (None, 64, UNKNOWN),
    ],
)
def test_a_system_volume_keeps_10_gb_or_a_tenth_free(
    free: float | None, size: float | None, status: Status
) -> None:
    assert says(Check.FREE_SPACE, space(free, size)) is status


def test_free_space_is_told_with_the_comma_of_french_and_the_point_of_english() -> None:
    text = told(Check.FREE_SPACE, seen(1, space(4.5, 200))).text
    assert "4,5 Go" in text.fr
    assert "4.5 GB" in text.en


def test_the_system_volume_is_found_however_its_place_is_written() -> None:
    for mount in ("C:", "c:", "C:\\", "C:/", "/"):
        assert says(Check.FREE_SPACE, space(1, 500, mount)) is DRIFT
    for mount in ("D:", "/home", "", "System"):
        assert says(Check.FREE_SPACE, space(1, 500, mount)) is UNKNOWN
    both = replace(WINDOWS, volumes=(Volume("D:", 9 * GB, 0), Volume("C:", 99 * GB, 50 * GB)))
    assert says(Check.FREE_SPACE, both) is GOOD


@pytest.mark.parametrize(
    ("bought", "status"),
    [
        (date(2019, 11, 26), GOOD),
        (date(2019, 11, 25), DRIFT),
        (date(2026, 11, 26), GOOD),
        (date(2026, 11, 27), UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_machine_is_old_the_day_after_its_seventh_year(
    bought: date | None, status: Status
) -> None:
    assert told(Check.AGE, bought=bought).status is status


def test_the_years_may_be_set_and_29_february_has_an_anniversary() -> None:
    five = Limits(years=5)
    assert told(Check.AGE, bought=date(2021, 11, 25), limits=five).status is DRIFT
    leap = device(Kind.LAPTOP, bought=date(2020, 2, 29))
    for today, status in ((date(2027, 2, 28), GOOD), (date(2027, 3, 1), DRIFT)):
        found = {f.check: f.status for f in judge(leap, [], today)}
        assert found[Check.AGE] is status


def test_an_old_inventory_makes_what_it_says_unknown_and_says_of_when_it_is() -> None:
    whole = replace(
        space(1, 500),
        antivirus=(Antivirus("Defender", True, True),),
        firewalls=(Firewall("PublicProfile", False),),
    )
    fresh = {f.check: f for f in judge(device(Kind.LAPTOP), [seen(90, whole)], TODAY)}
    assert fresh[Check.INVENTORY_FRESH].status is GOOD
    assert fresh[Check.SYSTEM_SUPPORTED].status is fresh[Check.ANTIVIRUS].status is GOOD
    assert fresh[Check.FIREWALL].status is fresh[Check.FREE_SPACE].status is DRIFT
    old = {f.check: f for f in judge(device(Kind.LAPTOP), [seen(91, whole)], TODAY)}
    assert old[Check.INVENTORY_FRESH].status is DRIFT
    day = TODAY - timedelta(days=91)
    for check in (Check.SYSTEM_SUPPORTED, Check.ANTIVIRUS, Check.FIREWALL, Check.FREE_SPACE):
        assert old[check].status is UNKNOWN, check
        assert old[check].seen == day
        assert old[check].found == fresh[check].found
        assert f"Last inventory of it on {day.isoformat()}" in old[check].text.en
        assert f"{day:%d/%m/%Y}" in old[check].text.fr
    assert told(Check.ANTIVIRUS, seen(91, DEBIAN)).status is UNKNOWN
    longer = Limits(stale_days=91)
    assert told(Check.FIREWALL, seen(91, whole), limits=longer).status is DRIFT


def test_the_newest_inventory_that_speaks_of_a_thing_wins() -> None:
    on, off = fired(True), fired(False)
    for records in ([seen(9, off), seen(2, on)], [seen(2, on), seen(9, off)]):
        found = told(Check.FIREWALL, *records, seen(1, WINDOWS), seen(None, off))
        assert (found.status, found.seen) == (GOOD, TODAY - timedelta(days=2))


def test_what_was_said_before_a_reinstallation_with_another_system_is_gone() -> None:
    found = told(Check.FIREWALL, seen(1, DEBIAN), seen(2, fired(False)))
    assert found.status is UNKNOWN
    found = told(Check.ANTIVIRUS, seen(1), seen(2, replace(DEBIAN, antivirus=())))
    assert found.status is UNKNOWN


def test_an_inventory_without_a_date_or_dated_to_come_says_nothing_of_today() -> None:
    for days_ago in (None, -2):
        findings = judge(
            device(Kind.LAPTOP), [seen(days_ago, replace(fired(False), volumes=()))], TODAY
        )
        assert {f.status for f in findings} == {UNKNOWN}
        assert {f.seen for f in findings} == {None}
    ahead = told(Check.FIREWALL, seen(-1, fired(True)))
    assert ahead.status is GOOD, "the day of UTC is not the day of Paris"


def test_a_register_that_people_keep_is_no_inventory() -> None:
    typed = seen(1, fired(False), source=Source.SNIPEIT_CSV)
    assert {f.status for f in judge(device(Kind.LAPTOP), [typed], TODAY)} == {UNKNOWN}


def test_a_list_without_versions_does_not_hide_the_version_that_an_agent_knows() -> None:
    listed = Condition(system="Microsoft Windows 11 Professionnel")
    found = told(Check.SYSTEM_SUPPORTED, seen(1, listed), seen(5))
    assert (found.status, found.seen) == (GOOD, TODAY - timedelta(days=5))
    other = Condition(system="Microsoft Windows 10 Professionnel", system_version="22H2")
    assert told(Check.SYSTEM_SUPPORTED, seen(1, listed), seen(5, other)).status is UNKNOWN


def test_a_real_windows_pc_that_an_agent_described() -> None:
    records = came(INVENTORIES / "fusion_2.xml").records
    pc = next(record for record in records if record.kind is not Kind.SCREEN)
    assert pc.seen is not None
    findings = judge(device(pc.kind), [pc], pc.seen.date())
    found = {finding.check: finding for finding in findings}
    assert found[Check.ANTIVIRUS].status is GOOD
    assert found[Check.SYSTEM_SUPPORTED].seen == pc.seen.date()
    today = {f.check: f.status for f in judge(device(pc.kind), [pc], TODAY)}
    assert {status for check, status in today.items() if status in (GOOD, DRIFT)} <= {DRIFT}


def test_an_inventory_is_judged_from_the_file_to_the_verdicts(desk: Desk) -> None:
    record = desk.json(
        inventory(
            hardware={"name": "PC-1", "chassis_type": "Notebook"},
            operatingsystem={
                "name": "Windows",
                "full_name": "Microsoft Windows 10 Professionnel",
                "kernel_version": "10.0.19045",
            },
            accesslog={"logdate": "2026-10-29 09:00:00"},
            antivirus=[{"name": "Windows Defender", "enabled": True, "uptodate": False}],
            firewalls=[{"profile": "PublicProfile", "status": "on"}],
            drives=[{"letter": "C:", "total": 100_000, "free": 5_000, "encrypt_status": "No"}],
        )
    ).record
    found = judge(device(record.kind), [record], date(2026, 11, 1))
    assert {f.check.value: f.status.value for f in found} == {
        "system_supported": "drift",
        "antivirus": "drift",
        "firewall": "compliant",
        "disk_encrypted": "drift",
        "free_space": "drift",
        "age": "unknown",
        "inventory_fresh": "compliant",
    }
    assert {f.seen for f in found if f.check is not Check.AGE} == {date(2026, 10, 29)}


def test_a_summary_counts_the_devices_of_each_member_by_check_and_status() -> None:
    fired_on = [seen(1, fired(True))]
    pairs = [
        (one, judge(one, records, TODAY))
        for one, records in (
            (device(Kind.LAPTOP, id="d-1", member="1"), fired_on),
            (device(Kind.LAPTOP, id="d-2", member="1"), fired_on),
            (device(Kind.LAPTOP, id="d-3", member="1"), []),
            (device(Kind.DESKTOP, id="d-4", member=None), fired_on),
            (device(Kind.PHONE, id="d-5", member="1"), fired_on),
        )
    ]
    counts = summary(pairs)
    assert sum(one.devices for one in counts) == 4 * len(Check)
    firewalls = [one for one in counts if one.check is Check.FIREWALL]
    assert firewalls == [
        Count(None, Check.FIREWALL, GOOD, 1),
        Count("1", Check.FIREWALL, GOOD, 2),
        Count("1", Check.FIREWALL, UNKNOWN, 1),
    ]
    assert summary(pairs[::-1]) == counts
