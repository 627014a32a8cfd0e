"""What the exporter says of use and of energy, and of whom it says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.unit.assets import test_unused as usage
from tests.unit.energy import test_report as energy

from kitsurvie.cli import init
from kitsurvie.cli.assets import clock
from kitsurvie.cli.exporter import gathering
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.ledger import Ledger
from kitsurvie.workspace import find

SAINT_LO, GRANVILLE = usage.SAINT_LO, usage.GRANVILLE
AGGLO = "200066389"

Found = dict[tuple[str, ...], float]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ws"
    init.init(folder)
    monkeypatch.chdir(folder)
    usage.consult("all: true")
    return folder


@contextmanager
def gathered(part: str, place: Path) -> Iterator[Found]:
    """The samples of a part: `(metric, label values)` to value."""
    book = Ledger.open(find(place).ledger_url)
    try:
        (one,) = gathering.gather(Sources(find(place), book), [part])
        assert one.up, one.why
        yield {
            (s.metric.removeprefix("kitsurvie_"), *(s.labels[k] for k in sorted(s.labels))): s.value
            for s in one.samples
        }
    finally:
        book.close()


class TestUsage:
    """Machines that nobody uses."""

    @pytest.fixture(autouse=True)
    def the_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "today", lambda: usage.TODAY)

    def test_machines_are_told_by_epci_and_kind_and_by_member(self, place: Path) -> None:
        usage.fill(SAINT_LO, 9, 6)
        with gathered("usage", place) as found:
            assert found["usage_devices", AGGLO, "desktop"] == 9
            assert found["usage_unused_devices", "30", AGGLO, "desktop"] == 6
            assert found["usage_unused_devices", "60", AGGLO, "desktop"] == 0
            assert found["usage_member_unused_ratio", SAINT_LO] == pytest.approx(6 / 9)
            assert found["usage_unused_avoided_purchases", "central", AGGLO] > 0
            joules = [
                found["usage_unused_yearly_joules", one, AGGLO]
                for one in ("low", "central", "high")
            ]
            assert joules == sorted(joules)
            assert joules[1] == pytest.approx(6 * 92.4 * 3.6e6, rel=0.01)

    def test_a_small_member_is_told_within_its_epci_and_a_few_machines_have_no_worth(
        self, place: Path
    ) -> None:
        usage.fill(SAINT_LO, 8, 1)
        with gathered("usage", place) as found:
            assert not any("joules" in metric or "purchases" in metric for metric, *_ in found)
        usage.fill(GRANVILLE, 3, 2)
        with gathered("usage", place) as found:
            assert not any(GRANVILLE in labels for labels in found)

    def test_without_a_consultation_there_is_nothing(self, place: Path) -> None:
        usage.fill(SAINT_LO, 9, 6)
        Path("inventory/consultations.yml").write_text("consultations: []\n")
        with gathered("usage", place) as found:
            assert found == {}


class TestEnergy:
    """What the probes read."""

    @pytest.fixture(autouse=True)
    def the_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "today", lambda: energy.TODAY)

    def test_joules_are_told_by_epci_kind_and_method(self, place: Path) -> None:
        energy.pcs(place, *(f"pc-{n}" for n in range(6)))
        for n in range(6):
            energy.record(place, *energy.both(f"pc-{n}", 2.0))
        with gathered("energy", place) as found:
            last = ("energy_recent_joules",)
            assert found[(*last, "central", AGGLO, "desktop", "rapl")] == pytest.approx(12 * 3.6e6)
            assert (*last, "low", AGGLO, "desktop", "rapl") not in found
            assert [
                found[(*last, bound, AGGLO, "desktop", "modelled")] / 3.6e6
                for bound in ("low", "central", "high")
            ] == pytest.approx([12, 24, 48])
            assert found["energy_readings_hosts", AGGLO, "desktop", "rapl"] == 6
            assert found["energy_readings_hosts", AGGLO, "desktop", "none"] == 0

    def test_fewer_than_five_pcs_are_not_told_of_and_a_server_is(self, place: Path) -> None:
        energy.pcs(place, *(f"pc-{n}" for n in range(4)))
        energy.pcs(place, "srv-1", profile="server")
        for n in range(4):
            energy.record(place, *energy.both(f"pc-{n}", 2.0))
        energy.record(place, *energy.both("srv-1", 9.0, chassis="server"))
        with gathered("energy", place) as found:
            assert {labels[-2] for labels in found} == {"server"}

    def test_a_reading_of_today_counts_and_one_of_long_ago_does_not(self, place: Path) -> None:
        energy.pcs(place, "srv-1", "srv-2", profile="server")
        today = date.isoformat(energy.TODAY)
        old = date.isoformat(energy.TODAY - timedelta(days=60))
        for host, day in (("srv-1", today), ("srv-2", old)):
            one = energy.counted(host, day, 3.0, since=day, chassis="server")
            energy.record(place, one)
        with gathered("energy", place) as found:
            assert found["energy_readings_hosts", AGGLO, "server", "rapl"] == 1

    def test_without_a_reading_there_is_nothing(self, place: Path) -> None:
        with gathered("energy", place) as found:
            assert found == {}
