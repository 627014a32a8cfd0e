"""Machines to measure on: a lab in a folder of its own, taken away whatever happens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kitsurvie import lab


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
