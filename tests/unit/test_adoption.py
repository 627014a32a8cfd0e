"""What enforcing would change, from what is on record; the least disruptive first."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from kitsurvie import workspace
from kitsurvie.cli import adopt, output
from kitsurvie.cli.adoption import Adoption, Prospect, adoptions, newest
from kitsurvie.cli.context import Context
from kitsurvie.ledger import Ledger, Outcome, Record
from kitsurvie.model import (
    Host,
    Inventory,
    Measure,
    Member,
    MemberKind,
    Profile,
    Scope,
    Setting,
    Status,
    Step,
    Text,
    Verdict,
)

SIREN = "215000027"
FILE = f"inventory/group_vars/member_{SIREN}.yml"
TEXT = Text("fr", "en")
BELONGS = Setting(Scope.MEMBER, f"member_{SIREN}", f"{FILE}:2", {})


def measure(name: str, *, risk: bool = False) -> Measure:
    return Measure(
        id=name, step=Step.SECURE, title=TEXT, why=TEXT, changes=TEXT, on_failure=TEXT,
        fallback=TEXT, absent=TEXT, profiles=frozenset(Profile), norms=(), lockout_risk=risk,
        reboot=False, undo=False, path=Path("/nowhere"), defaults={},
    )  # fmt: skip


def host(name: str, *own: Setting, **variables: object) -> Host:
    settings = {"kit__member": (BELONGS,)}
    if own:
        settings["firewall__mode"] = own
    return Host(
        name, "198.18.0.1", 22, "a", None, SIREN, "200066389", "50002", Profile.SERVER, (),
        variables, settings=settings,
    )  # fmt: skip


def world(tmp_path: Path, *hosts: Host) -> Context:
    (tmp_path / "kitsurvie.toml").write_text("")
    member = Member(SIREN, "Agneaux", MemberKind.COMMUNE, "50002", "200066389")
    inventory = Inventory(
        {one.name: one for one in hosts}, {SIREN: member}, {"200066389": "CA Saint-Lô Agglo"}, ""
    )
    measures = {m.id: m for m in (measure("updates"), measure("firewall", risk=True))}
    return Context(workspace.load(tmp_path), inventory, measures, hosts)


def seen(
    ledger: Ledger, name: str, at: float, *verdicts: Verdict, measures: tuple[str, ...] = ()
) -> int:
    run = ledger.start_run("compliance", "x", {"measures": list(measures)}, [name])
    ledger.record(run, [Record(name, at, verdicts, None, Outcome.DONE)])
    return run


def verdict(name: str, status: Status, check: str = "test_it", found: str = "") -> Verdict:
    return Verdict(name, check, status, found)


def of(world: Context, ledger: Ledger) -> dict[str, Adoption]:
    pairs = [(h.name, m) for h in world.hosts for m in world.measures]
    found = adoptions(world, newest(ledger, pairs))
    return {one.measure.id: one for one in found.get(SIREN, ())}


def names(one: Adoption, prospect: Prospect) -> list[str]:
    return [machine.host.name for machine in one.having(prospect)]


def test_machines_are_parted_by_what_enforcing_would_do_to_them(
    tmp_path: Path, ledger: Ledger
) -> None:
    here = world(tmp_path, host("a"), host("b"), host("c"), host("d"))
    for name, status in (("a", Status.DRIFT), ("b", Status.COMPLIANT), ("c", Status.ERROR)):
        seen(ledger, name, 1.0, verdict("firewall", status))
    one = of(here, ledger)["firewall"]
    assert names(one, Prospect.CHANGE) == ["a"]
    assert names(one, Prospect.NOTHING) == ["b"]
    assert names(one, Prospect.UNKNOWN) == ["c", "d"]
    assert [m.why for m in one.having(Prospect.UNKNOWN)] == [
        "test_it could not conclude",
        "never judged in the runs on record",
    ]


def test_the_newest_verdicts_of_each_measure_count_whichever_run_has_them(
    tmp_path: Path, ledger: Ledger
) -> None:
    here = world(tmp_path, host("a"))
    seen(ledger, "a", 1.0, verdict("firewall", Status.DRIFT), verdict("updates", Status.DRIFT))
    # a run of one measure, then a night on which the machine did not answer
    mended = verdict("firewall", Status.COMPLIANT)
    last = seen(ledger, "a", 2.0, mended, measures=("firewall",))
    seen(ledger, "a", 3.0)
    found = of(here, ledger)
    (machine,) = found["firewall"].machines
    assert machine.known is not None
    assert (machine.prospect, machine.known.at, machine.known.run) == (Prospect.NOTHING, 2.0, last)
    assert found["updates"].machines[0].prospect is Prospect.CHANGE


def test_a_system_that_the_kit_refuses_is_never_called_compliant(
    tmp_path: Path, ledger: Ledger
) -> None:
    here = world(tmp_path, host("a"))
    old = verdict("kit", Status.DRIFT, "supported_release", "debian 11")
    seen(ledger, "a", 1.0, old, verdict("firewall", Status.NOT_APPLICABLE))
    (machine,) = of(here, ledger)["firewall"].machines
    assert machine.prospect is Prospect.UNKNOWN
    assert machine.why.startswith("debian 11")


def test_what_changes_nothing_comes_first_and_what_can_lock_out_last(
    tmp_path: Path, ledger: Ledger
) -> None:
    here = world(tmp_path, host("a"))
    both = [verdict("firewall", Status.DRIFT), verdict("updates", Status.DRIFT)]
    seen(ledger, "a", 1.0, *both)
    assert list(of(here, ledger)) == ["updates", "firewall"]
    seen(ledger, "a", 2.0, verdict("firewall", Status.COMPLIANT), both[1])
    assert list(of(here, ledger)) == ["firewall", "updates"]


def test_only_what_is_observed_can_be_adopted(tmp_path: Path, ledger: Ledger) -> None:
    here = world(tmp_path, host("a", firewall__mode="enforce", updates__off_until="2999-01-01"))
    assert of(here, ledger) == {}


def test_the_line_goes_to_the_member_s_file_unless_a_nearer_one_says_observe(
    tmp_path: Path, ledger: Ledger
) -> None:
    wide = Setting(Scope.EPCI, "epci_200066389", "inventory/group_vars/epci.yml:3", "observe")
    near = Setting(Scope.HOST, "b", "inventory/hosts.yml:9", "observe")
    here = world(tmp_path, host("a", wide), host("b", wide, near))
    one = of(here, ledger)["firewall"]
    assert one.line == "firewall__mode: enforce"
    assert one.places == (FILE, "inventory/hosts.yml:9")


def test_a_member_of_whom_only_the_hosts_file_speaks_gets_a_file_of_its_own(
    tmp_path: Path, ledger: Ledger
) -> None:
    """Ansible would rank a line in the hosts file below group_vars/all."""
    inline = Setting(Scope.MEMBER, f"member_{SIREN}", "inventory/hosts.yml:5", {})
    one = host("a")
    here = world(tmp_path, Host(**{f: getattr(one, f) for f in one.__slots__} | {
        "settings": {"kit__member": (inline,)}
    }))  # fmt: skip
    assert of(here, ledger)["updates"].places == (FILE,)


def test_the_page_says_how_old_it_is_what_would_change_and_what_to_write(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    here = world(tmp_path, host("a"), host("b"))
    now = time.time()
    seen(ledger, "a", now - 3 * 3600, verdict("firewall", Status.DRIFT, "test_default_drop"))
    seen(ledger, "b", now - 72 * 3600, verdict("firewall", Status.COMPLIANT))
    page = io.StringIO()
    monkeypatch.setattr(output, "stdout", lambda: Console(file=page, width=150))
    pairs = [(h.name, "firewall") for h in here.hosts]
    adopt._show(here, adoptions(here, newest(ledger, pairs)), now)
    said = page.getvalue()
    assert "Agneaux (CA Saint-Lô Agglo): looked at 3 h ago and up to 3 days ago" in said
    assert "firewall would change a: test_default_drop" in said
    row = next(line for line in said.splitlines() if line.startswith("firewall "))
    assert row.split() == ["firewall", "1", "1", "-", "guarded", "firewall__mode:", "enforce", FILE]
    assert capsys.readouterr().out == ""


def test_the_document_names_each_machine_with_its_proof(tmp_path: Path, ledger: Ledger) -> None:
    here = world(tmp_path, host("a"))
    run = seen(ledger, "a", 0.0, Verdict("firewall", "test_x", Status.DRIFT, "1", "2"))
    found = adoptions(here, newest(ledger, [("a", "firewall"), ("a", "updates")]))
    told = json.loads(json.dumps(adopt.document(here, found)))
    [member] = told["members"]
    assert (member["siren"], member["name"], member["epci"]) == (SIREN, "Agneaux", "200066389")
    firewall = next(one for one in member["measures"] if one["id"] == "firewall")
    assert (firewall["line"], firewall["write_in"]) == ("firewall__mode: enforce", [FILE])
    assert firewall["would_change"] == [
        {
            "host": "a", "seen": "1970-01-01T00:00:00+00:00", "run": run, "why": "",
            "drifts": [{"check": "test_x", "found": "1", "expected": "2"}],
        }
    ]  # fmt: skip
    assert (firewall["compliant"], firewall["unknown"]) == ([], [])
