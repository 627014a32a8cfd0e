"""The demo, the tests and the benchmarks may run on one machine at a time."""

from __future__ import annotations

import inspect
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path

import pytest
from benchmarks import machines
from tests.lab import conftest

from kitsurvie.cli import lab

ROOT = Path(__file__).parents[2]


def test_each_has_names_and_addresses_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KITSURVIE_LAB_PREFIX", "KITSURVIE_LAB_NETWORK"):
        monkeypatch.delenv(name, raising=False)
    demo = inspect.signature(lab.up).parameters
    # the tests' second lab has one letter more
    tests = [conftest._prefix(), f"{conftest._prefix()}x"]
    prefixes = [demo["prefix"].default.default, *tests, *map(machines.prefix_for, "bfj")]
    assert len(set(prefixes)) == len(prefixes)
    ranges = [demo["network"].default.default, machines.network(), *conftest._halves()]
    for one, other in combinations(map(ip_network, ranges), 2):
        assert not one.overlaps(other)


def test_make_gives_them_none_in_common() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "KITSURVIE_LAB_" in line and not line.startswith("#")]
