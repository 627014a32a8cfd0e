"""A ledger of format 1 is brought to today's in place: all is read back, or nothing was changed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import SCHEMA_VERSION, Ledger, Outcome, RunState
from kitsurvie.model import Answer, Status, Verdict

SRV, PC = "agneaux-srv-01", "torigny-pc-02"
DROP = Verdict("firewall", "test_drop", Status.COMPLIANT, commands=("uname",))
SSH = Verdict("firewall", "test_ssh", Status.COMPLIANT, commands=("uname",))
TIMER = Verdict("updates", "test_timer", Status.COMPLIANT, commands=("uname",))
ACCEPTED = Verdict("firewall", "test_drop", Status.DRIFT, "accept", "drop", ("uname", "nft"))
LATE = Verdict("updates", "test_timer", Status.DRIFT, "é\udcff", "drop", ("uname", "nft"))
CUT = Verdict("updates", "test_timer", Status.UNKNOWN, message="cut")
OLD = Verdict(
    "kit", "supported_release", Status.DRIFT, "debian 11", "debian 12 or debian 13", ("cat",)
)
# what the code of format 1 answered: by run and host, when, and the verdicts in order
SEEN = {
    1: {SRV: (1790000100.5, (DROP, SSH, LATE)), PC: (1790000101.25, ())},
    2: {SRV: (1790010100.5, (ACCEPTED, SSH, LATE)), PC: (1790010101.25, (DROP, SSH, TIMER, OLD))},
    3: {SRV: (1790020200.5, (DROP, SSH))},
    4: {PC: (1790030100.5, (DROP, CUT))},
    5: {SRV: (1790040100.5, (DROP, SSH, TIMER)), PC: (1790040101.0, ())},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "ledger.sqlite"
    with sqlite3.connect(made) as raw:
        raw.executescript(
            (Path(__file__).parent / "ledger_format_1.sql").read_text(encoding="utf-8")
        )
    raw.close()
    return made


def check_all(ledger: Ledger) -> None:
    for run, hosts in SEEN.items():
        seen = ledger.seen(run)
        assert {name: (one.at, one.verdicts) for name, one in seen.items()} == hosts
    assert ledger.seen(1)[PC].evidence is None
    evidence = ledger.evidence(ledger.seen(2)[SRV])
    assert evidence is not None
    assert evidence.answers["nft"] == Answer(0, b"['accept', '', '\xc3\xa9\\udcff']", b"")
    whole = ledger.evidence(ledger.seen(5)[PC])
    assert whole is not None
    assert whole.answers == {}
    assert ledger.hosts(1)[PC] == (Outcome.UNREACHABLE, f"{PC} cannot be reached")
    assert ledger.hosts(4) == {SRV: (Outcome.PENDING, ""), PC: (Outcome.ERROR, "")}
    assert ledger.outcomes(3) == {(SRV, "firewall"): ("changed", "")}
    assert ledger.learnt() == {"class:x": ("uname", "nft"), f"host:{PC}": ()}
    states = [run.state for run in reversed(ledger.runs())]
    assert states == [RunState.ENDED] * 3 + [RunState.RUNNING, RunState.INTERRUPTED]


def formats(path: Path) -> tuple[int, set[str]]:
    with sqlite3.connect(path) as raw:
        (version,) = raw.execute("select version from ledger_version").fetchone()
        tables = {name for (name,) in raw.execute("select name from sqlite_master")}
    return version, tables


def test_all_that_format_1_knew_is_read_back(path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{path}")
    check_all(ledger)
    ledger.close()
    version, tables = formats(path)
    assert version == SCHEMA_VERSION
    assert not {"observations_1", "run_hosts_1"} & tables
    again = Ledger.open(f"sqlite:///{path}")
    check_all(again)
    again.close()


def test_its_nights_become_intervals(path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{path}")
    drifts = [
        (one.host, one.verdict, one.from_run, one.from_at, one.to_run, one.to_at)
        for one in ledger.intervals(Status.DRIFT)
    ]
    assert drifts == [
        (SRV, ACCEPTED, 2, 1790010100.5, 3, 1790020200.5),
        # the deployment of the firewall alone said nothing of the updates
        (SRV, LATE, 1, 1790000100.5, 5, 1790040100.5),
        # a system that is supported again is said by no verdict of its own
        (PC, OLD, 2, 1790010101.25, 4, 1790030100.5),
    ]
    ledger.close()


def test_the_nights_to_come_go_on_from_its_own(path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{path}")
    run = ledger.start_run("compliance", "admin1@desk", {})
    assert run == 6
    ledger.close()


@pytest.mark.parametrize("moment", ["_read", "_forget_lists"])
def test_a_power_cut_in_the_middle_leaves_format_1_as_it_was(path: Path, moment: str) -> None:
    cut = (
        "import os, signal\n"
        "from kitsurvie.ledger import Ledger, migration\n"
        f"migration.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Ledger.open('sqlite:///{path}')\n"
    )
    done = subprocess.run([sys.executable, "-c", cut], check=False)
    assert done.returncode == -signal.SIGKILL
    version, tables = formats(path)
    assert version == 1
    assert "observations_1" not in tables
    ledger = Ledger.open(f"sqlite:///{path}")
    check_all(ledger)
    ledger.close()


def test_on_a_disk_that_may_only_be_read_it_is_said_and_left(path: Path) -> None:
    with pytest.raises(LedgerError, match="read-only"):
        Ledger.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert formats(path)[0] == 1
