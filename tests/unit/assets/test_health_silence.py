"""Silence is never compliant nor drift, whatever else is said and in whatever order."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from tests.unit.assets.test_doubles import device

from kitsurvie.assets.finding import Check, Limits
from kitsurvie.assets.health import judge
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
STATES = st.none() | st.booleans()
BYTES = st.none() | st.integers(-1, 1 << 45)
SYSTEMS = st.text(max_size=30) | st.sampled_from(
    [
        "", "N/A", "Windows", "macOS", "Microsoft Windows 10 Professionnel", "Windows 11 Famille",
        "Microsoft Windows Server 2016 Standard", "Debian GNU/Linux 12 (bookworm)", "Ubuntu",
    ]
)  # fmt: skip
VERSIONS = st.text(max_size=12) | st.sampled_from(
    ["", "22H2", "25H2", "10.0.19045", "10.0.26200.1", "10.0.14393", "12", "22.04.3 LTS"]
)
VOLUMES = st.builds(
    Volume, st.sampled_from(["C:", "c:\\", "D:", "/", "/boot", "", "x"]), BYTES, BYTES, STATES
)
CONDITIONS = st.builds(
    Condition,
    system=SYSTEMS,
    system_version=VERSIONS,
    antivirus=st.none() | st.lists(st.builds(Antivirus, st.just("a"), STATES, STATES)).map(tuple),
    firewalls=st.none() | st.lists(st.builds(Firewall, st.just("p"), STATES)).map(tuple),
    volumes=st.none() | st.lists(VOLUMES).map(tuple),
)
RECORDS = st.builds(
    Record,
    source=st.sampled_from(Source),
    key=st.text("ab", max_size=2),
    origin=st.just(Origin("made-up")),
    seen=st.none()
    | st.integers(-3, 200).map(
        lambda days: datetime(2026, 11, 26, 9, tzinfo=UTC) - timedelta(days=days)
    ),
    condition=CONDITIONS,
)
KINDS = st.sampled_from([Kind.LAPTOP, Kind.DESKTOP, Kind.SERVER, Kind.TABLET, Kind.UNKNOWN])
ASKED = Limits(encrypted=frozenset(Kind))
JUDGED = (Status.COMPLIANT, Status.DRIFT)
# what silence on each check is
SILENT: dict[Check, dict[str, Any]] = {
    Check.SYSTEM_SUPPORTED: {"system": "", "system_version": ""},
    Check.ANTIVIRUS: {"antivirus": None},
    Check.FIREWALL: {"firewalls": None},
    Check.DISK_ENCRYPTED: {"volumes": None},
    Check.FREE_SPACE: {"volumes": None},
}


@given(KINDS, st.lists(RECORDS, max_size=4), st.sampled_from(sorted(SILENT)))
def test_silence_is_never_compliant_nor_drift(
    kind: Kind, records: list[Record], check: Check
) -> None:
    hushed = [
        replace(record, condition=replace(record.condition, **SILENT[check])) for record in records
    ]
    for finding in judge(device(kind, seen=None), hushed, TODAY, ASKED):
        if finding.check is check:
            assert finding.status not in JUDGED
            event("heard")


@given(KINDS, st.lists(RECORDS, max_size=4))
def test_a_verdict_carries_the_day_of_a_recent_inventory_and_the_rest_is_no_verdict(
    kind: Kind, records: list[Record]
) -> None:
    days = {record.seen.date() for record in records if record.seen}
    for finding in judge(device(kind, seen=None), records, TODAY, ASKED):
        if finding.check is Check.AGE:
            assert finding.status is Status.UNKNOWN
        elif finding.status in JUDGED:
            assert finding.seen in days
            if finding.check is not Check.INVENTORY_FRESH:
                assert finding.seen is not None
                assert (TODAY - finding.seen).days <= ASKED.stale_days


@given(KINDS, st.lists(RECORDS, max_size=4, unique_by=lambda record: record.key), st.randoms())
def test_the_order_of_the_records_makes_no_difference(
    kind: Kind, records: list[Record], chance: Any
) -> None:
    shuffled = list(records)
    chance.shuffle(shuffled)
    assert judge(device(kind), shuffled, TODAY) == judge(device(kind), records, TODAY)


def test_every_part_of_a_condition_that_is_judged_can_fall_silent() -> None:
    known = {field.name for field in fields(Condition)}
    for silence in SILENT.values():
        assert set(silence) <= known
        assert set(silence.values()) <= {"", None}
    assert set(Check) - set(SILENT) == {Check.AGE, Check.INVENTORY_FRESH}
