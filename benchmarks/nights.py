"""What a ledger of 400 nights costs, and how fast `diff` and `history` answer over it.

A syndicate of 1,000 machines with 100 checks each is written night by night through the ledger's
own code: a few per cent of the checks are unsteady and change now and then, a few others change
once, now and then a change befalls half of the machines at once, one machine in twenty is away, a
deployment a week mends half of what drifts. Evidence is of the last 90 nights. Run it with:

    python -m benchmarks.nights [--nights 400] [--hosts 1000] [--checks 100] [--runs 7]

With `--folder DIR` the workspace is written there and stays, to be measured again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from benchmarks import inventory_read
from kitsurvie import inventory, workspace
from kitsurvie.cli import compliance
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict
from kitsurvie.workspace import Workspace

TARGET_S = 1.0
TOGETHER = 250
TARGET_BYTES = 200
DAY_S = 86_400.0
MEASURES = 20
# of the checks of a machine; they change one night in so many, the others one in very many
UNSTEADY = 0.03
UNSTEADY_CHANGES = 1 / 15
STEADY_CHANGES = 1 / 3000
# evidence is kept for so many nights: what a prune would take away is not written first
EVIDENCE_NIGHTS = 90
# a change that befalls a check everywhere, about once a month
BEFALLS = 1 / 30
AWAY = 0.05


class Syndicate:
    """Machines that drift as machines do; the same at every call."""

    def __init__(self, hosts: list[str], checks: int) -> None:
        self._dice = random.Random(20_26)
        self.hosts = hosts
        names = [(f"measure_{n % MEASURES:02d}", f"test_{n:03d}") for n in range(checks)]
        self._good = [
            Verdict(m, c, Status.COMPLIANT, commands=(f"show {m} {c}",)) for m, c in names
        ]
        self._now = {host: list(self._good) for host in hosts}
        pairs = [(host, number) for host in hosts for number in range(checks)]
        self._unsteady = [pair for pair in pairs if self._dice.random() < UNSTEADY]

    def pass_a_day(self, day: int) -> None:
        """What happens between two nights."""
        for host, number in self._unsteady:
            if self._dice.random() < UNSTEADY_CHANGES:
                self._turn(host, number, f"{host} since day {day}")
        for _ in range(round(len(self.hosts) * len(self._good) * STEADY_CHANGES)):
            host = self._dice.choice(self.hosts)
            self._turn(host, self._dice.randrange(len(self._good)), f"{host} since day {day}")
        if self._dice.random() < BEFALLS:
            number = self._dice.randrange(len(self._good))
            for host in self._dice.sample(self.hosts, len(self.hosts) // 2):
                self._turn(host, number, f"package of day {day}")
        if day % 7 == 2:
            # a deployment mends half of what drifts
            for host in self.hosts:
                for number, verdict in enumerate(self._now[host]):
                    if verdict.status is Status.DRIFT and self._dice.random() < 0.5:
                        self._now[host][number] = self._good[number]

    def _turn(self, host: str, number: int, found: str) -> None:
        good = self._good[number]
        drifts = self._now[host][number].status is Status.COMPLIANT
        self._now[host][number] = (
            Verdict(good.measure, good.check, Status.DRIFT, found, "as it was", good.commands)
            if drifts
            else good
        )

    def look(self, host: str, at: float, *, evidence: bool = True) -> Record:
        if self._dice.random() < AWAY:
            return Record(host, at, (), None, Outcome.UNREACHABLE, f"{host} cannot be reached")
        verdicts = tuple(self._now[host])
        answers = {v.commands[0]: Answer(0, v.found.encode(), b"") for v in verdicts}
        given = Evidence(host, answers) if evidence else None
        drifts = any(v.status is Status.DRIFT for v in verdicts)
        state = Outcome.DRIFT if drifts else Outcome.DONE
        return Record(host, at, verdicts, given, state)


def write(place: Workspace, syndicate: Syndicate, nights: int) -> None:
    """One compliance run a night, the last one this morning."""
    last = time.time() - 6 * 3600
    ledger = Ledger.open(place.ledger_url)
    for night in range(nights):
        syndicate.pass_a_day(night)
        begun = last - (nights - 1 - night) * DAY_S
        with mock.patch("time.time", lambda moment=begun: moment):
            run = ledger.start_run("compliance", "night@desk", {"limit": None}, syndicate.hosts)
            kept = night >= nights - EVIDENCE_NIGHTS
            for start in range(0, len(syndicate.hosts), TOGETHER):
                some = syndicate.hosts[start : start + TOGETHER]
                ledger.record(run, [syndicate.look(host, begun, evidence=kept) for host in some])
            ledger.end_run(run, RunState.ENDED)
        if night % 50 == 49:
            print(f"night {night + 1} of {nights}", file=sys.stderr, flush=True)
    ledger.give_back()
    ledger.close()


def unchanged(place: Workspace, syndicate: Syndicate) -> float:
    """Bytes for each host that nights in which nothing changed add to the ledger."""
    ledger = Ledger.open(place.ledger_url)
    # the first of them brings all machines to what they are today
    sizes = []
    for _ in range(4):
        run = ledger.start_run("plan", "night@desk", {"limit": None}, syndicate.hosts)
        for start in range(0, len(syndicate.hosts), TOGETHER):
            some = syndicate.hosts[start : start + TOGETHER]
            ledger.record(run, [syndicate.look(host, time.time()) for host in some])
        ledger.end_run(run, RunState.ENDED)
        ledger.give_back()
        sizes.append(ledger.size())
    ledger.close()
    return (sizes[-1] - sizes[0]) / (len(sizes) - 1) / len(syndicate.hosts)


def median(runs: int, work: Callable[[], object]) -> float:
    """Median wall-clock seconds of several runs, after one that warms the caches."""
    work()
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> int:
    """Write, measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--nights", type=int, default=400)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--checks", type=int, default=100)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.folder is not None:
        return measure(asked, asked.folder)
    with tempfile.TemporaryDirectory(prefix="kitsurvie-bench-") as name:
        return measure(asked, Path(name))


def measure(asked: argparse.Namespace, root: Path) -> int:
    """Write the nights where there are none, then ask."""
    marker = root / "written_in_cpu_s"
    if not marker.exists():
        root.mkdir(exist_ok=True)
        inventory_read.write(root, asked.hosts)
        place = workspace.load(root)
        begun = time.process_time()
        write(place, Syndicate(sorted(inventory.load(place).hosts), asked.checks), asked.nights)
        marker.write_text(str(time.process_time() - begun))
    place = workspace.load(root)
    return report(asked, place, float(marker.read_text()))


def report(
    asked: argparse.Namespace, place: Workspace, host: str, written: float, syndicate: Syndicate
) -> int:
    """Measure the questions and print the table."""
    ledger = Ledger.open(place.ledger_url)
    size = ledger.size()
    intervals = len(ledger.intervals(*Status))
    ledger.close()
    siren = inventory.load(place).hosts[host].member
    whole = ["--days", str(asked.nights)]
    rows = [
        ("diff", ["diff"]),
        ("diff over 30 days", ["diff", "--since", time.strftime(
            "%Y-%m-%d", time.localtime(time.time() - 30 * DAY_S))]),
        ("history, 30 days, every machine", ["history"]),
        ("history, all nights, one machine", ["history", "--limit", host, *whole]),
        ("history, all nights, one member", ["history", "--member", siren, *whole]),
        ("history, all nights, one measure", ["history", "--measure", "measure_07", *whole]),
        ("history, all nights, every machine", ["history", *whole]),
    ]  # fmt: skip
    print(f"{platform.machine()}, Python {platform.python_version()}; medians of {asked.runs} runs")
    print(
        f"{asked.nights} nights x {asked.hosts} hosts x {asked.checks} checks: "
        f"{size / 1e6:.1f} MB, {intervals} verdict intervals, evidence of 90 nights; "
        f"written in {written:.0f} s ({1000 * written / asked.nights / asked.hosts:.2f} ms a look)"
    )
    print(f"  {'':<36} {'in process':>11} {'as typed':>9}")
    good = True
    for label, words in rows:
        inside = median(asked.runs, lambda words=words: inside_of(place.root, words))
        typed = median(max(3, asked.runs // 2), lambda words=words: typed_in(place.root, words))
        good = good and inside < TARGET_S
        print(f"  {label:<36} {inside:9.3f} s {typed:7.2f} s", flush=True)
    bytes_a_host = unchanged(place, syndicate)
    print(f"  an unchanged night adds {bytes_a_host:.0f} bytes of ledger a host")
    good = good and bytes_a_host < TARGET_BYTES
    target = f"under {TARGET_S:.0f} s in process, {TARGET_BYTES} bytes"
    print(f"target: {target}: {'met' if good else 'MISSED'}")
    return 0 if good else 1


def inside_of(root: Path, words: list[str]) -> None:
    """The command itself: settings, inventory, ledger and page, without Python's start."""
    with contextlib.redirect_stdout(io.StringIO()):
        compliance.app([*words, "--workspace", str(root)], standalone_mode=False)


def typed_in(root: Path, words: list[str]) -> None:
    """The same as a person types it, Python's start and all imports included."""
    command = [sys.executable, "-m", "kitsurvie.cli.main", "compliance", *words]
    subprocess.run([*command, "--workspace", str(root)], stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
