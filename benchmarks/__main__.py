"""Rows 1 to 4 of the design's speed table, each beside its peer, in one run, as root.

    make bench                          everything (an hour on two cores)
    python -m benchmarks --machines 6 --kit-runs 3 --peer-runs 1 --skip-1000     a quick look

The lab's machines, the peers and kitsurvie share one machine's cores: ratios carry over, times do
not. Writes benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks.machines import fleet_up, network, prefix_for
from benchmarks.plain_ssh_floor import floor
from benchmarks.playbook import play
from kitsurvie import inventory, lab, workspace
from kitsurvie.cli import survey
from kitsurvie.enroll import known_hosts
from kitsurvie.fleet.target import Target
from kitsurvie.ledger import Ledger
from kitsurvie.observe import request

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Row:
    """One comparison: medians in seconds, and the ratio that is the target."""

    work: str
    ours: float
    peer: str
    theirs: float
    target: str
    met: bool

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


def main() -> int:
    """Measure, print, and write the table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description="Every figure beside its peer.")
    parser.add_argument("--machines", type=int, default=20)
    parser.add_argument("--kit-runs", type=int, default=5)
    parser.add_argument("--peer-runs", type=int, default=3)
    parser.add_argument("--skip-1000", action="store_true")
    asked = parser.parse_args()
    place = {"prefix": prefix_for("b"), "network": network()}
    wanted = lab.Request(machines=asked.machines, enrolled=True, **place)
    rows: list[Row] = []
    cost = None
    if not asked.skip_1000:
        many = lab.Request(machines=20, enrolled=True, addresses_per_machine=50, **place)
        with fleet_up(many) as fleet:
            cost = controller_cost(fleet, asked.kit_runs)
    with fleet_up(wanted) as fleet:
        for part in (deploying, observing):
            # written as soon as known: the peers take long
            rows += part(fleet, asked)
            text = written(asked, rows, cost)
            (ROOT / "benchmarks" / "RESULTS.md").write_text(text, encoding="utf-8")
            print(text, flush=True)
    return 0 if all(row.met for row in rows) else 1


def observing(fleet: lab.Lab, asked: argparse.Namespace) -> list[Row]:
    """Row 1: all checks on all hosts, known fleet, against plain pytest and against the floor."""
    ours = median(asked.kit_runs, lambda: kit(fleet, "compliance", "run", good={0}))
    targets, asks = requests(fleet)
    bottom = median(asked.kit_runs, lambda: floor(targets, request.COMMAND, asks))
    by_ssh = median(asked.peer_runs, lambda: plain_pytest(fleet, "ssh"))
    by_paramiko = median(asked.peer_runs, lambda: plain_pytest(fleet, "paramiko"))
    work = f"all checks on {len(fleet.machines)} hosts"
    return [
        Row(work, ours, "pytest --hosts=ssh://", by_ssh, "40 x", by_ssh / ours >= 40),
        Row(
            work, ours, "pytest --hosts=paramiko://", by_paramiko, "10 x", by_paramiko / ours >= 10
        ),
        Row(
            work, ours, "the same, parallel plain ssh", bottom, "within 1.5 x", ours <= 1.5 * bottom
        ),
    ]


def deploying(fleet: lab.Lab, asked: argparse.Namespace) -> list[Row]:
    """Rows 2 and 3: nothing to do, and one host that drifts, against the whole playbook."""
    kit(fleet, "deploy", "--yes", good={0})
    peer = median(asked.peer_runs, lambda: whole_playbook(fleet))
    idle = median(asked.kit_runs, lambda: kit(fleet, "deploy", "--yes", good={0}))

    def one_drifts() -> None:
        fleet.machines[0].run(["/bin/sh", "-c", "echo changed > /etc/motd"])
        kit(fleet, "deploy", "--yes", good={0})

    one = median(asked.kit_runs, one_drifts)
    name = "ansible-playbook kit.yml, forks 20, pipelining"
    hosts = len(fleet.machines)
    return [
        Row(f"deploy, nothing to do, {hosts} hosts", idle, name, peer, "25 x", peer / idle >= 25),
        Row(f"deploy, 1 host of {hosts} drifts", one, name, peer, "10 x", peer / one >= 10),
    ]


def controller_cost(fleet: lab.Lab, runs: int) -> tuple[int, float, float]:
    """Row 4: hosts, CPU milliseconds and megabytes of the controller for each of them.

    What a run of one host costs is taken off: it is the price of starting, not of a host.
    """
    hosts = len(fleet.machines) * 50
    first = f"{fleet.machines[0].name}-001"
    kit(fleet, "compliance", "run", good={0, 1})
    many = [used(fleet) for _ in range(max(2, runs // 2))]
    one = [used(fleet, "--limit", first) for _ in range(max(2, runs // 2))]
    cpu = statistics.median(m[0] for m in many) - statistics.median(o[0] for o in one)
    memory = statistics.median(m[1] for m in many) - statistics.median(o[1] for o in one)
    return hosts, 1000 * cpu / hosts, memory / hosts


def used(fleet: lab.Lab, *words: str) -> tuple[float, float]:
    """CPU seconds and peak megabytes of one compliance run, its connection process included."""
    command = [str(BIN / "kitsurvie"), "compliance", "run", "--workspace", str(fleet.folder)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([*command, *words], stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(resident(pid) for pid in (process.pid, *children(process.pid))))
        time.sleep(0.1)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, peak


def children(pid: int) -> list[int]:
    """The child processes of a process, none once it has ended."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def resident(pid: int) -> float:
    """Megabytes of memory a process holds now, 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def kit(fleet: lab.Lab, *words: str, good: set[int]) -> None:
    """One command of ours, as typed."""
    command = [str(BIN / "kitsurvie"), *words, "--workspace", str(fleet.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in good:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def requests(fleet: lab.Lab) -> tuple[list[Target], bytes]:
    """What the floor sends: the commands learnt for the fleet, in one request."""
    place = workspace.load(fleet.folder)
    ledger = Ledger.open(place.ledger_url)
    lists = [c for scope, c in ledger.learnt().items() if scope.startswith("class:")]
    commands = dict.fromkeys([*survey.STANDING, *max(lists, key=len)])
    asks = request.build(
        tuple(commands), command_s=survey.COMMAND_S, deadline_s=place.observe_timeout_s,
        max_answer_bytes=survey.MOST_ANSWER_BYTES,
    )  # fmt: skip
    pinned = known_hosts.read(place.known_hosts)
    hosts = inventory.load(place).hosts.values()
    targets = [
        Target(h.name, h.address, h.port, h.user, h.key_file, tuple(map(str, pinned[h.name])))
        for h in hosts
    ]
    return targets, asks


def plain_pytest(fleet: lab.Lab, backend: str) -> None:
    """The same checks by plain pytest-testinfra."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        config = Path(folder) / "ssh_config"
        pins = Path(folder) / "known_hosts"
        pins.write_text("".join(addressed(fleet)))
        blocks = [ssh_block(machine, fleet.admin_key, pins) for machine in fleet.machines]
        config.write_text("".join(blocks))
        hosts = ",".join(f"{backend}://{machine.name}" for machine in fleet.machines)
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--sudo",
            f"--hosts={hosts}", f"--ssh-config={config}",
            f"--kit-inventory={fleet.folder / 'inventory'}",
            *[str(path) for path in sorted(ROOT.glob("roles/*/checks"))],
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the peer failed: {done.stdout[-2000:]}")


def addressed(fleet: lab.Lab) -> Iterator[str]:
    """The pinned keys under today's addresses: paramiko knows no HostKeyAlias."""
    pinned = known_hosts.read(fleet.folder / "inventory" / "known_hosts")
    for machine in fleet.machines:
        yield from (f"{machine.address} {key}\n" for key in pinned[machine.name])


def ssh_block(machine: lab.Machine, key: str | Path, pins: Path) -> str:
    """One host of an ssh_config, strict about its pinned key."""
    return (
        f"Host {machine.name}\n  HostName {machine.address}\n  UserKnownHostsFile {pins}\n"
        f"  IdentityFile {key}\n  User admin1\n  StrictHostKeyChecking yes\n"
    )


def whole_playbook(fleet: lab.Lab) -> None:
    """The peer of a deployment: the whole playbook everywhere, as fast as Ansible goes."""
    done = play(fleet, "--forks", "20", pipelining=True)
    if done.returncode != 0:
        raise RuntimeError(f"the peer failed: {done.stdout[-2000:]}")


def median(runs: int, work: Callable[[], object]) -> float:
    """Median wall-clock seconds of several runs."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        result = work()
        # the floor times itself, without writing its files
        times.append(result if isinstance(result, float) else time.perf_counter() - begun)
    return statistics.median(times)


def written(
    asked: argparse.Namespace, rows: Sequence[Row], cost: tuple[int, float, float] | None
) -> str:
    """The table as Markdown, with the machine and the versions."""
    memory = resource.getpagesize() * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(
        f"{name} {metadata.version(name)}"
        for name in ("kitsurvie", "ansible-core", "pyinfra", "pytest-testinfra", "pytest")
    )
    lines = [
        "# Measured beside their peers",
        "",
        f"Written by `python -m benchmarks{_asked(asked)}`. {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}; "
        f"{versions}.",
        f"Medians of {asked.kit_runs} runs of ours and {asked.peer_runs} of the peer's; the "
        f"{asked.machines} lab machines run on the same cores. Ratios carry over, times do not.",
        "",
        "| work | ours (s) | peer | peer (s) | ratio | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.work} | {r.ours:.2f} | {r.peer} | {r.theirs:.2f} | {r.ratio:.2f} | {r.target} "
        f"| {'met' if r.met else 'missed'} |"
        for r in rows
    ]
    if cost is not None:
        hosts, cpu, megabytes = cost
        met = "met" if cpu <= 15 and megabytes <= 0.3 else "missed"
        lines += [
            "",
            f"Controller, for each of {hosts} hosts: {cpu:.1f} ms of CPU (target 15) and "
            f"{megabytes:.3f} MB (target 0.3): {met}.",
        ]
    return "\n".join(lines) + "\n"


def _asked(asked: argparse.Namespace) -> str:
    """The words of the command, so that anyone can run the same again."""
    words = (
        f" --machines {asked.machines} --kit-runs {asked.kit_runs} --peer-runs {asked.peer_runs}"
    )
    return words + (" --skip-1000" if asked.skip_1000 else "")


if __name__ == "__main__":
    sys.exit(main())
