"""A measure switched off, for good or until a day, and what is not negotiable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from kitsurvie import inventory, kit
from kitsurvie.errors import InventoryError
from kitsurvie.model import Measure, Mode

from .conftest import FILES, Make

TODAY = date(2027, 1, 15)
EPCI = FILES["group_vars/epci_200066389.yml"]
MEMBER = FILES["group_vars/member_215000027.yml"]
ALL = FILES["group_vars/all.yml"]
WHERE = "inventory/group_vars/member_215000027.yml"
WHY = "firewall__off_reason: the new box comes in spring\n"


@pytest.fixture
def measures(role: Callable[..., Path]) -> Mapping[str, Measure]:
    return kit.load([role("firewall").parent, role("ssh_hardening").parent])


def found(
    make: Make, measures: Mapping[str, Measure], changes: dict[str, str]
) -> list[tuple[str, str, str]]:
    problems = inventory.check(make(changes), measures, TODAY)
    told = [(p.severity.value, p.where, p.what) for p in problems]
    return [one for one in told if "enrolled" not in one[2]]


def member(text: str) -> dict[str, str]:
    return {"group_vars/member_215000027.yml": MEMBER + text}


@pytest.mark.parametrize(
    ("until", "mode"),
    [
        ("2027-01-14", Mode.ENFORCE),
        ("2027-01-15", Mode.OFF),
        ("2027-02-01", Mode.OFF),
        ("", Mode.ENFORCE),
        (None, Mode.ENFORCE),
    ],
)
def test_until_that_day_included_it_is_off_then_the_mode_of_the_wider_scope_holds(
    measures: Mapping[str, Measure], until: str | None, mode: Mode
) -> None:
    variables = {"kit__mode": "observe", "firewall__mode": "enforce", "firewall__off_until": until}
    assert kit.mode(measures["firewall"], variables, TODAY) is mode


@pytest.mark.parametrize("until", ["31/01/2027", "20270131", "2027-02-30", "soon", 2027])
def test_what_is_no_day_is_refused_and_never_taken_for_past(
    make: Make, measures: Mapping[str, Measure], until: object
) -> None:
    with pytest.raises(InventoryError, match="not a day"):
        kit.mode(measures["firewall"], {"firewall__off_until": until}, TODAY)
    [problem] = found(make, measures, member(f"firewall__off_until: '{until}'\n"))
    assert (problem[0], problem[1]) == ("error", f"{WHERE}:3")
    assert "not a day" in problem[2]


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2027-01-14", ("warning", f"{WHERE}:4", "ended on 2027-01-14")),
        ("2027-01-15", ("warning", f"{WHERE}:4", "ends on 2027-01-15")),
        ("2027-02-14", ("warning", f"{WHERE}:4", "ends on 2027-02-14")),
        ("2027-02-15", None),
    ],
)
def test_an_exception_is_announced_a_month_before_its_end_and_told_after(
    make: Make, measures: Mapping[str, Measure], until: str, said: tuple[str, str, str] | None
) -> None:
    problems = found(make, measures, member(f'{WHY}firewall__off_until: "{until}"\n'))
    if said is None:
        assert problems == []
    else:
        [problem] = problems
        assert problem[:2] == said[:2]
        assert said[2] in problem[2]


def test_an_exception_without_a_reason_is_an_error_at_its_line(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    [problem] = found(make, measures, member('firewall__off_until: "2028-01-01"\n'))
    assert problem[:2] == ("error", f"{WHERE}:3")
    assert "nothing says why" in problem[2]


def test_a_choice_for_good_with_its_reason_is_no_problem(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    assert found(make, measures, member(f"{WHY}firewall__mode: 'off'\n")) == []


def test_off_for_good_and_until_a_day_is_a_contradiction(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    text = f'{WHY}firewall__mode: off\nfirewall__off_until: "2028-01-01"\n'
    [problem] = inventory.check(make({**member(text), "known_hosts": ""}), measures, TODAY)[:1]
    assert (problem.severity.value, problem.where) == ("error", f"{WHERE}:4")
    assert "Take firewall__mode out" in problem.remedy


def test_a_member_s_mode_that_the_epci_s_exception_beats_is_told(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    epci = {"group_vars/epci_200066389.yml": f'{EPCI}{WHY}firewall__off_until: "2028-01-01"\n'}
    [problem] = found(make, measures, {**epci, **member("firewall__mode: enforce\n")})
    assert problem[:2] == ("error", f"{WHERE}:3")
    settled = member('firewall__mode: enforce\nfirewall__off_until: ""\n')
    assert found(make, measures, {**epci, **settled}) == []


LISTED = f"{ALL}firewall__mode: enforce\nkit__not_negotiable: [firewall]\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"{WHY}firewall__mode: 'off'\n", "switches it off"),
        (f'{WHY}firewall__off_until: "2028-01-01"\n', "switches it off"),
        (f"{WHY}firewall__mode: observe\n", "only observes it"),
    ],
)
def test_nobody_weakens_what_is_not_negotiable(
    make: Make, measures: Mapping[str, Measure], text: str, what: str
) -> None:
    [problem] = found(make, measures, {"group_vars/all.yml": LISTED, **member(text)})
    assert problem[:2] == ("error", f"{WHERE}:4")
    assert what in problem[2]
    assert "member_215000027" in problem[2]


def test_a_mode_for_all_measures_weakens_it_only_where_the_syndicate_enforces_by_that(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    """The syndicate's own firewall__mode holds over a member's kit__mode."""
    observes = member("kit__mode: observe\n")
    assert found(make, measures, {"group_vars/all.yml": LISTED, **observes}) == []
    general = "ansible_user: admin1\nkit__mode: enforce\nkit__not_negotiable: [firewall]\n"
    [problem] = found(make, measures, {"group_vars/all.yml": general, **observes})
    assert problem[:2] == ("error", f"{WHERE}:3")


def test_what_the_syndicate_only_observes_may_be_enforced_and_not_switched_off(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    observed = {"group_vars/all.yml": f"{ALL}kit__not_negotiable: [firewall]\n"}
    assert found(make, measures, {**observed, **member("firewall__mode: enforce\n")}) == []
    off = f"{WHY}firewall__mode: 'off'\n"
    assert len(found(make, measures, {**observed, **member(off)})) == 1


def test_only_the_syndicate_may_say_what_is_not_negotiable(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    [problem] = found(make, measures, member("kit__not_negotiable: [firewall]\n"))
    assert "only the syndicate" in problem[2]
    listed = {"group_vars/all.yml": f"{ALL}kit__not_negotiable: [firewal]\n"}
    [problem] = found(make, measures, listed)
    assert "'firewal', which is no measure" in problem[2]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("firewall__change_windows: mon 18:00-19:00", "is not a list of windows"),
        ("firewall__change_windows: [mon-fry 18:00-19:00]", "'mon-fry' is not a day"),
        ("firewall__freezes: [{from: 2027-03-14, until: 2027-03-01, reason: x}]", "ends before"),
    ],
)
def test_windows_and_freezes_of_a_measure_are_held_to_the_kit_s_rules(
    make: Make, measures: Mapping[str, Measure], text: str, what: str
) -> None:
    [problem] = found(make, measures, member(f"{text}\n"))
    assert problem[:2] == ("error", f"{WHERE}:3")
    assert what in problem[2]


def test_a_measure_s_freezes_that_leave_one_of_the_kit_s_out_are_told(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    """They stand in the place of the kit's: an election must not thaw by oversight."""
    election = '{from: "2027-03-14", until: "2027-03-21", reason: elections}'
    past = '{from: "2026-03-14", until: "2026-03-21", reason: payroll}'
    everybody = {"group_vars/all.yml": f"{ALL}kit__freezes: [{election}, {past}]\n"}
    own = '{from: "2027-04-01", until: "2027-04-02", reason: council}'
    [problem] = found(make, measures, {**everybody, **member(f"firewall__freezes: [{own}]\n")})
    assert problem[0] == "warning"
    assert "elections" in problem[2]
    assert found(make, measures, {**everybody, **member("firewall__freezes: []\n")}) == []
    both = member(f"firewall__freezes: [{own}, {election}]\n")
    assert found(make, measures, {**everybody, **both}) == []
