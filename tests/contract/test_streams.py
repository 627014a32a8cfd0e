"""`make test` in streams: every test is in one of them, and no two share machines."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
import time
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "test"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("scripts_test", str(SCRIPT))
    spec = importlib.util.spec_from_loader("scripts_test", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_test_is_in_one_stream(script: ModuleType) -> None:
    given = [ROOT / path for tests, _ in script.streams().values() for path in tests]
    for file in (ROOT / "tests").rglob("test_*.py"):
        assert len([path for path in given if path in (file, *file.parents)]) == 1, file


def test_no_two_streams_share_names_or_addresses(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KITSURVIE_LAB_PREFIX", "KITSURVIE_LAB_NETWORK"):
        monkeypatch.delenv(name, raising=False)
    fleets = [own for _, own in script.streams().values() if own]
    assert len(fleets) == 2
    for one, other in combinations(fleets, 2):
        assert one["KITSURVIE_LAB_PREFIX"] != other["KITSURVIE_LAB_PREFIX"]
        ranges = [ip_network(fleet["KITSURVIE_LAB_NETWORK"]) for fleet in (one, other)]
        assert not ranges[0].overlaps(ranges[1])
        assert all(one.subnet_of(ip_network("198.18.32.0/20")) for one in ranges)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The script in a project of a few tests, which say where they ran."""
    for name in ("scripts", "tests/lab/measures", "tests/unit", "tests/contract"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "scripts" / "test").write_bytes(SCRIPT.read_bytes())
    for name in ("lab/measures/test_a", "lab/test_lockout", "lab/test_spine", "lab/test_b",
                 "lab/test_still_works", "unit/test_c", "contract/test_d"):  # fmt: skip
        place = tmp_path / "tests" / f"{name}.py"
        place.write_text("def test_it() -> None:\n    pass\n", encoding="utf-8")
    return tmp_path


def run(project: Path, *words: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return subprocess.Popen(
        [sys.executable, "scripts/test", *words], cwd=project, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def test_all_that_pass_end_well(project: Path) -> None:
    process = run(project)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "kit: passed\nlab: passed\nunits: passed\n" in said


@pytest.mark.parametrize("where", ["lab/test_b", "lab/measures/test_a", "unit/test_c"])
def test_one_that_fails_fails_all(project: Path, where: str) -> None:
    (project / "tests" / f"{where}.py").write_text("def test_it() -> None:\n    assert 1 == 2\n")
    process = run(project)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said.count(": FAILED (pytest ended with 1)") == 1, said
    assert "assert 1 == 2" in said


def test_a_stream_that_ran_nothing_is_a_failure(project: Path) -> None:
    (project / "tests" / "lab" / "test_b.py").write_text("")
    process = run(project)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "lab: FAILED (pytest ended with 5)" in said


@pytest.mark.parametrize("how", ["ctrl-c", "terminate"])
def test_when_it_is_stopped_every_stream_puts_away_what_it_made(project: Path, how: str) -> None:
    waits = (
        "import pathlib, signal, time\n"
        "import pytest\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "here = pathlib.Path(__file__).with_suffix('.made')\n"
        "@pytest.fixture\n"
        "def made():\n"
        "    here.touch()\n"
        "    yield\n"
        "    time.sleep(2)\n"
        "    here.unlink()\n"
        "def test_it(made) -> None:\n"
        "    time.sleep(60)\n"
    )
    tests = [project / "tests" / "lab" / name for name in ("test_b.py", "measures/test_a.py")]
    for test in tests:
        test.write_text(waits, encoding="utf-8")
    process = run(project)
    end = time.monotonic() + 60
    while not all(test.with_suffix(".made").exists() for test in tests):
        assert time.monotonic() < end, "the tests did not begin"
        time.sleep(0.1)
    if how == "ctrl-c":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert [test for test in tests if test.with_suffix(".made").exists()] == [], said
