"""Nothing is told of the use of fewer than five agents, nor left to be worked out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kitsurvie.assets.crowd import FEWEST, groups, shown

EPCIS = {"a": "E", "b": "E", "c": "E", "d": "F", "e": "F", "f": None}


def agents(**counts: int) -> dict[str, set[str]]:
    return {name: {f"{name}{n}" for n in range(count)} for name, count in counts.items()}


def told(**counts: int) -> list[tuple[str, str]]:
    found = groups(agents(**counts), EPCIS)
    return sorted(("".join(sorted(one.members)), one.epci) for one in found)


def test_a_member_with_five_agents_stands_alone_and_small_ones_are_told_as_their_epci() -> None:
    assert told(a=5, b=3, c=2, d=9) == [("a", "E"), ("bc", "E"), ("d", "F")]


def test_what_stays_under_five_is_not_left_to_be_worked_out_from_the_sum() -> None:
    # d alone would be the sum less a: it takes a in
    assert told(a=7, d=1) == [("ad", "")]
    assert told(a=7, b=6, c=1) == [("a", "E"), ("bc", "E")]
    assert told(a=2, b=3, d=1, f=9) == [("abd", ""), ("f", "")]


def test_fewer_than_five_in_all_are_not_told_at_all() -> None:
    assert told(a=2, d=2) == []
    assert told() == []


def test_one_person_of_two_members_is_one_person() -> None:
    assert groups({"a": {"x", "y", "z"}, "b": {"x", "y", "w"}}, EPCIS) == ()


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 8), max_size=6))
def test_every_group_is_a_crowd_and_every_member_is_in_one_or_none_is_told(
    counts: dict[str, int],
) -> None:
    found = groups(agents(**counts), EPCIS)
    assert all(len(one.agents) >= FEWEST for one in found)
    members = [member for one in found for member in one.members]
    assert sorted(members) == (sorted(counts) if found else [])


def shown_of(**counts: int) -> tuple[str, str]:
    found = shown(agents(**counts), EPCIS)
    return "".join(sorted(found.members)), "".join(sorted(found.epcis))


def test_side_by_side_a_member_and_its_epci_are_shown_from_five_agents_up() -> None:
    assert shown_of(a=5, b=3, c=2, d=9) == ("ad", "EF")
    assert shown_of(d=2, e=2) == ("", "")


def test_a_small_member_is_not_what_the_epci_is_more_than_those_shown() -> None:
    assert shown_of(a=7, b=6, c=1) == ("a", "E")
    assert shown_of(a=7, c=1) == ("", "E")
    # where nobody is known there is nobody to protect
    assert shown_of(a=7, b=6, c=0) == ("ab", "E")


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 8), max_size=6))
def test_what_an_epci_is_more_than_its_members_shown_is_of_nobody_or_of_five(
    counts: dict[str, int],
) -> None:
    who = agents(**counts)
    found = shown(who, EPCIS)
    assert all(len(who[one]) >= FEWEST for one in found.members)
    for epci in found.epcis:
        theirs = [one for one in who if (EPCIS[one] or "") == epci]
        assert sum(len(who[one]) for one in theirs) >= FEWEST
        hidden = sum(len(who[one]) for one in theirs if one not in found.members)
        assert hidden == 0 or hidden >= FEWEST
    assert all((EPCIS[one] or "") in found.epcis for one in found.members)
