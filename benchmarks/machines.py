"""Machines to measure on: a lab in a folder of its own, taken away whatever happens."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kitsurvie import lab


def prefix_for(letter: str) -> str:
    """How the machines of a benchmark are named, so that two benchmarks stay apart."""
    return (os.environ.get("KITSURVIE_LAB_PREFIX") or "k") + letter


def network() -> str:
    """The range of the benchmarks: neither the demo's nor the tests', unless it is set."""
    return os.environ.get("KITSURVIE_LAB_NETWORK") or "198.18.16.0/20"


@contextmanager
def fleet_up(wanted: lab.Request) -> Iterator[lab.Lab]:
    """A lab whose syndicate enforces the whole kit, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="kitsurvie-bench-") as name:
        folder = Path(name) / "lab"
        try:
            fleet = lab.up(folder, wanted)
            settings = folder / "inventory" / "group_vars" / "all" / "zz_bench.yml"
            settings.write_text("---\nkit__mode: enforce\n", encoding="utf-8")
            yield fleet
        finally:
            lab.down(folder)
