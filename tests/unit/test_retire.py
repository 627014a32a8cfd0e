"""Leaving a machine: what is refused, what is forgotten, and what an interrupted run had done."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from kitsurvie import inventory, workspace
from kitsurvie.cli import init
from kitsurvie.cli.retire import RETIRE, left_before, retire
from kitsurvie.enroll import known_hosts
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Ledger, Outcome
from kitsurvie.workspace import Workspace

HOST = "agneaux-srv-01"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/Zboe7rdUyYGpH968/W7NEGsLnpsNYqkw6Tgr8w5pz"


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    init.init(tmp_path / "syndicate")
    made = workspace.load(tmp_path / "syndicate")
    made.known_hosts.write_text(f"{HOST} {KEY}\nother {KEY}\n")
    return made


def test_a_machine_that_is_gone_is_forgotten_here_and_kept_in_the_ledger(
    place: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retire(HOST, gone="stolen", yes=True, json=True, workspace=place.root) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["kind"], said["gone"], said["access"]) == ("retirement", "stolen", "unknown")
    assert (said["unpinned"], len(said["removed_from"])) == (1, 1)
    assert HOST not in inventory.load(place).hosts
    assert set(known_hosts.read(place.known_hosts)) == {"other"}
    ledger = Ledger.open(place.ledger_url)
    (run,) = ledger.runs(RETIRE)
    assert ledger.hosts(run.id)[HOST][0] is Outcome.DONE
    ledger.close()


def test_a_waiver_that_is_left_for_it_is_named_since_no_run_would_begin(
    place: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    waiver = "{host: %s, measure: updates, reason: r, owner: o, until: '%s'}"
    (place.inventory / "waivers.yml").write_text(
        f"waivers:\n  - {waiver % (HOST, date.today())}\n", encoding="utf-8"
    )
    assert retire(HOST, gone="stolen", yes=True, json=True, workspace=place.root) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    [left] = [warning for warning in warnings if "waivers.yml" in warning]
    assert left.startswith(f"inventory/waivers.yml:2: The inventory holds no host named '{HOST}'.")


def test_nothing_is_done_when_nobody_can_be_asked(place: Workspace) -> None:
    with pytest.raises(UsageError, match="Nobody can be asked"):
        retire(HOST, gone="stolen", workspace=place.root)
    assert HOST in inventory.load(place).hosts


def test_one_host_is_retired_at_a_time_and_by_its_name(place: Workspace) -> None:
    with pytest.raises(UsageError, match="not the name of one host"):
        retire("all", yes=True, workspace=place.root)


def test_what_an_interrupted_run_had_left_is_not_asked_again(place: Workspace) -> None:
    ledger = Ledger.open(place.ledger_url)
    run = ledger.start_run(RETIRE, "x", {}, [HOST])
    assert left_before(ledger, HOST) == ""
    ledger.set_outcome(run, HOST, RETIRE, "unchanged", "ended")
    assert left_before(ledger, HOST) == "ended"
    ledger.start_run(RETIRE, "x", {}, ["another"])
    assert left_before(ledger, HOST) == "ended"
    assert left_before(ledger, "another") == ""
    ledger.set_hosts(run, [HOST], Outcome.DONE)
    assert left_before(ledger, HOST) == "", "a host of that name was enrolled since"
    ledger.close()
