"""What is kept of a host: judged again anywhere it says the same, and it holds no secret."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

from tests.lab.spine import Desk

from kitsurvie import lab

JUDGE_AGAIN = """
import json, sys, time, datetime
from pathlib import Path
clock = float(sys.argv[2])
time.time = lambda: clock
from kitsurvie import inventory, judge, kit, workspace
from kitsurvie.cli import context, survey
from kitsurvie.ledger import Ledger
from kitsurvie.model import Mode
place = workspace.find(Path(sys.argv[1]))
world = context.prepare(place.root, None, [])
ledger = Ledger.open(place.ledger_url)
newest = ledger.runs("compliance")[0]
catalogue = survey.read_catalogue(world.measures.values())
said = {}
for name, seen in ledger.seen(newest.id).items():
    items = [i for i in world.lay_out().items[name] if i.mode is not Mode.OFF]
    checks = [c for item in items for c in catalogue.checks[item.measure]]
    judged = judge.judge(checks, {i.measure: i.params for i in items}, ledger.evidence(seen))
    assert not judged.missing
    said[name] = [[v.measure, v.check, v.status, v.found, v.expected] for v in judged.verdicts]
    assert judged.verdicts == seen.verdicts
print(json.dumps(said))
"""


def test_evidence_judged_again_elsewhere_and_later_gives_the_same_verdicts(
    lab_fleet: lab.Lab,
) -> None:
    desk = Desk(lab_fleet.folder)
    assert desk.run("compliance", "run").code in {0, 1}
    said = {
        subprocess.run(
            [sys.executable, "-c", JUDGE_AGAIN, str(lab_fleet.folder), clock],
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
            capture_output=True, text=True, check=True,
        ).stdout
        for clock, zone, seed in [("0", "UTC", "1"), ("4e9", "Pacific/Auckland", "2")]
    }  # fmt: skip
    assert len(said) == 1
    assert len(json.loads(said.pop())) == len(lab_fleet.machines)


def contents(folder: Path) -> list[bytes]:
    with sqlite3.connect(folder / ".kitsurvie" / "ledger.sqlite") as ledger:
        stored = [row[0] for row in ledger.execute("select data from blobs")]
    return [zlib.decompress(s[1:]) if s[:1] == b"z" else s[1:] for s in stored]


def test_the_ledger_holds_no_password_hash_and_no_password(lab_fleet: lab.Lab) -> None:
    desk = Desk(lab_fleet.folder)
    machine = lab_fleet.machines[0]
    shadow = machine.run(["cat", "/etc/shadow"]).stdout.decode()
    hashes = [f.split(":")[1] for f in shadow.splitlines() if len(f.split(":")[1]) > 12]
    assert hashes, "the lab's own account has a password to look for"
    desk.run("compliance", "run")
    everything = b"\n".join(contents(lab_fleet.folder))
    for secret in [*hashes, lab_fleet.password]:
        assert secret.encode() not in everything
    assert not re.search(rb"\$(y|6|5|1|2[aby])\$[^\s:]{8,}", everything)


def test_a_host_and_a_check_give_their_evidence_verbatim(lab_fleet: lab.Lab) -> None:
    desk = Desk(lab_fleet.folder)
    host = lab_fleet.machines[0].name
    run = desk.run("compliance", "run", "--json")
    check = run.measure(host, "firewall")["checks"][0]
    shown = desk.run("compliance", "evidence", host, f"firewall/{check['name']}", "--json")
    exchanges = shown.document["exchanges"]
    assert [e["command"] for e in exchanges] == check["commands"]
    unknown = desk.run("compliance", "evidence", host, "firewall/test_nothing")
    assert (unknown.code, "It has: " in unknown.err) == (2, True)
