"""What a container cannot prove, on a machine with a kernel and a boot loader of its own.

Slow: without a processor that helps (KVM), qemu plays one, ten times slower. The tests go on from
one another: a server and a laptop, one of each release, are brought up, get the kit, drift, and are
restarted. A container beside them tells them the time, as a server of the syndicate would.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

import pytest
import yaml
from tests.lab.test_lab import left_behind, ssh, within

from kitsurvie import lab
from kitsurvie.errors import LabError
from kitsurvie.lab import scenario
from kitsurvie.lab.roster import Kind

from .conftest import CONNECTS_WITHIN_S, LEFT_OUT, ROOT, VARIABLES, Kit, Played, for_profile

pytestmark = pytest.mark.slow
T = TypeVar("T")
RESTARTS_WITHIN_S = 1800
# measures some checks of which know that a container has not the kernel for them
BY_THE_KERNEL = sorted(
    file.parent.parent.name
    for file in ROOT.glob("roles/*/checks/test_*.py")
    if "systemd-detect-virt --container" in file.read_text(encoding="utf-8")
    and file.parent.parent.name not in LEFT_OUT
)
# besides those, what a restart may undo, or what could take from a virtual machine what it needs;
# the rest of the kit knows no kernel, and qemu is slow
AT_A_START = (
    "firewall",
    "journal",
    "power_saving",
    "server_power",
    "services_minimal",
    "ssh_hardening",
    "unused_software",
)
PLAYED = sorted({*BY_THE_KERNEL, *AT_A_START})
# what a virtual machine leaves to its host as a container does: no emulator has such a processor
LEFT_TO_THE_HOST = ("test_no_processor_is_kept_at_full_speed",)

# Done by hand in what only the kernel knows: no file says it, and a container would not be let.
DRIFT = """
set -e
for one in kernel/kptr_restrict kernel/dmesg_restrict kernel/yama/ptrace_scope; do
    echo 0 >/proc/sys/$one
done
echo 2 >/proc/sys/fs/suid_dumpable
aa-teardown
systemctl stop systemd-timesyncd
date --set '10 minutes' >/dev/null
"""
DRIFTS = {
    "apparmor/test_the_kernel_holds_programs_to_their_profiles",
    "kernel_hardening/test_a_program_does_not_spy_on_its_neighbours",
    "kernel_hardening/test_links_and_shared_folders_are_no_traps",
    # the options of GRUB are not those of a start that was before them
    "kernel_hardening/test_the_memory_is_protected",
    "kernel_hardening/test_the_kernel_keeps_its_secrets",
    "time_sync/test_the_clock_is_right",
    "time_sync/test_the_clock_listens_to_them_now",
}
IN_CLEAR = [
    "disk_encryption/test_personal_folders_are_encrypted",
    "disk_encryption/test_the_system_is_encrypted",
]
# a server as good as those that a provider has, which sets no clock: a container has none
TIME_SERVER = """
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qqy --no-install-recommends install chrony >/dev/null &&
{ systemctl disable --now --quiet chrony || true; } &&
systemd-run --quiet --unit=time-server /usr/sbin/chronyd -d -x 'local stratum 8' 'allow all'
"""
IDLE_MINUTES = 5


@pytest.fixture(scope="module")
def virtual(
    spare_request: lab.Request, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[lab.Lab]:
    """A virtual machine of each release, and a container that tells the time, all enrolled."""
    folder = tmp_path_factory.mktemp("virtual") / "lab"
    request = replace(spare_request, machines=1, vms=spare_request.releases, enrolled=True)
    try:
        fleet = lab.up(folder, request)
        made = fleet.machines[0].run(["/bin/sh", "-s"], TIME_SERVER.encode())
        assert made.returncode == 0, made.stderr
        yield fleet
    finally:
        lab.down(folder)


@pytest.fixture(scope="module")
def machines(virtual: lab.Lab) -> tuple[lab.Machine, ...]:
    """The virtual ones: what is to be a server, then what is to be a laptop."""
    return tuple(machine for machine in virtual.machines if machine.kind is Kind.VM)


@pytest.fixture(scope="module")
def kit_on_it(
    virtual: lab.Lab, machines: tuple[lab.Machine, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kit]:
    """The measures that a kernel or a restart may undo, on the virtual machines."""
    kit = Kit(replace(virtual, machines=machines), tmp_path_factory.mktemp("kit"))
    declare(kit)
    with ExitStack() as stack:
        for machine, profile in zip(machines, ("server", "laptop"), strict=True):
            stack.enter_context(kit.used_as(machine.name, profile))
        played = play(kit)
        assert played.status == 0, played.said[-3000:]
        yield kit


def declare(kit: Kit, **more: object) -> None:
    """The variables of the lab: patience for a slow processor, and what a lab machine has not."""
    path = kit.fleet.folder / "inventory" / "group_vars" / "all" / "measures.yml"
    clock = next(x for x in lab.load(kit.fleet.folder).machines if x.kind is Kind.CONTAINER)
    said = {
        **VARIABLES,
        "ansible_timeout": CONNECTS_WITHIN_S,
        "kit__guard_delay_s": 1200,
        "kit__reboot": "auto",
        "kit__reboot_timeout_s": RESTARTS_WITHIN_S,
        "time_sync__servers": [clock.address],
        # a laptop that nobody uses sleeps, which is not to come in the middle of another proof
        "power_saving__suspend_after_min": 600,
        "disk_encryption__accepted": [{"mount": "/", "reason": "thrown away with its lab"}],
        **more,
    }
    path.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")


def play(kit: Kit, *measures: str) -> Played:
    return kit.play("--limit", ",".join(kit.profiles), "--tags", ",".join(measures or PLAYED))


def at_once(kit: Kit, act: Callable[[str], T]) -> dict[str, T]:
    """Something done to each machine, to all at a time: they do not wait for one another."""
    with ThreadPoolExecutor() as workers:
        return dict(zip(kit.profiles, workers.map(act, kit.profiles), strict=True))


def there(kit: Kit, name: str) -> list[str]:
    return [measure for measure in PLAYED if measure in for_profile(kit.profiles[name])]


def passed_over(kit: Kit, name: str) -> dict[str, str]:
    """Why what a container is to be blamed for was not judged when a machine last was."""
    cases = ElementTree.parse(kit.scratch / f"{name}.xml").getroot().iter("testcase")
    skipped = ((case.get("name", ""), case.find("skipped")) for case in cases)
    reasons = {
        check.partition("[")[0]: s.get("message", "") for check, s in skipped if s is not None
    }
    return {
        check: why
        for check, why in reasons.items()
        if "container" in why and check not in LEFT_TO_THE_HOST
    }


def boot_id(machine: lab.Machine) -> bytes:
    return machine.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout


def words(machine: lab.Machine, script: str) -> set[str]:
    done = machine.run(["/bin/sh", "-c", script])
    assert done.returncode == 0, done.stderr
    return set(done.stdout.decode().split())


def is_on_time(machine: lab.Machine) -> bool:
    """Its clock says what ours does, and the kernel knows that somebody set it."""
    synchronised = ["timedatectl", "show", "-p", "NTPSynchronized", "--value"]
    if machine.run(synchronised).stdout != b"yes\n":
        return False
    before = time.time()
    said = float(machine.run(["date", "+%s.%N"]).stdout)
    return before - 2 < said < time.time() + 2


def nobody_is_there(machine: lab.Machine) -> bool:
    return machine.run(["loginctl", "--no-legend", "list-sessions"]).stdout == b""


def hardware(machine: lab.Machine, command: str) -> dict[str, object]:
    """Ask qemu, not the machine, which may be asleep."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(str(machine.sockets / "qmp"))
        with line.makefile("rwb", buffering=0) as qemu:
            qemu.readline()
            for word in ("qmp_capabilities", command):
                qemu.write(json.dumps({"execute": word}).encode() + b"\n")
                answer: dict[str, object] = {}
                while "return" not in answer:
                    answer = json.loads(qemu.readline())
                    assert "error" not in answer, answer
            said = answer["return"]
            assert isinstance(said, dict)
            return said


def is_asleep(machine: lab.Machine) -> bool:
    return hardware(machine, "query-status")["status"] == "suspended"


def test_each_has_a_kernel_of_its_own_and_is_entered_as_any_other(
    virtual: lab.Lab, machines: tuple[lab.Machine, ...]
) -> None:
    ours = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    assert [machine.release for machine in machines] == ["bookworm", "trixie"]
    for machine in machines:
        assert (machine.kind, machine.state) == (Kind.VM, "running")
        assert boot_id(machine) not in (ours, b"")
        said = machine.run(["sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"]).stdout
        assert said.decode().strip() == machine.release
        assert machine.run(["systemd-detect-virt", "--container"]).stdout == b"none\n"
        assert machine.run(["systemctl", "--failed", "--no-legend", "--plain"]).stdout == b""
        done = ssh(virtual, machine.name, "sudo -n id -u; hostname", patience_s=CONNECTS_WITHIN_S)
        assert (done.stdout, done.returncode) == (f"0\n{machine.name}\n", 0), done.stderr


def test_a_command_gets_its_input_and_gives_its_status_and_both_streams(
    machines: tuple[lab.Machine, ...],
) -> None:
    done = machines[0].run(["sh", "-c", "cat; echo no >&2; exit 3"], bytes(range(256)) * 400)
    assert (done.returncode, done.stderr) == (3, b"no\n")
    assert done.stdout == bytes(range(256)) * 400


def test_what_a_container_passes_over_is_judged_here_on_both_releases() -> None:
    """A measure that one of the two has not is to have a test of its own, as this one has below."""
    for_both = set(for_profile("server")) & set(for_profile("laptop"))
    assert set(BY_THE_KERNEL) - for_both == {"disk_encryption"}


def test_the_clock_is_set_by_the_chosen_server(kit_on_it: Kit) -> None:
    for machine in kit_on_it.fleet.machines:
        assert within(900, lambda m=machine: is_on_time(m), every_s=2.0), machine.name


def test_what_only_the_kernel_knows_is_seen_to_drift(kit_on_it: Kit) -> None:
    by_the_kernel = [measure for measure in BY_THE_KERNEL if measure != "disk_encryption"]
    for machine in kit_on_it.fleet.machines:
        broken = machine.run(["/bin/sh", "-s"], DRIFT.encode())
        assert broken.returncode == 0, broken.stderr
        assert not is_on_time(machine)
    seen = at_once(kit_on_it, lambda name: kit_on_it.drifting(name, *by_the_kernel))
    assert {name: set(drifts) for name, drifts in seen.items()} == dict.fromkeys(seen, DRIFTS)
    for machine in kit_on_it.fleet.machines:
        machine.run(["systemctl", "start", "systemd-timesyncd"])
    for machine in kit_on_it.fleet.machines:
        assert within(900, lambda m=machine: is_on_time(m), every_s=2.0), machine.name


def test_the_restart_that_measures_ask_for_brings_all_as_it_should_be(kit_on_it: Kit) -> None:
    """By the kit's own playbook, as `kit__reboot: auto` has it."""
    server, laptop = kit_on_it.fleet.machines
    wanted = "cd /run/kitsurvie/reboot-wanted && ls"
    assert words(server, wanted) == {"kernel_hardening"}
    assert words(laptop, wanted) == {"kernel_hardening", "power_saving"}
    before = {machine.name: boot_id(machine) for machine in (server, laptop)}
    for machine in (server, laptop):
        # the line that Ansible keeps for its next play is one of somebody who is logged in
        assert within(300, lambda m=machine: nobody_is_there(m), every_s=5.0), machine.name
    restarted = kit_on_it.play_reboot("--limit", ",".join(before))
    assert restarted.count("changed") == dict.fromkeys(before, 1), restarted.said[-3000:]
    for machine in (server, laptop):
        assert boot_id(machine) not in (before[machine.name], b"")
        assert words(machine, "ls -A /run/kitsurvie/reboot-wanted 2>/dev/null; true") == set()
        assert words(machine, "systemctl --failed --no-legend --plain") == set()
        assert within(900, lambda m=machine: is_on_time(m), every_s=2.0), machine.name
    seen = at_once(kit_on_it, lambda name: kit_on_it.drifting(name, *there(kit_on_it, name)))
    assert seen == {name: [] for name in before}
    assert {name: passed_over(kit_on_it, name) for name in before} == {n: {} for n in before}
    again = play(kit_on_it)
    assert again.count("changed") == dict.fromkeys(before, 0), again.said


def test_a_disk_in_clear_is_told_unless_it_is_accepted(kit_on_it: Kit) -> None:
    def seen(name: str) -> list[str]:
        return kit_on_it.drifting(name, "disk_encryption")

    assert at_once(kit_on_it, seen) == {name: [] for name in kit_on_it.profiles}
    declare(kit_on_it, disk_encryption__accepted=[])
    try:
        assert at_once(kit_on_it, seen) == dict.fromkeys(kit_on_it.profiles, IN_CLEAR)
    finally:
        declare(kit_on_it)
    assert [passed_over(kit_on_it, name) for name in kit_on_it.profiles] == [{}, {}]


def test_one_sleeps_wakes_is_unplugged_and_breaks_like_any_other(
    virtual: lab.Lab, kit_on_it: Kit
) -> None:
    machine = kit_on_it.fleet.machines[1]
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
    assert ssh(virtual, machine.name, "true", patience_s=CONNECTS_WITHIN_S).returncode == 0
    scenario.act(machine, "ssh_hardening/drift_password_for_a_supplier", [ROOT / "roles"])
    assert kit_on_it.drifting(machine.name, "ssh_hardening") != []


def test_a_server_refuses_to_sleep(kit_on_it: Kit) -> None:
    server = kit_on_it.fleet.machines[0]
    assert "mem" in words(server, "cat /sys/power/state"), "its kernel could"
    assert server.run(["systemctl", "suspend"]).returncode != 0
    assert not within(20, lambda: is_asleep(server), every_s=2.0)


def test_a_laptop_that_nobody_uses_goes_to_sleep_and_can_be_woken(
    virtual: lab.Lab, kit_on_it: Kit
) -> None:
    laptop = kit_on_it.fleet.machines[1]
    declare(kit_on_it, power_saving__suspend_after_min=IDLE_MINUTES)
    assert play(kit_on_it, "power_saving").status == 0
    assert not is_asleep(laptop)
    # as a start of the machine would
    laptop.run(["systemctl", "restart", "systemd-logind"])
    assert within(IDLE_MINUTES * 60 + 900, lambda: is_asleep(laptop), every_s=5.0)
    assert ssh(virtual, laptop.name, "true").returncode == 255
    hardware(laptop, "system_wakeup")
    assert within(300, lambda: not is_asleep(laptop))
    assert within(
        300,
        lambda: ssh(virtual, laptop.name, "true", patience_s=CONNECTS_WITHIN_S).returncode == 0,
    )


def test_nothing_of_them_is_left_behind(
    virtual: lab.Lab, machines: tuple[lab.Machine, ...], spare_request: lab.Request
) -> None:
    lab.down(virtual.folder)
    assert left_behind(virtual.folder, spare_request.prefix) == []
    assert not any(machine.sockets.exists() for machine in machines)
