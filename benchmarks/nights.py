"""What a ledger of 400 nights costs, and how fast `diff` and `history` answer over it.

A syndicate of 1,000 machines with 100 checks each is written night by night: a few per cent of the
checks are unsteady and change now and then, a few others change once, now and then a change befalls
half of the machines at once, one machine in twenty is away, a deployment a week mends half of what
drifts. Evidence is of the last 90 nights. What changed goes through the ledger's own code; of a
machine that is as it was, the row that this code would write is written for all of them at once, or
the writing takes five times as long. Run it with:

    python -m benchmarks.nights [--nights 400] [--hosts 1000] [--checks 100] [--runs 7]

With `--folder DIR` the workspace is written there and stays, to be measured again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from sqlalchemy import func, insert, select

from benchmarks import inventory_read
from kitsurvie import inventory, workspace
from kitsurvie.cli.commands import COMPLIANCE
from kitsurvie.ledger import Ledger, Outcome, Record, RunState, schema
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
# nobody is away for so many nights on end
LOOK_BACK = 30
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
        self.changed = set(hosts)
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
                        self._turn(host, number, "")

    def _turn(self, host: str, number: int, found: str) -> None:
        self.changed.add(host)
        good = self._good[number]
        drifts = self._now[host][number].status is Status.COMPLIANT
        self._now[host][number] = (
            Verdict(good.measure, good.check, Status.DRIFT, found, "as it was", good.commands)
            if drifts
            else good
        )

    def away(self) -> set[str]:
        """Those that do not answer tonight."""
        return {host for host in self.hosts if self._dice.random() < AWAY}

    def look(self, host: str, at: float, *, evidence: bool = True) -> Record:
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
        if night == nights - EVIDENCE_NIGHTS:
            # from here on each machine has its evidence
            syndicate.changed.update(syndicate.hosts)
        spend(ledger, syndicate, last - (nights - 1 - night) * DAY_S, night, nights)
        if night % 50 == 49:
            print(f"night {night + 1} of {nights}", file=sys.stderr, flush=True)
    ledger.give_back()
    ledger.close()


def spend(ledger: Ledger, syndicate: Syndicate, at: float, night: int, nights: int) -> None:
    """One night: the machines that are away, those that changed, and the others."""
    with mock.patch("time.time", return_value=at):
        run = ledger.start_run("compliance", "night@desk", {"limit": None}, syndicate.hosts)
        away = syndicate.away()
        evidence = night >= nights - EVIDENCE_NIGHTS
        looks = [syndicate.look(h, at, evidence=evidence) for h in syndicate.changed - away]
        looks += [
            Record(host, at, (), None, Outcome.UNREACHABLE, f"{host} cannot be reached")
            for host in away
        ]
        for start in range(0, len(looks), TOGETHER):
            ledger.record(run, looks[start : start + TOGETHER])
        same = [host for host in syndicate.hosts if host not in syndicate.changed | away]
        as_before(ledger, run, at, same)
        syndicate.changed &= away
        ledger.end_run(run, RunState.ENDED)


def as_before(ledger: Ledger, run: int, at: float, hosts: list[str]) -> None:
    """Looks at machines that are as they were: the rows `Ledger.record` would write, at once."""
    if not hosts:
        return
    looks, names = schema.observations.c, schema.hosts.c
    newest = (
        select(func.max(looks.id))
        .where(looks.coverage_id.is_not(None), looks.run_id >= run - LOOK_BACK)
        .group_by(looks.host_id)
    )
    query = (
        select(schema.observations, names.name, schema.run_hosts.c.state)
        .join(schema.hosts, names.id == looks.host_id)
        .join(
            schema.run_hosts,
            (schema.run_hosts.c.run_id == looks.run_id)
            & (schema.run_hosts.c.host_id == looks.host_id),
        )
        .where(looks.id.in_(newest.scalar_subquery()))
    )
    with ledger._write() as connection:
        wanted = set(hosts)
        known = [row for row in connection.execute(query) if row.name in wanted]
        first = ledger._turn(connection, len(known)) - len(known) + 1
        rows = [
            {
                "id": first + number, "run_id": run, "host_id": row.host_id, "at": at,
                "coverage_id": row.coverage_id, "evidence": row.evidence,
            }
            for number, row in enumerate(known)
        ]  # fmt: skip
        connection.execute(insert(schema.observations), rows)
        ledger._stand(connection, run, [(row.name, Outcome(row.state), "") for row in known])


def unchanged(place: Workspace) -> float:
    """Bytes for each host that nights in which nothing changed add to the ledger."""
    ledger = Ledger.open(place.ledger_url)
    last = ledger.runs(limit=1)[0]
    records = [
        Record(one.host, time.time(), one.verdicts, ledger.evidence(one), Outcome.DONE)
        for one in ledger.seen(last.id).values()
        if one.verdicts
    ]
    sizes = []
    for _ in range(4):
        run = ledger.start_run("plan", "night@desk", {}, [one.host for one in records])
        for start in range(0, len(records), 50):
            ledger.record(run, records[start : start + 50])
        ledger.end_run(run, RunState.ENDED)
        ledger.give_back()
        sizes.append(ledger.size())
    ledger.close()
    return (sizes[-1] - sizes[0]) / (len(sizes) - 1) / len(records)


def medians(runs: int, work: Callable[[], object]) -> tuple[float, float]:
    """Median wall-clock and CPU seconds of several runs, after one that warms the caches."""
    work()
    walls, costs = [], []
    for _ in range(runs):
        before, begun = used(), time.perf_counter()
        work()
        walls.append(time.perf_counter() - begun)
        costs.append(used() - before)
    return statistics.median(walls), statistics.median(costs)


def used() -> float:
    """CPU seconds of this process and of the commands it ran."""
    times = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in times)


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
    return report(asked, workspace.load(root), float(marker.read_text()))


def report(asked: argparse.Namespace, place: Workspace, written: float) -> int:
    """Measure the questions and print the table; the targets are of CPU time.

    On a machine that others use too, wall-clock time says how busy they are.
    """
    ledger = Ledger.open(place.ledger_url)
    size = ledger.size()
    with ledger._read() as connection:
        intervals = connection.execute(select(func.count()).select_from(schema.intervals)).scalar()
    ledger.close()
    host = min(inventory.load(place).hosts)
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
        f"written in {written:.0f} s of CPU"
    )
    print("seconds, wall and CPU                     in process          as typed")
    good = True
    for label, words in rows:
        inside = medians(asked.runs, lambda words=words: inside_of(place.root, words))
        typed = medians(max(3, asked.runs // 2), lambda words=words: typed_in(place.root, words))
        good = good and inside[1] < TARGET_S
        print(
            f"  {label:<36} {inside[0]:7.2f} {inside[1]:7.2f}   {typed[0]:7.2f} {typed[1]:7.2f}",
            flush=True,
        )
    bytes_a_host = unchanged(place)
    print(f"  an unchanged night adds {bytes_a_host:.0f} bytes of ledger a host")
    good = good and bytes_a_host < TARGET_BYTES
    target = f"under {TARGET_S:.0f} s of CPU in process, {TARGET_BYTES} bytes"
    print(f"target: {target}: {'met' if good else 'MISSED'}")
    return 0 if good else 1


def inside_of(root: Path, words: list[str]) -> None:
    """The command itself: settings, inventory, ledger and page, without Python's start."""
    with contextlib.redirect_stdout(io.StringIO()):
        COMPLIANCE([*words, "--workspace", str(root)], standalone_mode=False)


def typed_in(root: Path, words: list[str]) -> None:
    """The same as a person types it, Python's start and all imports included."""
    command = [sys.executable, "-m", "kitsurvie.cli.main", "compliance", *words]
    subprocess.run([*command, "--workspace", str(root)], stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
