"""What each measure costs a machine, measured on a lab machine that carries that measure alone.

    make footprint                                      every measure, written into measure.yml
    python -m benchmarks.footprint --measure firewall   one of them, only printed

As root. Per measure, on a machine made new: what it adds on disk (packages and files, without
caches and logs), the resident memory of the processes it leaves running, and over a day the CPU
time and the network traffic: what its services use while nothing happens, plus what each of its
timers' services uses in one run times its runs in a day. Ends in 1 when a budget is exceeded.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import handing_in
from benchmarks.machines import fleet_up, network, prefix_for
from benchmarks.playbook import play
from kitsurvie import kit, lab
from kitsurvie.lab.network import veth
from kitsurvie.model import Measure, Profile

ROOT = Path(__file__).resolve().parents[1]
DAY_S = 86400.0
# what comes and goes by itself, or is counted as network
NOT_COUNTED = (
    "/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/cache", "/var/log",
    "/var/lib/apt/lists", "/root/.ansible", "/home",
)  # fmt: skip
# every service and every timer that is active, by name
UNITS = (
    "systemctl list-units --plain --no-legend --state=active --type=service,timer | cut -d' ' -f1"
)
PROPERTIES = "CPUUsageNSec,ControlGroup,OnSuccess,Triggers,TimersCalendar,TimersMonotonic"


@dataclass(frozen=True)
class Footprint:
    """What one measure adds to a machine, in the units of `measure.yml`."""

    disk_mb: float
    memory_mb: float
    cpu_s_per_day: float
    network_kb_per_day: float

    def figures(self) -> dict[str, float]:
        """By name, rounded up: a small cost is not none."""
        return {
            "disk_mb": _up(self.disk_mb, 2),
            "memory_mb": _up(self.memory_mb, 1),
            "cpu_s_per_day": _up(self.cpu_s_per_day, 1),
            "network_kb_per_day": _up(self.network_kb_per_day, 0),
        }


def main() -> int:
    """Measure, print, write; 1 when a measure costs more than its budget."""
    parser = argparse.ArgumentParser(description="What each measure costs a machine.")
    parser.add_argument("--measure", action="append", default=[])
    parser.add_argument("--write", action="store_true", help="Write the figures into measure.yml.")
    parser.add_argument("--release", default="trixie", choices=["bookworm", "trixie"])
    parser.add_argument("--watch-s", type=float, default=60.0, help="Seconds of idling watched.")
    asked = parser.parse_args()
    measures = kit.load([ROOT / "roles"])
    unknown = sorted(set(asked.measure) - set(measures))
    if unknown:
        parser.error(f"there is no measure {', '.join(unknown)}")
    # the last machine is what PCs hand in to, where that is measured
    hands_in = not asked.measure or handing_in.MEASURE in asked.measure
    wanted = lab.Request(
        machines=3 if hands_in else 1,
        prefix=prefix_for("f"),
        network=network(),
        releases=(asked.release,),
        enrolled=True,
    )
    over = 0
    with fleet_up(wanted) as fleet:
        for measure in measures.values():
            if asked.measure and measure.id not in asked.measure:
                continue
            found = measured(fleet, measure, asked.watch_s).figures()
            beyond = [name for name, most in measure.budget.items() if found[name] > most]
            over += bool(beyond)
            said = ", ".join(f"{name} {figure:g}" for name, figure in found.items())
            print(f"{measure.id}: {said}", flush=True)
            for name in beyond:
                most = measure.budget[name]
                print(f"  over its budget: {name} {found[name]:g}, at most {most:g}", flush=True)
            if asked.write:
                write(measure, found)
    return 1 if over else 0


def measured(fleet: lab.Lab, measure: Measure, watch_s: float) -> Footprint:
    """The footprint of one measure, alone on the machine. Raises RuntimeError when it fails."""
    machine = machine_for(fleet, measure)
    lab.renew(fleet, machine.name)
    # who hears of updates for the first time fetches lists that are no cost of a later measure
    sh(machine, "apt-get -qq update >/dev/null 2>&1 || true; sync")
    profile = next(p for p in Profile if p in measure.profiles)
    disk, units = used(machine), set(sh(machine, UNITS).split())
    quiet = idle_traffic(machine, watch_s)
    if measure.id == handing_in.MEASURE:
        handing_in.deploy(fleet, machine, fleet.machines[-1])
    else:
        apply(fleet, measure, profile)
    added_disk = used(machine) - disk
    new = sorted(set(sh(machine, UNITS).split()) - units | named(measure, machine))
    processes = {unit: pids(machine, unit) for unit in new if unit.endswith(".service")}
    alive = [unit for unit, running in processes.items() if running]
    timers = [unit for unit in new if unit.endswith(".timer")]
    cpu, network = idling(machine, alive, watch_s, quiet)
    inside = [pid for unit in alive for pid in processes[unit]]
    if not on_the_network(machine, inside):
        # a stray packet of the bridge in a minute of watching would be half a megabyte a day
        network = 0.0
    memory = pss(machine, inside)
    for timer in timers:
        each_cpu, each_network = one_run(machine, timer)
        runs = runs_per_day(machine, timer)
        cpu, network = cpu + runs * each_cpu, network + runs * each_network
    return Footprint(max(added_disk, 0.0) / 1024, memory / 1024, cpu, network / 1000)


def machine_for(fleet: lab.Lab, measure: Measure) -> lab.Machine:
    """The first machine, or the first PC for what only PCs hand in."""
    if measure.id != handing_in.MEASURE:
        return fleet.machines[0]
    return next(one for one in fleet.machines[:-1] if one.profile != Profile.SERVER.value)


def apply(fleet: lab.Lab, measure: Measure, profile: Profile) -> None:
    """Apply a measure by Ansible alone, as if the machine had that profile."""
    # the lab's workspace sets the heavy ones aside
    said = {"kit__profile": profile.value, f"{measure.id}__mode": "enforce"}
    done = play(fleet, "--tags", measure.id, "-e", json.dumps(said))
    if done.returncode:
        raise RuntimeError(f"{measure.id} could not be applied:\n{done.stdout[-3000:]}")


def sh(machine: lab.Machine, command: str) -> str:
    """What a command of ours says inside the machine."""
    done = machine.run(["/bin/sh", "-c", command], timeout_s=1800)
    return done.stdout.decode("utf-8", "replace")


def used(machine: lab.Machine) -> float:
    """KiB on disk, without what comes and goes."""
    left = " ".join(f"--exclude={path}" for path in NOT_COUNTED)
    return float(sh(machine, f"du -skx {left} / 2>/dev/null").split()[0])


def pids(machine: lab.Machine, service: str) -> list[str]:
    """The processes of a service, as the machine numbers them."""
    group = show(machine, service).get("ControlGroup", "")
    return sh(machine, f"cat /sys/fs/cgroup{group}/cgroup.procs").split() if group else []


def pss(machine: lab.Machine, processes: Iterable[str]) -> float:
    """KiB of resident memory of these processes; what is shared is divided among the sharers."""
    files = " ".join(f"/proc/{pid}/smaps_rollup" for pid in processes)
    if not files:
        return 0.0
    total = "awk '/^Pss:/ {kb += $2} END {print kb + 0}'"
    return float(sh(machine, f"cat {files} 2>/dev/null | {total}"))


def on_the_network(machine: lab.Machine, processes: Iterable[str]) -> bool:
    """Whether one of these processes holds a socket of the Internet's kinds."""
    held = sh(machine, "ss -H -tuwnap")
    return any(f"pid={pid}," in held for pid in processes)


def named(measure: Measure, machine: lab.Machine) -> set[str]:
    """Timers that the role speaks of and that are active: it may have found them there."""
    text = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for folder in ("tasks", "templates", "files", "defaults")
        for path in (measure.path / folder).rglob("*")
        if path.is_file()
    )
    wanted = set(re.findall(r"[\w@.-]+\.timer\b", text))
    return wanted & set(sh(machine, UNITS).split())


def idling(
    machine: lab.Machine, services: list[str], watch_s: float, quiet: float
) -> tuple[float, float]:
    """CPU seconds and bytes per day of services while nothing is asked of them.

    `quiet` is what went through the interface in that time before the measure was there.
    """
    if not services:
        return 0.0, 0.0
    before = cpu_of(machine, services)
    came = idle_traffic(machine, watch_s)
    spent = cpu_of(machine, services) - before
    return spent / watch_s * DAY_S, max(came - quiet, 0.0) / watch_s * DAY_S


def idle_traffic(machine: lab.Machine, watch_s: float) -> float:
    """Bytes through the interface while nobody works on the machine."""
    time.sleep(5)
    before = traffic(machine)
    time.sleep(watch_s)
    return traffic(machine) - before


def cpu_of(machine: lab.Machine, services: Iterable[str]) -> float:
    """CPU seconds that these services have used, by systemd's own accounting."""
    return sum(
        int(show(machine, unit)["CPUUsageNSec"]) / 1e9
        for unit in services
        if show(machine, unit).get("CPUUsageNSec", "").isdigit()
    )


def show(machine: lab.Machine, unit: str) -> Mapping[str, str]:
    """A unit's properties, by name."""
    lines = sh(machine, f"systemctl show -p {PROPERTIES} {unit}").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def traffic(machine: lab.Machine) -> int:
    """Bytes that went through the machine's network interface, both ways."""
    base = Path(f"/sys/class/net/{veth(machine.name)}/statistics")
    return sum(int((base / name).read_text()) for name in ("rx_bytes", "tx_bytes"))


def one_run(machine: lab.Machine, timer: str) -> tuple[float, int]:
    """CPU seconds and bytes of one run of what a timer starts, and of what that starts in turn."""
    cpu, sent = 0.0, traffic(machine)
    for unit in show(machine, timer).get("Triggers", "").split():
        cpu += _run_of(machine, unit)
        for after in show(machine, unit).get("OnSuccess", "").split():
            # it is under way already: this waits for its end
            cpu += _run_of(machine, after)
    return cpu, traffic(machine) - sent


def _run_of(machine: lab.Machine, unit: str) -> float:
    # the accounting of a unit that has ended begins anew with its next run
    running = show(machine, unit).get("ControlGroup", "")
    before = cpu_of(machine, [unit]) if running else 0.0
    sh(machine, f"systemctl start {unit} 2>/dev/null || true")
    after = cpu_of(machine, [unit])
    return after - before if after >= before else after


def runs_per_day(machine: lab.Machine, timer: str) -> float:
    """How often a timer elapses in a day, from its own words."""
    said = show(machine, timer)
    runs = 0.0
    for expression in re.findall(r"OnCalendar=([^;]+);", said.get("TimersCalendar", "")):
        told = sh(machine, f"systemd-analyze calendar --iterations=2 '{expression.strip()}'")
        runs += _per_day(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?= UTC)", told))
    spans = re.findall(r"OnUnit(?:Active|Inactive)USec=([^;]+);", said.get("TimersMonotonic", ""))
    for span in spans:
        told = sh(machine, f"systemd-analyze timespan '{span.strip()}'")
        microseconds = re.search(r"[uμ]s: (\d+)", told)
        runs += DAY_S * 1e6 / int(microseconds[1]) if microseconds else 0.0
    return runs


def _per_day(times: list[str]) -> float:
    known = [time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S")) for text in sorted(set(times))]
    return DAY_S / (known[1] - known[0]) if len(known) > 1 else 0.0


def write(measure: Measure, figures: Mapping[str, float]) -> None:
    """Put the figures in the place of those that stand in `measure.yml`."""
    file = measure.path / "measure.yml"
    said = ", ".join(f"{name}: {figure:g}" for name, figure in figures.items())
    text = file.read_text(encoding="utf-8")
    fresh, found = re.subn(r"^footprint: \{.*\}$", f"footprint: {{{said}}}", text, flags=re.M)
    if found != 1:
        raise RuntimeError(f"{file} has no line `footprint: {{...}}`")
    file.write_text(fresh, encoding="utf-8")


def _up(figure: float, digits: int) -> float:
    return math.ceil(figure * 10**digits - 1e-9) / 10**digits


if __name__ == "__main__":
    sys.exit(main())
