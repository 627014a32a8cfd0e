"""How a run ends: its exit code, and what a person reads."""

from __future__ import annotations

import dataclasses
import io
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kitsurvie import kit
from kitsurvie.cli import table, view, waived
from kitsurvie.cli.documents import run_document
from kitsurvie.cli.survey import Look
from kitsurvie.converge import Play, State
from kitsurvie.inventory import Statements
from kitsurvie.inventory.waivers import Waivers
from kitsurvie.ledger import Outcome
from kitsurvie.model import (
    Host,
    Inventory,
    Item,
    Member,
    MemberKind,
    Mode,
    Profile,
    Status,
    Verdict,
    Waiver,
)

ROLES = Path(__file__).parents[2] / "roles"
MEMBER = Member("215000027", "Agneaux", MemberKind.COMMUNE, "50002", "200066389")


def one(name: str, state: Outcome, profile: Profile = Profile.SERVER, **more: Any) -> view.HostView:
    host = Host(
        name, "198.18.0.9", 22, "admin1", None, MEMBER.siren, MEMBER.epci, "50002", profile, (),
        more.pop("variables", {}),
    )  # fmt: skip
    return view.HostView(host, (Item(name, "firewall", Mode.ENFORCE, {}, "s"),), state, **more)


def run(kind: str, *hosts: view.HostView) -> view.RunView:
    inventory = Inventory(
        {v.host.name: v.host for v in hosts},
        {MEMBER.siren: MEMBER},
        {"200066389": "CA Saint-Lô Agglo"},
        "",
    )
    return view.RunView(7, kind, 0.0, 4.0, "admin1@desk", hosts, inventory)


@pytest.mark.parametrize(
    ("kind", "states", "code"),
    [
        ("deploy", [Outcome.DONE], 0),
        ("deploy", [Outcome.DONE, Outcome.DRIFT], 1),
        ("deploy", [Outcome.FAILED], 1),
        ("deploy", [Outcome.HELD], 1),
        ("deploy", [Outcome.PENDING], 1),
        ("deploy", [Outcome.UNREACHABLE, Outcome.DRIFT], 3),
        ("compliance", [Outcome.ERROR], 3),
    ],
)
def test_three_beats_one_beats_zero(kind: str, states: list[Outcome], code: int) -> None:
    assert view.exit_code(run(kind, *(one(f"h{i}", s) for i, s in enumerate(states)))) == code


def test_a_run_in_which_ansible_broke_says_so_in_its_document_too() -> None:
    broken = dataclasses.replace(run("deploy", one("a", Outcome.UNREACHABLE)), broken=True)
    assert run_document(broken)["exit_code"] == 2


def test_a_host_that_never_answered_was_not_seen() -> None:
    away = one("a", Outcome.PENDING)
    away.take(Look("a", 12.0, Status.UNREACHABLE, trouble="a cannot be reached"))
    assert run_document(run("deploy", away))["hosts"][0]["seen"] is None


def test_a_laptop_away_at_night_is_no_failure_but_a_deployment_to_it_is_not_done() -> None:
    away = one("pc", Outcome.UNREACHABLE, Profile.LAPTOP)
    assert view.exit_code(run("compliance", away)) == 0
    assert view.exit_code(run("deploy", away)) == 3
    at_home = one("pc", Outcome.UNREACHABLE, variables={"kit__expected_up": False})
    assert view.exit_code(run("compliance", at_home)) == 0


ITSELF = {"self_observation__server": "kitsurvie.syndicat.example", "kit__mode": "enforce"}


@pytest.mark.parametrize(
    ("profile", "variables", "expected"),
    [
        (Profile.DESKTOP, {}, True),
        (Profile.DESKTOP, ITSELF, False),
        (Profile.PUBLIC_ACCESS, ITSELF, False),
        (Profile.DESKTOP, {**ITSELF, "self_observation__mode": "observe"}, True),
        (Profile.DESKTOP, {**ITSELF, "self_observation__off_until": "9999-12-31"}, True),
        (Profile.DESKTOP, {**ITSELF, "self_observation__server": ""}, True),
        (Profile.DESKTOP, {**ITSELF, "kit__expected_up": True}, True),
        (Profile.SERVER, ITSELF, True),
        (Profile.LAPTOP, {}, False),
        (Profile.LAPTOP, {"kit__expected_up": True}, True),
    ],
)
def test_who_observes_itself_is_not_expected_up_at_night(
    profile: Profile, variables: dict[str, object], expected: bool
) -> None:
    assert one("pc", Outcome.UNREACHABLE, profile, variables=variables).expected_up is expected


def test_the_profiles_that_may_observe_themselves_are_all_but_servers() -> None:
    assert set(kit.load((ROLES,))["self_observation"].profiles) == set(Profile) - {Profile.SERVER}


def test_an_unknown_or_an_error_is_never_taken_for_compliant() -> None:
    for status in (Status.ERROR, Status.UNKNOWN):
        assert view.state_of([Verdict("m", "c", status)], ()) is Outcome.ERROR
    for status in (Status.COMPLIANT, Status.NOT_APPLICABLE, Status.WAIVED):
        assert view.state_of([Verdict("m", "c", status)], ()) is Outcome.DONE


def shown(*hosts: view.HostView) -> str:
    stream = io.StringIO()
    table.show(Console(file=stream, width=140), run("deploy", *hosts))
    return stream.getvalue()


def test_a_drift_is_shown_with_member_expected_found_and_command() -> None:
    drift = Verdict(
        "firewall", "test_default_drop", Status.DRIFT, "accept", "drop", ("uname", "nft -j list")
    )
    text = shown(one("agn-srv", Outcome.DRIFT, verdicts=(drift,)))
    assert "CA Saint-Lô Agglo" in text
    assert "agn-srv  Agneaux  drift" in text
    assert "firewall / test_default_drop  drift" in text
    assert "expected  drop" in text
    assert "found     accept" in text
    assert "command   nft -j list" in text


def test_what_a_host_answers_cannot_drive_the_terminal() -> None:
    hostile = Verdict("firewall", "test_x", Status.DRIFT, "\x1b[2Jgone [red]", "fine", ("c",))
    text = shown(one("h", Outcome.DRIFT, verdicts=(hostile,)))
    assert "\x1b[2J" not in text
    assert "\\x1b[2Jgone [red]" in text


def test_what_a_deployment_changed_is_told_measure_by_measure() -> None:
    changed = {"firewall": Play("h", "firewall", State.CHANGED)}
    same = {"firewall": Play("h", "firewall", State.UNCHANGED)}
    many = [one(f"h{n}", Outcome.DONE, plays=changed) for n in range(1, 9)]
    text = shown(*many, one("h9", Outcome.DONE, plays=same))
    assert "Applied  firewall: h1, h2, h3, h4, h5, h6 and 2 more\n" in text
    assert "Applied" not in shown(one("h9", Outcome.DONE, plays=same))


def test_what_is_off_is_told_with_its_reason_and_its_end_and_what_has_ended_too() -> None:
    off = Item("h", "firewall", Mode.OFF, {}, "s", "the modem", "2027-01-31")
    ended = Item("g", "firewall", Mode.ENFORCE, {}, "s", "the modem", "2026-01-31")
    good = Item("h", "updates", Mode.OFF, {}, "s", "an isolated machine")
    here, there = one("h", Outcome.DONE), one("g", Outcome.DONE)
    here.items, there.items = (off, good), (ended,)
    lines = [line.strip() for line in shown(here, there).splitlines()]
    assert "Off      firewall: h: off until 2027-01-31 (the modem)" in lines
    assert "updates: h: off for good (an isolated machine)" in lines
    assert "firewall: g: no longer off since 2026-01-31 is past, mode enforce (the modem)" in lines
    measures = run_document(run("compliance", here))["hosts"][0]["measures"]
    assert [(m["off_reason"], m["off_until"]) for m in measures] == [
        ("the modem", "2027-01-31"),
        ("an isolated machine", None),
    ]


def test_a_failure_names_the_task_and_what_it_said() -> None:
    play = Play("h", "firewall", State.FAILED, "Load the rules", "syntax error")
    later = Play("h", "updates", State.NOT_REACHED)
    text = shown(one("h", Outcome.FAILED, plays={"firewall": play, "updates": later}))
    assert "firewall: Ansible failed at “Load the rules”: syntax error" in text
    assert "updates: not reached" in text


def test_the_document_says_for_each_measure_what_was_due_and_what_was_found() -> None:
    verdict = Verdict("firewall", "test_x", Status.COMPLIANT, commands=("nft",))
    play = Play("h", "firewall", State.CHANGED, changes=("Load",))
    document = run_document(
        run("deploy", one("h", Outcome.DONE, verdicts=(verdict,), plays={"firewall": play}))
    )
    (host,) = document["hosts"]
    assert document["summary"]["done"] == 1
    assert host["member"] == {"siren": "215000027", "name": "Agneaux"}
    (measure,) = host["measures"]
    assert measure["ansible"]["changes"] == ["Load"]
    assert measure["checks"][0]["status"] == "compliant"


def waiver(measure: str, until: str, scope: str = "epci", owner: str = "the syndicate") -> Waiver:
    return Waiver(
        "inventory/waivers.yml:2", scope, "200066389", frozenset({"h"}), measure, "", "old",
        owner, date.fromisoformat(until),
    )  # fmt: skip


def test_waivers_that_end_together_are_one_line() -> None:
    found = [
        waiver("firewall", "2026-11-26"),
        *(waiver(f"m{n}", "2026-12-01") for n in range(8)),
        waiver("journal", "2026-12-01", owner="the mayor"),
    ]
    where = "inventory/waivers.yml:2"
    assert list(waived.endings(found, date(2026, 11, 26))) == [
        "firewall for the EPCI 200066389: the waiver ends today, on 2026-11-26 "
        f"(the syndicate; {where})",
        "m0, m1, m2, m3, m4, m5 and 2 more for the EPCI 200066389: the waivers end in 5 days, on "
        f"2026-12-01 (the syndicate; {where})",
        "journal for the EPCI 200066389: the waiver ends in 5 days, on 2026-12-01 "
        f"(the mayor; {where})",
    ]


def test_a_run_of_some_measures_speaks_of_their_waivers_alone() -> None:
    until = str(date.today())
    ours, other = waiver("firewall", until), waiver("journal", until)
    made = dataclasses.replace(
        run("compliance", one("h", Outcome.DONE)),
        started_at=time.time(),
        statements=Statements(Waivers((ours, other))),
    )
    assert view.ending(made) == (ours,)


def test_a_whole_measure_waived_is_one_line_with_its_checks_counted() -> None:
    host = one("h", Outcome.PENDING, waivers=(waiver("firewall", "2099-12-31"),))
    drifts = tuple(Verdict("firewall", f"test_{n}", Status.DRIFT) for n in range(3))
    host.take(Look("h", 1.0, Status.DRIFT, drifts))
    assert (host.state, host.recorded) == (Outcome.DONE, Outcome.DRIFT)
    text = " ".join(shown(host).split())
    assert "Waived firewall (3 checks): h: waived until 2099-12-31 by the syndicate (old)" in text


def test_a_drift_whose_verdicts_are_no_longer_kept_stays_a_drift() -> None:
    host = one("h", Outcome.PENDING)
    host.recall(Outcome.DRIFT, "", None)
    assert host.state is Outcome.DRIFT
