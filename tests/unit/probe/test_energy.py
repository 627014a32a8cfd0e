"""Joules: counted where a sensor says them, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.probe.conftest import POWER, QUARTER, RANGE, SYS, Machine

RAPL = "energy_joules_total{rapl,package-0}"
BATTERY = "energy_joules_total{battery,BAT0}"
COVERED = "energy_covered_seconds_total"
READABLE = "probe_source_readable"


# -- processors


def test_the_joules_of_a_package_are_counted_from_one_reading_to_the_next(machine: Machine) -> None:
    machine.package(0, 5_000_000)
    assert RAPL not in machine.read()
    machine.passes()
    machine.package(0, 905_000_000)
    found = machine.read()
    assert found[RAPL] == 900.0
    assert found[f"{COVERED}{{rapl}}"] == QUARTER
    machine.passes()
    machine.package(0, 1_005_000_000)
    assert machine.read()[RAPL] == 1000.0


def test_each_package_is_counted_once_whatever_parts_and_other_roads_it_has(
    machine: Machine,
) -> None:
    for number in (0, 1):
        machine.package(number, 0)
    for folder, name in (
        ("intel-rapl:0:0", "core"), ("intel-rapl:0:1", "package-0"), ("intel-rapl:2", "psys"),
        ("intel-rapl-mmio:0", "package-0"), ("intel-rapl", "package-0"),
    ):  # fmt: skip
        for one, value in (("name", name), ("energy_uj", 0), ("max_energy_range_uj", RANGE)):
            machine.put(f"{SYS}/powercap/{folder}/{one}", value)
    machine.read()
    machine.passes()
    for number, energy in ((0, 1_000_000), (1, 2_000_000)):
        machine.package(number, energy)
    for folder in ("intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:2", "intel-rapl-mmio:0"):
        machine.put(f"{SYS}/powercap/{folder}/energy_uj", 77_000_000)
    found = machine.read()
    joules = {name: value for name, value in found.items() if name.startswith("energy_joules")}
    assert joules == {RAPL: 1.0, "energy_joules_total{rapl,package-1}": 2.0}
    assert found[f"{COVERED}{{rapl}}"] == QUARTER


def test_a_counter_that_began_again_is_counted_past_that_point(machine: Machine) -> None:
    machine.package(0, RANGE - 3_000_000)
    machine.read()
    machine.passes()
    machine.package(0, 6_999_999)
    assert machine.read()[RAPL] == 10.0


def test_a_time_in_which_it_may_have_begun_again_twice_is_not_counted(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.package(0, 0)
    machine.read()
    machine.passes(4000)
    machine.package(0, 1_000_000)
    found = machine.read()
    assert RAPL not in found
    assert f"{COVERED}{{rapl}}" not in found
    assert "not clear what package-0 spent" in capsys.readouterr().err
    machine.passes()
    machine.package(0, 3_000_000)
    assert machine.read()[RAPL] == 2.0


def test_a_limit_that_means_none_is_no_limit(machine: Machine) -> None:
    machine.package(0, 0)
    machine.put(f"{SYS}/powercap/intel-rapl:0/constraint_0_power_limit_uw", 4_095_875_000)
    machine.read()
    machine.passes(600)
    machine.package(0, 30_000_000)
    assert machine.read()[RAPL] == 30.0


def test_a_counter_that_a_sleep_has_set_back_did_not_begin_again(machine: Machine) -> None:
    machine.package(0, 900_000_000)
    machine.read()
    machine.passes(QUARTER, asleep=3600)
    machine.package(0, 1_000_000)
    assert RAPL not in machine.read()


def test_a_counter_that_was_set_otherwise_is_not_counted(machine: Machine) -> None:
    machine.package(0, 900_000_000)
    machine.read()
    machine.passes(60)
    # past the point where it begins again this would be 260 kJ in a minute
    machine.package(0, 1_000_000)
    assert RAPL not in machine.read()


def test_what_a_package_counted_before_a_restart_is_not_of_after_it(machine: Machine) -> None:
    machine.package(0, 900_000_000)
    machine.read()
    machine.restarts("two")
    machine.package(0, 1_000_000)
    assert RAPL not in machine.read()
    machine.passes()
    machine.package(0, 4_000_000)
    assert machine.read()[RAPL] == 3.0


@pytest.mark.parametrize("content", [b"", b"garbage", b"-5", b"\xff\xfe", b"1" * 50, None])
@pytest.mark.parametrize("name", ["energy_uj", "max_energy_range_uj"])
def test_a_sensor_that_says_nothing_that_can_be_is_unreadable_and_counts_nothing(
    machine: Machine, name: str, content: bytes | None
) -> None:
    machine.package(0, 1_000_000)
    machine.read()
    machine.passes()
    if content is None:
        machine.closed(f"{SYS}/powercap/intel-rapl:0/{name}")
    else:
        machine.put(f"{SYS}/powercap/intel-rapl:0/{name}", content)
    found = machine.read()
    assert machine.code == 0
    assert found[f"{READABLE}{{rapl}}"] == 0
    assert RAPL not in found
    assert found["powered_seconds_total"] == QUARTER


def test_a_machine_without_the_sensor_says_nothing_of_it(machine: Machine) -> None:
    found = machine.since()
    assert f"{READABLE}{{rapl}}" not in found
    assert not any("rapl" in name or "battery" in name for name in found)


@given(
    st.lists(
        st.tuples(st.floats(1, 60), st.floats(10, 1200)), min_size=1, max_size=30
    )
)  # fmt: skip
def test_joules_agree_with_the_sum_of_what_the_sensor_took(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[float, float]]
) -> None:
    made = Machine(tmp_path_factory.mktemp("machine"))
    for folder in (made.root, made.state, made.textfile.parent):
        folder.mkdir()
    made.boot("one")
    energy, taken = RANGE - 1_000_000_000, 0.0
    made.package(0, energy)
    made.read()
    for watts, seconds in spans:
        made.passes(seconds)
        taken += watts * seconds
        energy = (energy + round(watts * seconds * 1e6)) % (RANGE + 1)
        made.package(0, energy)
        found = made.read()
    assert found[RAPL] == pytest.approx(taken, rel=0.01)


# -- battery


def mains(machine: Machine, online: int) -> None:
    machine.put(f"{POWER}/AC/type", "Mains")
    machine.put(f"{POWER}/AC/online", online)


def test_what_a_battery_gives_while_nothing_feeds_the_machine_is_counted(machine: Machine) -> None:
    mains(machine, 0)
    machine.battery("Discharging", energy_now=50_000_000)
    machine.read()
    machine.passes()
    machine.battery("Discharging", energy_now=45_000_000)
    found = machine.read()
    assert found[BATTERY] == pytest.approx(5 * 3600)
    assert found[f"{COVERED}{{battery}}"] == QUARTER


@pytest.mark.parametrize(
    ("before", "after", "online"),
    [
        ("Charging", "Charging", 1), ("Full", "Full", 1), ("Not charging", "Not charging", 1),
        ("Charging", "Discharging", 0), ("Discharging", "Charging", 1),
        # some firmware says so on mains
        ("Discharging", "Discharging", 1), ("Unknown", "Unknown", 0),
    ],
)  # fmt: skip
def test_a_battery_that_is_fed_at_either_end_counts_nothing(
    machine: Machine, before: str, after: str, online: int
) -> None:
    mains(machine, online)
    machine.battery(before, energy_now=50_000_000, power_now=30_000_000)
    machine.read()
    machine.passes()
    machine.battery(after, energy_now=45_000_000, power_now=30_000_000)
    found = machine.read()
    assert BATTERY not in found
    assert found[f"{READABLE}{{battery}}"] == 1


def test_a_battery_that_was_charged_meanwhile_counts_nothing(machine: Machine) -> None:
    machine.battery("Discharging", energy_now=20_000_000)
    machine.read()
    machine.passes()
    machine.battery("Discharging", energy_now=50_000_000)
    assert BATTERY not in machine.read()


def test_another_battery_in_its_place_counts_nothing(machine: Machine) -> None:
    machine.battery("Discharging", energy_now=50_000_000, serial_number=1)
    machine.read()
    machine.passes()
    machine.battery("Discharging", energy_now=20_000_000, serial_number=2)
    assert BATTERY not in machine.read()


def test_a_battery_that_lost_more_than_a_battery_gives_was_another(machine: Machine) -> None:
    machine.battery("Discharging", energy_now=90_000_000)
    machine.read()
    machine.passes(60)
    machine.battery("Discharging", energy_now=10_000_000)
    assert BATTERY not in machine.read()


def test_a_battery_that_counts_charge_is_counted_by_its_volts(machine: Machine) -> None:
    machine.battery("Discharging", charge_now=4_000_000, voltage_now=12_000_000)
    machine.read()
    machine.passes()
    machine.battery("Discharging", charge_now=3_500_000, voltage_now=11_000_000)
    assert machine.read()[BATTERY] == pytest.approx(0.5 * 11.5 * 3600)


def test_a_battery_that_knows_its_power_alone_is_counted_by_that(machine: Machine) -> None:
    machine.battery("Discharging", current_now=-1_000_000, voltage_now=12_000_000)
    machine.read()
    machine.passes()
    machine.battery("Discharging", current_now=-2_000_000, voltage_now=11_000_000)
    assert machine.read()[BATTERY] == pytest.approx((12 + 22) / 2 * QUARTER)


def test_the_battery_of_a_mouse_is_none_of_the_machine_s(machine: Machine) -> None:
    machine.battery("Discharging", "hid-1", scope="Device", energy_now=5_000_000)  # type: ignore[arg-type]
    machine.read()
    machine.passes()
    machine.battery("Discharging", "hid-1", energy_now=1_000_000)
    found = machine.read()
    assert f"{READABLE}{{battery}}" not in found
    assert not any("energy_joules" in name for name in found)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00\xff"])
def test_a_battery_that_says_garbage_is_unreadable(machine: Machine, content: bytes) -> None:
    machine.battery("Discharging", energy_now=50_000_000)
    machine.read()
    machine.passes()
    machine.put(f"{POWER}/BAT0/energy_now", content)
    found = machine.read()
    assert machine.code == 0
    assert found[f"{READABLE}{{battery}}"] == 0
    assert BATTERY not in found


@given(st.lists(st.tuples(st.floats(3, 60), st.floats(60, 900)), min_size=1, max_size=20))
def test_a_battery_s_joules_agree_with_the_sum_of_what_it_gave(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[float, float]]
) -> None:
    made = Machine(tmp_path_factory.mktemp("machine"))
    for folder in (made.root, made.state, made.textfile.parent):
        folder.mkdir()
    made.boot("one")
    left, given_ = 1_000_000_000.0, 0.0
    made.battery("Discharging", energy_now=round(left))
    made.read()
    for watts, seconds in spans:
        made.passes(seconds)
        given_ += watts * seconds
        left -= watts * seconds / 3600 * 1e6
        made.battery("Discharging", energy_now=round(left))
        found = made.read()
    assert found[BATTERY] == pytest.approx(given_, rel=0.01)


# -- the model


def modelled(found: dict[str, float]) -> dict[str, float]:
    start = "energy_modelled_joules_total"
    return {
        name.removeprefix(start)[1:-1]: value
        for name, value in found.items()
        if name.startswith(start)
    }


@pytest.mark.parametrize(("chassis", "watts"), [(3, 70.0), (9, 26.5), (10, 26.5), (35, 70.0)])
def test_ordinary_use_is_modelled_as_ademe_has_it(
    machine: Machine, chassis: int, watts: float
) -> None:
    machine.put(f"{SYS}/dmi/id/chassis_type", chassis)
    machine.read()
    machine.passes()
    machine.busy(100 + 10, 900 + 90)
    found = machine.read()
    low, central, high = (modelled(found)[bound] for bound in ("low", "central", "high"))
    assert central == pytest.approx(watts * QUARTER)
    assert low < central < high
    assert found[f"{COVERED}{{modelled}}"] == QUARTER


def test_a_busy_machine_takes_more_than_an_idle_one(machine: Machine) -> None:
    machine.read()
    machine.passes()
    machine.busy(100, 1900)
    idle = modelled(machine.read())
    machine.passes()
    machine.busy(1100, 1900)
    busy = {bound: value - idle[bound] for bound, value in modelled(machine.read()).items()}
    assert all(busy[bound] > idle[bound] for bound in idle)


def test_a_machine_that_slept_is_modelled_for_when_it_was_awake(machine: Machine) -> None:
    machine.read()
    machine.passes(QUARTER, asleep=36_000)
    machine.busy(110, 990)
    assert modelled(machine.read())["central"] == pytest.approx(70 * QUARTER)


def test_a_server_is_modelled_only_by_watts_of_one_s_own(machine: Machine) -> None:
    machine.put(f"{SYS}/dmi/id/chassis_type", 23)
    found = machine.since()
    assert modelled(found) == {}
    assert f"{READABLE}{{model}}" not in found
    machine.options = ["--watts", "server=120"]
    machine.passes()
    machine.read()
    machine.passes()
    machine.busy(110, 990)
    assert modelled(machine.read())["central"] == pytest.approx(120 * QUARTER)


@pytest.mark.parametrize("content", [b"", b"cpu 1 2", b"cpu a b c d e f", b"\xff", b"intr 1"])
def test_a_stat_that_is_garbage_is_unreadable_and_models_nothing(
    machine: Machine, content: bytes
) -> None:
    machine.read()
    machine.passes()
    machine.put("proc/stat", content)
    found = machine.read()
    assert found[f"{READABLE}{{model}}"] == 0
    assert modelled(found) == {}


# -- a machine that has no energy of its own


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("run/systemd/container", "lxc", "container"),
        ("proc/1/environ", b"PATH=/bin\0container=docker\0", "container"),
        (".dockerenv", "", "container"),
        ("sys/hypervisor/type", "xen", "virtual"),
        (f"{SYS}/dmi/id/sys_vendor", "QEMU", "virtual"),
        (f"{SYS}/dmi/id/product_name", "VMware Virtual Platform", "virtual"),
        (f"{SYS}/dmi/id/product_name", "VirtualBox", "virtual"),
        (f"{SYS}/dmi/id/product_name", "Virtual Machine", "virtual"),
        ("proc/cpuinfo", "flags\t\t: fpu hypervisor lahf_lm", "virtual"),
    ],
)
def test_a_virtual_machine_has_no_energy_of_its_own_and_says_so(
    machine: Machine, name: str, content: object, kind: str
) -> None:
    machine.package(0, 0)
    machine.battery("Discharging", energy_now=50_000_000)
    machine.put(name, content)
    machine.read()
    machine.passes()
    machine.package(0, 900_000_000)
    machine.battery("Discharging", energy_now=40_000_000)
    found = machine.read()
    assert found[f"probe_info{{1,{kind},desktop}}"] == 1
    assert not any("energy" in one for one in found)
    assert not any(one.startswith(READABLE) for one in found)
    assert found["powered_seconds_total"] == QUARTER
