"""What the measures cost a machine, measured again and held to their budgets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kitsurvie import lab

ROOT = Path(__file__).parents[2]


def measured(spare: lab.Request, *arguments: str) -> subprocess.CompletedProcess[str]:
    place = {"KITSURVIE_LAB_PREFIX": spare.prefix, "KITSURVIE_LAB_NETWORK": spare.network}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.footprint", *arguments],
        cwd=ROOT, env={**os.environ, **place}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_footprint_is_measured_on_a_machine(spare_request: lab.Request) -> None:
    done = measured(spare_request, "--measure", "firewall", "--watch-s", "5")
    assert done.returncode == 0, done.stdout + done.stderr
    # nftables and what it needs; a table in the kernel leaves no process running
    assert done.stdout.startswith("firewall: disk_mb 1."), done.stdout
    assert "memory_mb 0," in done.stdout


@pytest.mark.slow
def test_no_measure_costs_more_than_its_budget(spare_request: lab.Request) -> None:
    done = measured(spare_request, "--watch-s", "20")
    assert done.returncode == 0, done.stdout + done.stderr
