"""How long it takes to tell 200,000 records apart, and how well, beside splink on the same file.

    python -m benchmarks.identity --peer /path/to/venv/bin/python
    python -m benchmarks.identity --machines 5000 --without-peer      a quick look at ours alone

The records are of a made-up estate (`benchmarks.estate`). Ours reads them from the file and is
timed with that; splink is given identifiers that our own rules have cleaned already, a model of
them, and the best of several thresholds. "joins only" is what DuckDB alone needs to read the file
and join it without a rule: the least that anything in columns could take. Both want a Python of
their own:

    python3 -m venv /tmp/splink
    /tmp/splink/bin/pip install --require-hashes -r benchmarks/requirements-splink.txt

Ends in 1 when a target is missed: five times faster at a higher F1, under 500 MB.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from benchmarks import estate
from kitsurvie.assets.identity import identify
from kitsurvie.assets.record import Interface, Kind, Origin, Record, Source
from kitsurvie.assets.traces import trace

ROOT = Path(__file__).resolve().parents[1]
TIMES_FASTER = 5.0
MOST_MB = 500.0
RAW = (
    "source", "register", "key", "member", "kind", "name", "maker", "model", "serial", "uuid",
    "macs", "user", "seen", "bought", "status",
)  # fmt: skip
ORIGIN = Origin("made-up")
CLEAN = ("id", "c_name", "c_maker", "c_model", "c_serial", "c_uuid", "c_macs")


@dataclass(frozen=True)
class Run:
    """One run of one of the two, with the groups of record ids that it made.

    Seconds of wall and of CPU (all cores), and megabytes at the peak.
    """

    seconds: float
    cpu: float
    megabytes: float
    groups: list[list[tuple[str, ...]]]


def main() -> int:
    """Measure, print, and say whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--machines", type=int, default=118_000, help="1.7 records each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", default=sys.executable, help="A Python with splink.")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.read:
        print(json.dumps(ours(asked.read)))
        return 0
    if not asked.without_peer and not _has_splink(asked.peer):
        parser.error(f"{asked.peer} has no splink; install it as the head of this module says")
    with tempfile.TemporaryDirectory(prefix="kitsurvie-bench-") as folder:
        path = Path(folder) / "records.csv"
        made = estate.make(asked.seed, asked.machines)
        write(path, made.records)
        print(
            f"{len(made.records)} records of {asked.machines} machines; {os.cpu_count()} cores, "
            f"Python {platform.python_version()}"
        )
        mine = _run([sys.executable, "-m", "benchmarks.identity", "--read", str(path)])
        score = estate.score(made, mine.groups[0])
        _say("kitsurvie", mine, score)
        good = mine.megabytes <= MOST_MB
        print(f"target: under {MOST_MB:.0f} MB: {'met' if good else 'MISSED'}")
        if asked.without_peer:
            return 0 if good else 1
        peer = _run([asked.peer, "-m", "benchmarks.identity_peer", str(path)])
        best = max((estate.score(made, groups) for groups in peer.groups), key=lambda s: s.f1)
        _say("splink", peer, best)
        floor = _run([asked.peer, "-m", "benchmarks.identity_floor", str(path)])
        print(
            f"  {'joins only':<10} {floor.seconds:7.1f} s {floor.cpu:7.1f} s CPU "
            f"{floor.megabytes:6.0f} MB  {len(floor.groups[0])} groups, of no use"
        )
    print(
        f"a fifth of splink's time is {peer.seconds / TIMES_FASTER:.1f} s; "
        f"to join columns by no rule took {floor.seconds:.1f} s"
    )
    ratio = peer.seconds / mine.seconds
    met = ratio >= TIMES_FASTER and score.f1 > best.f1
    print(
        f"target: {TIMES_FASTER:.0f} x faster at a higher F1: {ratio:.1f} x "
        f"({peer.cpu / mine.cpu:.1f} x by CPU), "
        f"{'met' if met else 'MISSED'}"
    )
    return 0 if good and met else 1


def ours(path: Path) -> dict[str, object]:
    """Read and identify; what `_run` understands."""
    start = time.perf_counter()
    devices = identify(read(path)).devices
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "cpu": time.process_time(),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "groups": [[device.records for device in devices]],
    }


def write(path: Path, records: list[Record]) -> None:
    """The records as a CSV file, as said and, in columns of their own, as our rules spell them."""
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow((*RAW, *CLEAN))
        for record in records:
            seen = trace(record)
            rows.writerow(
                (
                    record.source, record.register, record.key, record.member, record.kind,
                    record.name, record.maker, record.model, record.serial, record.uuid,
                    "|".join(f"{i.mac}~{i.what}~{int(i.virtual)}" for i in record.interfaces),
                    record.user, record.seen or "", record.bought or "", record.status,
                    seen.id, seen.name, seen.maker, seen.model, seen.serial, seen.uuid,
                    "|".join(seen.macs),
                )
            )  # fmt: skip


def read(path: Path) -> Iterator[Record]:
    """The records of such a file, as said."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        for row in rows:
            (
                source, register, key, member, kind, name, maker, model, serial, uuid, macs, user,
                seen, bought, status,
            ) = row[: len(RAW)]  # fmt: skip
            cards = (card.split("~") for card in macs.split("|") if card)
            yield Record(
                source=Source(source),
                key=key,
                origin=ORIGIN,
                register=register,
                member=member or None,
                kind=Kind(kind),
                name=name,
                maker=maker,
                model=model,
                serial=serial,
                uuid=uuid,
                interfaces=tuple(
                    Interface(mac, what, virtual == "1") for mac, what, virtual in cards
                ),
                user=user,
                seen=datetime.fromisoformat(seen) if seen else None,
                bought=date.fromisoformat(bought) if bought else None,
                status=status,
            )


def _run(command: list[str]) -> Run:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    groups = [[tuple(group) for group in groups] for groups in said["groups"]]
    return Run(said["seconds"], said["cpu"], said["megabytes"], groups)


def _has_splink(python: str) -> bool:
    return not subprocess.run(
        [python, "-c", "import splink"], check=False, capture_output=True
    ).returncode


def _say(label: str, run: Run, score: estate.Score) -> None:
    print(
        f"  {label:<10} {run.seconds:7.1f} s {run.cpu:7.1f} s CPU {run.megabytes:6.0f} MB  "
        f"precision {score.precision:.5f}  recall {score.recall:.5f}  F1 {score.f1:.5f}  "
        f"across members {score.across_members}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
