"""What a scrape of `kitsurvie exporter` costs over a large register and a long ledger.

A register of 50,000 machines (the records of `benchmarks.estate`, 1.7 for each) at 500 members in
30 EPCIs, one machine in ten a second one, with days of use of all of them; and a ledger of 400
nights of 1,000 machines with 100 checks each (`benchmarks.nights`). The exporter runs as it is
typed; it is scraped as Prometheus does. Run it with:

    python -m benchmarks.exporting [--machines 50000] [--days 20] [--nights 400] [--hosts 1000]

With `--folder DIR` the workspace is written there and stays, to be measured again. Ends in 1 when
a scrape takes more than 0.3 s, when there are 5,000 series or more, or when the exporter holds
200 MB; what its reader needs meanwhile is printed beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from benchmarks import estate, nights
from kitsurvie import inventory, workspace
from kitsurvie.assets import packing
from kitsurvie.assets.record import Record
from kitsurvie.cli.assets import estate as estates
from kitsurvie.ledger import Ledger, RunState
from kitsurvie.ledger.importing import Day, Entry, Importing
from kitsurvie.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
MEMBERS, EPCIS = 500, 30
DOUBLE = 0.1
TARGET_S, TARGET_SERIES, TARGET_MB = 0.3, 5000, 200
SCRAPES = 30
READY_S = 900


def main() -> int:
    """Write what is not there, measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--machines", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=20, help="days of use of each, of 90")
    parser.add_argument("--nights", type=int, default=400)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--checks", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.folder is not None:
        asked.folder.mkdir(parents=True, exist_ok=True)
        return measure(asked, asked.folder)
    with tempfile.TemporaryDirectory(prefix="kitsurvie-bench-") as name:
        return measure(asked, Path(name))


# -- what is exported -----------------------------------------------------------------------------


def siren(number: int) -> str:
    """A made-up SIREN, its Luhn key included."""
    head = f"7{number:07d}"
    total = 0
    for place, digit in enumerate(reversed(head)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return f"{head}{-total % 10}"


def write(asked: argparse.Namespace, root: Path) -> None:
    """The workspace, its nights and its register."""
    folder = root / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    (root / "kitsurvie.toml").write_text("", "utf-8")
    everybody = 'consultations:\n  - {all: true, body: a committee, on: "2026-03-12"}\n'
    (folder / "consultations.yml").write_text(everybody, "utf-8")
    profiles = ["server", "desktop", "desktop", "desktop", "laptop"]
    text = "---\nall:\n  children:\n"
    for number in range(EPCIS):
        epci = siren(9000 + number)
        told = {"siren": epci, "name": f"Communauté {number}"}
        _vars(folder / f"group_vars/epci_{epci}.yml", {"kit__epci": told})
        text += f"    epci_{epci}:\n      children:\n"
        for member in range(number, MEMBERS, EPCIS):
            own = siren(member)
            told = {"siren": own, "name": f"Commune {member}", "kind": "commune", "insee": "50502"}
            _vars(folder / f"group_vars/member_{own}.yml", {"kit__member": told})
            hosts = "\n".join(
                f"            c{n:05d}: {{ansible_host: 198.18.{n // 250}.{n % 250}, "
                f"kit__profile: {profiles[n % 5]}}}"
                for n in range(member, asked.hosts, MEMBERS)
            )
            text += f"        member_{own}:\n          hosts:\n{hosts or '            {}'}\n"
    (folder / "hosts.yml").write_text(text, "utf-8")
    place = workspace.load(root)
    known = sorted(inventory.load(place).hosts)
    nights.write(place, nights.Syndicate(known, asked.checks), asked.nights)
    _register(asked, place)


def _vars(path: Path, values: dict[str, object]) -> None:
    path.write_text(f"---\n{json.dumps(values, ensure_ascii=False)}\n", "utf-8")


def _register(asked: argparse.Namespace, place: Workspace) -> None:
    ledger = Ledger.open(place.ledger_url)
    made = estate.make(1, asked.machines)
    dice = random.Random(20_26)
    members = [siren(n) for n in range(MEMBERS)]
    weights = [1 / (rank + 20) for rank in range(MEMBERS)]
    home: dict[str, str] = {}
    people: dict[str, list[str]] = {one: [] for one in members}

    def moved(one: Record) -> Record:
        old = one.member or ""
        member = home.setdefault(old, dice.choices(members, weights)[0])
        user = one.user
        if user and one.kind.value in {"laptop", "desktop"}:
            there = people[member]
            # a second machine of somebody who has one
            user = there[-1] if there and dice.random() < DOUBLE else user
            there.append(user)
        return replace(one, member=member, user=user)

    records = [moved(one) for one in made.records]
    yesterday = date.today() - timedelta(days=1)

    def days() -> Iterator[Day]:
        for one in records:
            if one.user and one.serial and one.member:
                for back in dice.sample(range(90), asked.days):
                    day = (yesterday - timedelta(days=back)).isoformat()
                    yield Day(day, one.member, "", one.name, one.serial, one.user)

    def give(importing: Importing) -> None:
        for one in records:
            kept = packing.named(one)
            packed = packing.pack(kept)
            importing.entry(Entry("record", kept.source.value, kept.register, kept.key, packed))
        for one in dict.fromkeys(days()):
            importing.day(one)

    ledger.register.take("bench@desk", ["made-up"], give)
    estates.settle(estates.load(ledger.register, place))
    ledger.close()


# -- what it costs --------------------------------------------------------------------------------


class Exporter:
    """The exporter as it is typed, on a free port; its memory and that of its reader, watched."""

    def __init__(self, root: Path, cache_s: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        paths = os.pathsep.join((str(ROOT), str(ROOT / "src")))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kitsurvie.cli.main", "exporter", "--workspace", str(root),
             "--listen", f"127.0.0.1:{self.port}", "--cache", str(cache_s)],
            stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        self.reader_mb = 0.0
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def _look(self) -> None:
        while self.process.poll() is None:
            for child in children_of(self.process.pid):
                self.reader_mb = max(self.reader_mb, memory_of(child, "VmHWM"))
            time.sleep(0.1)

    @property
    def peak_mb(self) -> float:
        return memory_of(self.process.pid, "VmHWM")

    def scrape(self) -> tuple[float, str]:
        """Seconds and text."""
        begun = time.perf_counter()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"Accept": "text/plain"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return time.perf_counter() - begun, content.decode()

    def wait(self, wanted: str, since: float = 0.0) -> float:
        """Seconds until a scrape has a part that is up and read after a moment."""
        begun = time.perf_counter()
        while time.perf_counter() - begun < READY_S:
            try:
                text = self.scrape()[1]
            except OSError:
                text = ""
            if wanted in text and number(text, "read_timestamp_seconds") > since:
                return time.perf_counter() - begun
            time.sleep(0.2)
        raise SystemExit(f"It never had {wanted}.")

    def cpu_s(self) -> float:
        """Seconds of processor of the exporter alone, its readers aside."""
        fields = (
            Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        )
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def children_of(pid: int) -> list[int]:
    """The processes that a process, by any thread of it, has started."""
    found = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, listed.read_text("ascii").split())
    return found


def memory_of(pid: int, field: str) -> float:
    """Megabytes of a process; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace")
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith(f"{field}:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def number(text: str, name: str) -> float:
    """The value of a metric of the exporter itself; 0 where it is not there."""
    for line in text.splitlines():
        if line.startswith(f"kitsurvie_exporter_{name} "):
            return float(line.split()[1])
    return 0.0


def measure(asked: argparse.Namespace, root: Path) -> int:
    """Write the workspace where there is none, then serve and scrape it."""
    marker = root / "written"
    if not marker.exists():
        write(asked, root)
        marker.write_text(f"{asked.machines} {asked.hosts} {asked.nights} {asked.days}")
    machines, hosts, counted, days = marker.read_text().split()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
          f"register of {machines} machines, {days} days of use each, at {MEMBERS} members in "
          f"{EPCIS} EPCI; {counted} nights of {hosts} hosts")  # fmt: skip
    exporter = Exporter(root, 2)
    try:
        quick = exporter.wait('part_up{part="compliance"} 1')
        print(f"  first numbers (compliance, runs, names) after {quick:.1f} s", flush=True)
        whole = exporter.wait('part_up{part="equipment"} 1')
        print(f"  all of them after {quick + whole:.1f} s")
        cached = [exporter.scrape()[0] for _ in range(SCRAPES)]
        text = exporter.scrape()[1]
        series = sum(len(one.samples) for one in text_string_to_metric_families(text))
        print(
            f"  a scrape: median {statistics.median(cached) * 1000:.1f} ms, longest "
            f"{max(cached) * 1000:.1f} ms; {len(text) / 1e3:.0f} kB, {series} series"
        )
        before, since = exporter.cpu_s(), time.perf_counter()
        time.sleep(20)
        looks = (time.perf_counter() - since) / 2
        idle = (exporter.cpu_s() - before) / looks
        print(f"  nothing changed: {idle * 1000:.0f} ms of processor for each look")
        during, refreshed = changed(exporter, root)
        print(
            f"  a run ended: shown after {refreshed:.1f} s; scrapes meanwhile took "
            f"{max(during) * 1000:.1f} ms at most"
        )
        peak, reader = exporter.peak_mb, exporter.reader_mb
        print(
            f"  the exporter held {peak:.0f} MB at most, its reader {reader:.0f} MB while it read"
        )
    finally:
        exporter.end()
    good = max(*cached, *during) < TARGET_S and series < TARGET_SERIES and peak < TARGET_MB
    print(f"target: a scrape within {TARGET_S} s, under {TARGET_SERIES} series, under {TARGET_MB} "
          f"MB: {'met' if good else 'MISSED'}")  # fmt: skip
    return 0 if good else 1


def changed(exporter: Exporter, root: Path) -> tuple[list[float], float]:
    """A run ends: the seconds of scrapes until it is shown, and how long that is."""
    ledger = Ledger.open(workspace.load(root).ledger_url)
    ledger.end_run(ledger.start_run("deploy", "bench@desk", {}), RunState.ENDED)
    ended = f"{ledger.runs('deploy', limit=1)[0].ended_at}"
    ledger.close()
    scrapes, begun = [], time.perf_counter()
    while time.perf_counter() - begun < READY_S:
        took, text = exporter.scrape()
        scrapes.append(took)
        shown = [
            line
            for line in text.splitlines()
            if line.startswith('kitsurvie_run_last_end_timestamp_seconds{kind="deploy"}')
        ]
        if shown and float(shown[0].split()[1]) >= float(ended):
            return scrapes, time.perf_counter() - begun
        time.sleep(0.05)
    raise SystemExit("The end of the run was never shown.")


if __name__ == "__main__":
    sys.exit(main())
