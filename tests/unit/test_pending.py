"""What waits for a machine that is seldom there, and the way to it when it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitsurvie import workspace
from kitsurvie.cli import pending
from kitsurvie.cli.context import Context
from kitsurvie.cli.survey import STAMPS
from kitsurvie.cli.told import NOT_LISTED
from kitsurvie.ledger import LastHandIn, Ledger, Outcome, Record
from kitsurvie.model import (
    Answer,
    Evidence,
    Host,
    Inventory,
    Measure,
    Profile,
    Status,
    Step,
    Text,
    Verdict,
)

NOW = 1_800_000_000.0
TEXT = Text("fr", "en")


@pytest.fixture
def world(tmp_path: Path) -> Context:
    (tmp_path / "kitsurvie.toml").write_text("")
    role = tmp_path / "firewall"
    role.mkdir()
    measure = Measure(
        "firewall", Step.SECURE, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, frozenset(Profile), (), False,
        False, False, role, {},
    )  # fmt: skip
    hosts = {
        name: Host(
            name, "192.0.2.9", 22, "a", None, "1", None, "50002", Profile.LAPTOP, (),
            {"kit__mode": "enforce"}, jump="a@192.0.2.1",
        )
        for name in ("pc-1", "pc-2")
    }  # fmt: skip
    return Context(
        workspace.load(tmp_path), Inventory(hosts, {}, {}, ""), {"firewall": measure},
        tuple(hosts.values()),
    )  # fmt: skip


def said(
    ledger: Ledger, world: Context, name: str, verdict: Verdict, *,
    ago_min: float = 5, address: str = "198.51.100.7", kind: str = "ingest", stamped: bool = True,
) -> None:  # fmt: skip
    (item,) = world.lay_out([name]).items[name]
    stamps = f"/var/lib/kitsurvie/stamps/firewall:{item.stamp}\n" if stamped else ""
    evidence = Evidence(name, {STAMPS: Answer(0, stamps.encode(), b"")})
    run = ledger.start_run(kind, "x", {})
    at = NOW - ago_min * 60
    ledger.record(run, [Record(name, at, (verdict,), evidence, Outcome.DRIFT)])
    ledger.handed_in([LastHandIn(name, at, at, at, "d", address)])


DRIFT = Verdict("firewall", "test_it", Status.DRIFT, "open", "closed")
WELL = Verdict("firewall", "test_it", Status.COMPLIANT)


def test_what_drifts_by_its_own_account_waits_and_is_taken_where_it_came_from(
    ledger: Ledger, world: Context
) -> None:
    said(ledger, world, "pc-1", DRIFT)
    said(ledger, world, "pc-2", WELL)
    (one,) = pending.waiting(ledger, world, now=NOW)
    assert (one.host.name, one.why, one.reachable) == ("pc-1", "firewall", True)
    there = pending.towards(world, [one])
    (host,) = there.hosts
    assert (host.address, host.jump) == ("198.51.100.7", None)
    assert there.inventory.hosts["pc-1"] is host
    assert world.inventory.hosts["pc-1"].address == "192.0.2.9"


def test_one_that_is_where_the_inventory_has_it_keeps_its_road(
    ledger: Ledger, world: Context
) -> None:
    said(ledger, world, "pc-1", DRIFT, address="192.0.2.9")
    there = pending.towards(world, pending.waiting(ledger, world, now=NOW))
    assert there.hosts == (world.hosts[0],)


def test_what_was_never_applied_or_has_an_old_list_waits_too(
    ledger: Ledger, world: Context
) -> None:
    said(ledger, world, "pc-1", WELL, stamped=False)
    said(ledger, world, "pc-2", Verdict("firewall", "test_it", Status.UNKNOWN, message=NOT_LISTED))
    found = {one.host.name: one.why for one in pending.waiting(ledger, world, now=NOW)}
    assert found == {"pc-1": "firewall", "pc-2": "its list of commands"}


@pytest.mark.parametrize(
    ("ago_min", "address"), [(90, "198.51.100.7"), (5, ""), (5, "-"), (5, "fe80::1%eth0 x")]
)
def test_one_that_left_or_whose_address_is_not_known_is_only_counted(
    ledger: Ledger, world: Context, ago_min: float, address: str
) -> None:
    said(ledger, world, "pc-1", DRIFT, ago_min=ago_min, address=address)
    (one,) = pending.waiting(ledger, world, now=NOW)
    assert not one.reachable


def test_a_newer_look_that_is_well_ends_the_wait(ledger: Ledger, world: Context) -> None:
    said(ledger, world, "pc-1", DRIFT)
    said(ledger, world, "pc-1", WELL, kind="deploy")
    assert pending.waiting(ledger, world, now=NOW) == ()


def test_a_run_that_did_not_reach_it_does_not_end_the_wait(ledger: Ledger, world: Context) -> None:
    said(ledger, world, "pc-1", DRIFT)
    run = ledger.start_run("deploy", "x", {})
    ledger.record(run, [Record("pc-1", NOW, (), None, Outcome.UNREACHABLE)])
    assert len(pending.waiting(ledger, world, now=NOW)) == 1


def test_the_first_screen_counts_what_is_observed_and_not_converged(
    ledger: Ledger, world: Context
) -> None:
    said(ledger, world, "pc-1", DRIFT)
    said(ledger, world, "pc-2", DRIFT)
    states = {"pc-1": Outcome.UNREACHABLE, "pc-2": Outcome.DRIFT}
    line = pending.words(pending.observed_only(ledger, states, world))
    assert line.startswith("Observed, not converged: 1 (pc-1).")
    assert pending.words(pending.observed_only(ledger, {"pc-2": Outcome.DRIFT}, world)) == ""
