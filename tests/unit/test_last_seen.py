"""What is known of a machine that did not answer: the newest verdicts, each with its age."""

from __future__ import annotations

from kitsurvie.ledger import Ledger, Outcome, Record
from kitsurvie.model import Answer, Evidence, Status, Verdict


def night(
    ledger: Ledger, at: float, said: dict[str, dict[str, Status] | None], **asked: object
) -> int:
    """A run in which each host answered so (None: it did not); gives its number."""
    run = ledger.start_run("compliance", "x", {"measures": [], **asked}, said)
    for host, found in said.items():
        verdicts = tuple(Verdict(m, "test_it", status) for m, status in (found or {}).items())
        evidence = None if found is None else Evidence(host, {"uname": Answer(0, b"L", b"")})
        state = Outcome.UNREACHABLE if found is None else Outcome.DONE
        ledger.record(run, [Record(host, at, verdicts, evidence, state)])
    return run


def test_the_newest_answer_counts_and_a_silent_night_does_not(ledger: Ledger) -> None:
    night(ledger, 1.0, {"pc": {"updates": Status.DRIFT}})
    answered = night(ledger, 2.0, {"pc": {"updates": Status.COMPLIANT}, "other": {}})
    night(ledger, 3.0, {"pc": None, "never": None})
    found = ledger.last_seen(["pc", "never"])
    assert set(found) == {"pc"}
    assert (found["pc"].at, found["pc"].run) == (2.0, answered)
    assert [past.verdict.status for past in found["pc"].verdicts] == [Status.COMPLIANT]


def test_a_run_of_some_measures_is_completed_from_those_before_it(ledger: Ledger) -> None:
    night(ledger, 1.0, {"pc": {"updates": Status.COMPLIANT, "gone": Status.DRIFT}})
    night(ledger, 2.0, {"pc": {"updates": Status.DRIFT, "firewall": Status.DRIFT}})
    night(ledger, 3.0, {"pc": {"updates": Status.COMPLIANT}}, measures=["updates"])
    found = ledger.last_seen(["pc"])["pc"]
    assert found.at == 3.0
    assert [(p.verdict.measure, p.verdict.status, p.at) for p in found.verdicts] == [
        ("updates", Status.COMPLIANT, 3.0),
        ("firewall", Status.DRIFT, 2.0),
    ]


def test_a_past_run_knows_nothing_of_what_came_after_it(ledger: Ledger) -> None:
    first = night(ledger, 1.0, {"pc": {"updates": Status.DRIFT}})
    past = night(ledger, 2.0, {"pc": None})
    night(ledger, 3.0, {"pc": {"updates": Status.COMPLIANT}})
    assert ledger.last_seen(["pc"], past)["pc"].run == first
