"""The states of a host, each apart, and a score that nothing unproved can raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie.cli.standing import Standing, percent, score, standing
from kitsurvie.ledger import Outcome
from kitsurvie.model import Status, Verdict

COMPLIANT, DRIFT, WAIVED = Status.COMPLIANT, Status.DRIFT, Status.WAIVED
NOT_APPLICABLE, ERROR, UNKNOWN = Status.NOT_APPLICABLE, Status.ERROR, Status.UNKNOWN


def verdicts(*statuses: Status) -> tuple[Verdict, ...]:
    return tuple(Verdict("m", f"test_{n}", status) for n, status in enumerate(statuses))


@pytest.mark.parametrize(
    ("state", "statuses", "stands"),
    [
        (Outcome.DONE, [COMPLIANT, NOT_APPLICABLE], Standing.COMPLIANT),
        (Outcome.DONE, [COMPLIANT, WAIVED], Standing.WAIVED),
        (Outcome.DONE, [NOT_APPLICABLE], Standing.NOT_APPLICABLE),
        (Outcome.DONE, [], Standing.NOT_APPLICABLE),
        (Outcome.DRIFT, [DRIFT, WAIVED], Standing.DRIFT),
        (Outcome.ERROR, [UNKNOWN, DRIFT], Standing.UNKNOWN),
        (Outcome.ERROR, [UNKNOWN, ERROR], Standing.ERROR),
        (Outcome.ERROR, [], Standing.ERROR),
        (Outcome.FAILED, [COMPLIANT], Standing.FAILED),
        (Outcome.HELD, [DRIFT], Standing.HELD),
        (Outcome.PENDING, [], Standing.PENDING),
    ],
)
def test_a_host_that_answered_stands_as_its_verdicts(
    state: Outcome, statuses: list[Status], stands: Standing
) -> None:
    told = standing(state, verdicts(*statuses), expected_up=True, days_unseen=None, most_days=30)
    assert told is stands


@pytest.mark.parametrize(
    ("expected_up", "days", "stands"),
    [
        (True, None, Standing.UNREACHABLE),
        (True, 3.0, Standing.UNREACHABLE),
        (True, 30.1, Standing.UNSEEN),
        (False, 3.0, Standing.ABSENT),
        (False, 30.0, Standing.ABSENT),
        (False, 30.1, Standing.UNSEEN),
        (False, None, Standing.UNSEEN),
    ],
)
def test_a_host_that_did_not_answer_is_unreachable_absent_or_unseen(
    expected_up: bool, days: float | None, stands: Standing
) -> None:
    told = standing(
        Outcome.UNREACHABLE, (), expected_up=expected_up, days_unseen=days, most_days=30
    )
    assert told is stands


def test_the_score_with_and_without_waivers() -> None:
    of = score([verdicts(COMPLIANT, COMPLIANT, WAIVED, NOT_APPLICABLE), verdicts(DRIFT), ()])
    assert (of.hosts, of.judged, of.asked) == (3, 2, 4)
    assert (of.with_waivers, of.without_waivers) == (0.75, 0.5)


def test_nothing_asked_is_no_score() -> None:
    for of in (score([]), score([()]), score([verdicts(NOT_APPLICABLE)])):
        assert (of.with_waivers, of.without_waivers) == (None, None)
    assert percent(None) == "-"


@given(st.lists(st.lists(st.sampled_from(list(Status)))))
def test_only_compliant_and_waived_ever_raise_a_score(hosts: list[list[Status]]) -> None:
    of = score(verdicts(*statuses) for statuses in hosts)
    rest = [s for statuses in hosts for s in statuses if s is not NOT_APPLICABLE]
    if not rest:
        assert of.with_waivers is None
        return
    assert of.without_waivers == rest.count(COMPLIANT) / len(rest)
    assert of.with_waivers == (rest.count(COMPLIANT) + rest.count(WAIVED)) / len(rest)


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.9999, "99 %"), (0.29, "29 %"), (0.0, "0 %"), (0.005, "0 %")],
)
def test_a_share_is_never_rounded_up(share: float, words: str) -> None:
    assert percent(share) == words
