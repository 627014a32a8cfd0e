"""How long and how large `kitsurvie assets import` of 200,000 records is, on each database.

    python -m benchmarks.importing
    python -m benchmarks.importing --machines 5000

The records of `benchmarks.estate` as one CSV export, read, written to a new ledger, told apart, and
imported again. PostgreSQL is Debian's package, started for it. Ends in 1 when more than 500 MB
were needed, when the second import changed anything, or when the databases do not agree.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import databases

from benchmarks import estate
from kitsurvie.assets.record import Record

ROOT = Path(__file__).resolve().parents[1]
MOST_MB = 500.0
HEADINGS = (
    "id", "insee", "name", "kind", "maker", "model", "serial", "uuid", "mac", "username", "seen",
    "bought", "status",
)  # fmt: skip
PLACES = ("50502", "50129", "50218", "50025", "50147", "50615", "50041", "50453")


def main() -> int:
    """Measure, print, and say whether what must hold does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--machines", type=int, default=118_000, help="1.7 records each")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kitsurvie-bench-") as name:
        folder = Path(name)
        count = _write(folder / "export.csv", estate.make(asked.seed, asked.machines).records)
        size = (folder / "export.csv").stat().st_size / 1e6
        print(f"{count} records, {size:.0f} MB; {os.cpu_count()} cores, Python "
              f"{platform.python_version()}")  # fmt: skip
        with databases.postgresql() as server:
            good, found = True, []
            for label, url in (("SQLite", ""), ("PostgreSQL", server.url())):
                root = folder / label
                _kitsurvie("init", root)
                (root / "kitsurvie.toml").write_text(f'ledger = "{url}"\n')
                for turn in ("first", "again"):
                    done, seconds, peak = _import(root, folder / "export.csv")
                    print(f"  {label:<10} {turn:<5} {seconds:6.1f} s  {peak:4.0f} MB  "
                          f"{done['counts']}", flush=True)  # fmt: skip
                    good = good and peak <= MOST_MB
                good = good and done["counts"]["same"] == count and not done["counts"]["new"]
                found.append(_devices(root))
    same = found[0] == found[1]
    print(f"under {MOST_MB:.0f} MB, and nothing new the second time: {'yes' if good else 'NO'}")
    print(f"the same devices on both: {'yes' if same else 'NO'}")
    return 0 if good and same else 1


def _write(path: Path, records: list[Record]) -> int:
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(HEADINGS)
        for number, one in enumerate(records):
            place = PLACES[int((one.member or "0")[-5:]) % len(PLACES)]
            rows.writerow(
                (
                    number, place, one.name, one.kind, one.maker, one.model, one.serial, one.uuid,
                    " ".join(card.mac for card in one.interfaces), one.user,
                    one.seen.strftime("%Y-%m-%d %H:%M") if one.seen else "", one.bought or "",
                    one.status,
                )
            )  # fmt: skip
    return len(records)


def _kitsurvie(*words: object) -> bytes:
    """What a command prints. A refused record is no failure of it."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    done = subprocess.run(
        [sys.executable, "-m", "kitsurvie.cli.main", *map(str, words)],
        check=False, capture_output=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    if done.returncode > 1:
        raise SystemExit(f"{words}: {done.stderr.decode()[-3000:]}")
    return done.stdout


def _import(root: Path, path: Path) -> tuple[Any, float, float]:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "kitsurvie.cli.main", "assets", "import", path,
             "--source", "csv", "--workspace", root, "--json"],
            stdout=said, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        # the peak of this child alone
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if process.returncode > 1:
            raise SystemExit("The import failed: see above.")
        said.seek(0)
        return json.load(said), seconds, used.ru_maxrss / 1024


def _devices(root: Path) -> list[tuple[str, ...]]:
    """The records of each device: the numbers of devices are made by chance."""
    told = json.loads(_kitsurvie("assets", "list", "--workspace", root, "--json"))
    return sorted(tuple(sorted(one["records"])) for one in told["devices"])


if __name__ == "__main__":
    sys.exit(main())
