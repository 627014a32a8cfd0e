"""The morning's page has what PCs handed in since the night, with the moment they looked."""

from __future__ import annotations

import time

from kitsurvie.cli import handed_in, view
from kitsurvie.cli.told import NOT_LISTED
from kitsurvie.ledger import Outcome, Record, Run, RunState
from kitsurvie.model import Evidence, Status, Verdict

from .conftest import WELL, Desk, handed

NIGHT = time.time() - 6 * 3600


def night(desk: Desk, *seen: str) -> Run:
    """A run in which these hosts were seen and the others were away."""
    number = desk.ledger.start_run("compliance", "night", {}, [h.name for h in desk.world.hosts])
    said = Verdict("demo", "test_the_door_is_closed", Status.DRIFT, "open", "closed")
    for host in desk.world.hosts:
        known = host.name in seen
        evidence = Evidence(host.name, {}) if known else None
        state = Outcome.DRIFT if known else Outcome.UNREACHABLE
        verdicts = (said,) if known else ()
        desk.ledger.record(number, [Record(host.name, NIGHT, verdicts, evidence, state)])
    desk.ledger.end_run(number, RunState.ENDED)
    return desk.ledger.run(number)


def test_a_pc_that_woke_up_is_shown_as_it_saw_itself(desk: Desk) -> None:
    run = night(desk, "pc-1")
    looked = int(time.time()) - 600
    desk.put("pc-2", handed("pc-2", looked))
    desk.ingest()
    found = handed_in.since(desk.ledger, run, desk.ledger.seen(run.id))
    assert set(found) == {"pc-2"}
    (one,) = [h for h in desk.world.hosts if h.name == "pc-2"]
    shown = view.HostView(one, ())
    shown.recall(found["pc-2"].state, found["pc-2"].detail, found["pc-2"].seen, own=True)
    assert (shown.state, shown.at, shown.own) == (Outcome.DONE, looked, True)
    assert handed_in.words([shown])[0].startswith("Since then 1 machine has looked at itself")


def test_the_newest_of_several_looks_counts_and_a_later_one_of_ours_is_kept(desk: Desk) -> None:
    for ago in (7200, 3600):
        desk.put("pc-2", handed("pc-2", int(time.time()) - ago))
        desk.ingest()
    run = desk.ledger.start_run("compliance", "night", {}, ["pc-2"])
    desk.ledger.end_run(run, RunState.ENDED)
    # the run saw the PC after it had looked at itself
    ours = desk.ledger.seen(desk.ledger.runs("ingest", limit=1)[0].id)["pc-2"]
    early = desk.ledger.run(1)
    assert handed_in.since(desk.ledger, early, {})["pc-2"].seen.at == ours.at
    assert handed_in.since(desk.ledger, early, {"pc-2": ours}) == {}


def test_what_a_list_is_too_old_for_makes_no_trouble_of_the_machine(desk: Desk) -> None:
    run = night(desk)
    old = {command: said for command, said in WELL.items() if command != "light"}
    desk.put("pc-3", handed("pc-3", int(time.time()) - 60, old))
    desk.ingest()
    look = handed_in.since(desk.ledger, run, {})["pc-3"]
    assert NOT_LISTED in {verdict.message for verdict in look.seen.verdicts}
    (one,) = [h for h in desk.world.hosts if h.name == "pc-3"]
    shown = view.HostView(one, ())
    shown.recall(look.state, look.detail, look.seen, own=True)
    assert shown.state is Outcome.DONE
    assert "newer than its list" in shown.detail


def test_a_night_after_which_nobody_handed_in_says_nothing(desk: Desk) -> None:
    assert handed_in.since(desk.ledger, night(desk), {}) == {}
    assert handed_in.words([]) == []
