"""What a container cannot prove, on a machine with a kernel and a boot loader of its own.

Slow: without a processor that helps (KVM), qemu plays one, ten times slower. The tests go on from
one another: one machine of each release is brought up, gets the kit, and is started again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from tests.lab.test_lab import left_behind, ssh, within

from kitsurvie import lab
from kitsurvie.errors import LabError
from kitsurvie.lab import scenario
from kitsurvie.lab.roster import Kind

from .conftest import LEFT_OUT, ROOT, VARIABLES, Kit, for_profile

pytestmark = pytest.mark.slow
RESTARTS_WITHIN_S = 900
# measures some checks of which know that a container has not the kernel for them
BY_THE_KERNEL = sorted(
    file.parent.parent.name
    for file in ROOT.glob("roles/*/checks/test_*.py")
    if "systemd-detect-virt --container" in file.read_text(encoding="utf-8")
    and file.parent.parent.name not in LEFT_OUT
)
# besides those, what a restart may undo; the rest of the kit knows no kernel, and qemu is slow
AT_A_START = ("firewall", "journal", "power_saving", "server_power", "ssh_hardening")
PLAYED = sorted({*BY_THE_KERNEL, *AT_A_START})


@pytest.fixture(scope="module")
def virtual(
    spare_request: lab.Request, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[lab.Lab]:
    """A virtual machine of each release, enrolled."""
    folder = tmp_path_factory.mktemp("virtual") / "lab"
    request = replace(spare_request, machines=0, vms=spare_request.releases, enrolled=True)
    try:
        yield lab.up(folder, request)
    finally:
        lab.down(folder)


@pytest.fixture(scope="module")
def kit_on_it(virtual: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """The measures that a kernel or a restart may undo, those of other profiles too."""
    extra = virtual.folder / "inventory" / "group_vars" / "all" / "measures.yml"
    extra.write_text(yaml.safe_dump(VARIABLES, allow_unicode=True), encoding="utf-8")
    kit = Kit(virtual, tmp_path_factory.mktemp("kit"))
    played = kit.play("--tags", ",".join(PLAYED))
    assert played.status == 0, played.said[-3000:]
    for measure in PLAYED:
        with for_it(kit, measure) as there:
            others = [name for name in kit.profiles if name not in there]
            if others:
                played = kit.play("--limit", ",".join(others), "--tags", measure)
                assert played.status == 0, played.said[-3000:]
    return kit


@contextmanager
def for_it(kit: Kit, measure: str) -> Iterator[list[str]]:
    """All machines of a profile that a measure is for; gives those that were so before."""
    already = [n for n, profile in kit.profiles.items() if measure in for_profile(profile)]
    profiles = yaml.safe_load((ROOT / "roles" / measure / "measure.yml").read_text())["profiles"]
    with ExitStack() as stack:
        for name in set(kit.profiles) - set(already):
            stack.enter_context(kit.used_as(name, profiles[0]))
        yield already


def reasons(kit: Kit, name: str) -> dict[str, str]:
    """Why each check that the last judgement of a machine skipped was skipped."""
    cases = ElementTree.parse(kit.scratch / f"{name}.xml").getroot().iter("testcase")
    skipped = ((case, case.find("skipped")) for case in cases)
    return {case.get("name", ""): s.get("message", "") for case, s in skipped if s is not None}


def boot_id(machine: lab.Machine) -> bytes:
    return machine.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout


def test_it_has_a_kernel_of_its_own_and_is_entered_as_any_other(virtual: lab.Lab) -> None:
    ours = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    for machine in virtual.machines:
        assert (machine.kind, machine.state) == (Kind.VM, "running")
        assert boot_id(machine) not in (ours, b"")
        said = machine.run(["sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"]).stdout
        assert said.decode().strip() == machine.release
        assert machine.run(["systemd-detect-virt", "--container"]).stdout == b"none\n"
        assert machine.run(["systemctl", "--failed", "--no-legend", "--plain"]).stdout == b""
        done = ssh(virtual, machine.name, "sudo -n id -u; hostname")
        assert (done.stdout, done.returncode) == (f"0\n{machine.name}\n", 0), done.stderr


def test_a_command_gets_its_input_and_gives_its_status_and_both_streams(virtual: lab.Lab) -> None:
    machine = virtual.machines[0]
    done = machine.run(["sh", "-c", "cat; echo no >&2; exit 3"], bytes(range(256)) * 400)
    assert (done.returncode, done.stderr) == (3, b"no\n")
    assert done.stdout == bytes(range(256)) * 400


def test_the_kit_starts_again_with_the_machine_and_all_is_as_it_should_be(
    virtual: lab.Lab, kit_on_it: Kit
) -> None:
    before = {machine.name: boot_id(machine) for machine in virtual.machines}
    for machine in virtual.machines:
        machine.run(["systemctl", "reboot"])
    for machine in virtual.machines:
        assert within(RESTARTS_WITHIN_S, lambda m=machine: started_anew(m, before), every_s=2.0)
    for name, profile in kit_on_it.profiles.items():
        there = [measure for measure in PLAYED if measure in for_profile(profile)]
        assert kit_on_it.drifting(name, *there) == [], name
        assert [why for why in reasons(kit_on_it, name).values() if "container" in why] == []
    again = kit_on_it.play("--tags", ",".join(PLAYED))
    assert again.count("changed") == dict.fromkeys(before, 0), again.said


def started_anew(machine: lab.Machine, before: dict[str, bytes]) -> bool:
    try:
        if boot_id(machine) in (before[machine.name], b""):
            return False
        state = machine.run(["systemctl", "is-system-running"]).stdout.strip()
    except LabError:
        time.sleep(1.0)
        return False
    return state in (b"running", b"degraded")


@pytest.mark.parametrize("measure", BY_THE_KERNEL)
def test_what_the_kernel_decides_is_judged_and_not_passed_over(
    kit_on_it: Kit, measure: str
) -> None:
    """Every check that a container skips, whichever measure it is of and whoever adds it."""
    with for_it(kit_on_it, measure):
        for name in kit_on_it.profiles:
            outcomes = kit_on_it.judge(name, measure)
            assert set(outcomes.values()) <= {"passed", "skipped"}, outcomes
            assert "passed" in outcomes.values()
            assert [w for w in reasons(kit_on_it, name).values() if "container" in w] == []


def test_it_sleeps_wakes_is_unplugged_and_breaks_like_any_other(
    virtual: lab.Lab, kit_on_it: Kit
) -> None:
    machine = virtual.machines[1]
    machine.run(["touch", "/root/before"])
    lab.sleep(virtual, machine.name, unplug=True)
    assert machine.state == "unplugged"
    assert machine.run(["true"]).returncode == 0
    assert ssh(virtual, machine.name, "true").returncode == 255
    lab.sleep(virtual, machine.name)
    assert machine.state == "off"
    with pytest.raises(LabError, match="is off"):
        machine.run(["true"])
    lab.wake(virtual, machine.name)
    assert machine.run(["ls", "/root/before"]).returncode == 0
    assert ssh(virtual, machine.name, "true").returncode == 0
    scenario.act(machine, "ssh_hardening/drift_password_for_a_supplier", [ROOT / "roles"])
    assert kit_on_it.drifting(machine.name, "ssh_hardening") != []


def test_nothing_of_it_is_left_behind(virtual: lab.Lab, spare_request: lab.Request) -> None:
    lab.down(virtual.folder)
    assert left_behind(virtual.folder, spare_request.prefix) == []
    assert not any(machine.sockets.exists() for machine in virtual.machines)
