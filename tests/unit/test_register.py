"""The register of equipment: repeatable imports that can be undone, and decisions on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import Ledger
from kitsurvie.ledger.importing import Day, Entry, Importing, Refused
from kitsurvie.ledger.purging import Over, Purged
from kitsurvie.ledger.register import Import, Register


@pytest.fixture
def register(ledger: Ledger) -> Register:
    return ledger.register


def entry(key: str, data: str = "x", kind: str = "record") -> Entry:
    return Entry(kind, "glpi-csv", "syndicat", key, data.encode())


def day(day: str, user: str = "u1") -> Day:
    return Day(day, "215000027", "50002", "PC-1", "S1", user)


def seen(data: bytes) -> float:
    """Of bytes such as `3 x`: seen on day 3; those of a word alone are not dated."""
    day = data.split()[0]
    return float(day) if day.isdigit() else float("-inf")


def take(register: Register, *given: Entry | Day | Refused) -> Import:
    def give(to: Importing) -> None:
        for one in given:
            match one:
                case Entry():
                    to.entry(one)
                case Day():
                    to.day(one)
                case Refused():
                    to.refuse(one)

    return register.take("admin1@desk", ["a.csv"], give, seen)


def stands(register: Register) -> dict[str, str]:
    return {one.key: one.data.decode() for one in register.entries()}


def test_an_empty_register_says_nothing_and_makes_nothing(register: Register) -> None:
    assert (register.imports(), list(register.entries()), list(register.days())) == ((), [], [])
    assert (register.devices(), register.acts()) == ({}, ())


def test_what_is_imported_again_is_there_once(register: Register) -> None:
    first = take(register, entry("1"), entry("2"), day("2026-10-01"))
    again = take(register, entry("1"), entry("2", "y"), entry("3"), day("2026-10-01"))
    assert first.counts == {
        "new": 2,
        "changed": 0,
        "same": 0,
        "twice": 0,
        "older": 0,
        "days": 1,
        "refused": 0,
    }
    assert again.counts == {
        "new": 1,
        "changed": 1,
        "same": 1,
        "twice": 0,
        "older": 0,
        "days": 1,
        "refused": 0,
    }
    assert stands(register) == {"1": "x", "2": "y", "3": "x"}
    assert [one.day for one in register.days()] == ["2026-10-01"]


def test_the_second_of_a_name_in_one_import_counts(register: Register) -> None:
    take(register, entry("1"), entry("1", "y"))
    assert stands(register) == {"1": "y"}


@pytest.mark.parametrize("together", [1, 500])
@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("2 new", "1 old", "2 new"),
        ("1 old", "2 new", "2 new"),
        ("1 dated", "undated", "1 dated"),
        ("undated", "1 dated", "1 dated"),
        ("1 first", "1 last", "1 last"),
        ("first", "last", "last"),
    ],
)
@pytest.mark.parametrize("before", [None, "0 before", "1 old", "2 new"])
def test_of_one_thing_said_twice_in_an_import_the_latest_seen_is_kept(
    register: Register, monkeypatch: pytest.MonkeyPatch, together: int, first: str, second: str,
    kept: str, before: str | None,
) -> None:  # fmt: skip
    monkeypatch.setattr("kitsurvie.ledger.importing.TOGETHER", together)
    if before:
        take(register, entry("1", before))
    done = take(register, entry("1", first), entry("1", second), entry("2"))
    assert stands(register) == {"1": kept, "2": "x"}
    counted = {name: done.counts[name] for name in ("new", "changed", "same", "twice")}
    assert counted["twice"] == 1
    assert sum(counted.values()) == 3
    assert counted["same"] == (before == kept)
    register.undo(done.id)
    assert stands(register) == ({"1": before} if before else {})


@pytest.mark.parametrize("together", [1, 500])
@pytest.mark.parametrize(
    ("given", "older"),
    [
        (["2 old"], 1),
        (["3 other"], 0),  # as late as what stands
        (["4 new"], 0),
        (["undated"], 0),
        (["3 x"], 0),
        (["2 old", "4 new"], 0),
        (["4 new", "2 old"], 0),
        (["1 old", "2 old"], 1),
        (["2 old", "3 x"], 0),
        (["undated", "2 old"], 1),
    ],
)
def test_what_goes_back_to_an_earlier_day_is_taken_and_counted(
    register: Register, monkeypatch: pytest.MonkeyPatch, together: int, given: list[str], older: int
) -> None:
    monkeypatch.setattr("kitsurvie.ledger.importing.TOGETHER", together)
    take(register, entry("1", "3 x"), entry("2", "undated"))
    done = take(register, *(entry("1", one) for one in given), entry("2", "1 dated"))
    assert done.counts["older"] == older
    assert stands(register)["1"] == max(given, key=lambda one: seen(one.encode()))
    register.undo(done.id)
    assert stands(register) == {"1": "3 x", "2": "undated"}


@settings(max_examples=40)
@given(
    given=st.lists(st.tuples(st.sampled_from("12"), st.integers(0, 3), st.sampled_from("xy"))),
    together=st.integers(1, 4),
)
def test_each_entry_that_is_given_is_counted_once(
    new_ledger_url: Callable[[], str], given: list[tuple[str, int, str]], together: int
) -> None:
    ledger = Ledger.open(new_ledger_url())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kitsurvie.ledger.importing.TOGETHER", together)
        take(ledger.register, entry("1", "1 x"))
        counts = take(ledger.register, *(entry(key, f"{n} {w}") for key, n, w in given)).counts
    ledger.close()
    assert sum(counts[name] for name in ("new", "changed", "same", "twice")) == len(given)
    assert min(counts.values()) >= 0


def test_an_import_that_breaks_leaves_nothing(register: Register) -> None:
    take(register, entry("1"))

    def give(to: Importing) -> None:
        for number in range(2000):
            to.entry(entry(str(number), "y"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register.take("x", ["b.csv"], give)
    assert stands(register) == {"1": "x"}
    assert len(register.imports()) == 1


def test_an_import_is_undone_once(register: Register) -> None:
    one = take(register, entry("1"), Refused("a.csv", 7, "no date", "1;x"))
    assert register.refused(one.id) == (Refused("a.csv", 7, "no date", "1;x"),)
    assert register.undo(one.id).undone_at is not None
    assert (stands(register), register.refused(one.id)) == ({}, ())
    with pytest.raises(LedgerError, match="undone already"):
        register.undo(one.id)
    with pytest.raises(LedgerError, match="no import 99"):
        register.undo(99)


def test_days_that_a_later_import_had_too_stay(register: Register) -> None:
    first = take(register, day("2026-10-01"), day("2026-10-02"))
    second = take(register, day("2026-10-02"), day("2026-10-03"))
    register.undo(first.id)
    assert [one.day for one in register.days()] == ["2026-10-02", "2026-10-03"]
    register.undo(second.id)
    assert list(register.days()) == []


def test_days_that_an_earlier_import_had_too_stay(register: Register) -> None:
    take(register, day("2026-10-01"), day("2026-10-02"))
    second = take(register, day("2026-10-02"), day("2026-10-03"))
    register.undo(second.id)
    assert [one.day for one in register.days()] == ["2026-10-01", "2026-10-02"]


def told(imports: Iterable[dict[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in imports:
        found |= one
    return found


@settings(max_examples=60, deadline=None)
@given(
    imports=st.lists(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=6
    ),
    data=st.data(),
)
def test_undone_in_any_order_it_is_as_if_they_had_never_been(
    new_ledger_url: Callable[[], str], imports: list[dict[str, str]], data: st.DataObject
) -> None:
    ledger = Ledger.open(new_ledger_url())
    register = ledger.register
    numbers = [take(register, *(entry(k, v) for k, v in one.items())).id for one in imports]
    left = dict(zip(numbers, imports, strict=True))
    for number in data.draw(st.permutations(numbers)):
        register.undo(number)
        del left[number]
        assert stands(register) == told(left.values())
    ledger.close()


def test_devices_are_replaced_whole(register: Register) -> None:
    register.set_devices({("glpi-csv", "", "1"): "D1", ("glpi-csv", "", "2"): "D1"})
    register.set_devices({("glpi-csv", "", "1"): "D2"})
    assert register.devices() == {("glpi-csv", "", "1"): "D2"}
    register.set_devices({})
    assert register.devices() == {}


def test_a_decision_is_taken_back_and_stays_on_record(register: Register) -> None:
    number = register.decide("admin1@desk", "merge", {"a": "1", "b": "é"})
    assert [(one.kind, one.data) for one in register.acts("merge")] == [
        ("merge", {"a": "1", "b": "é"})
    ]
    register.revoke("admin2@desk", number)
    assert register.acts() == ()
    assert [one.id for one in register.acts(undone=True)] == [number]
    with pytest.raises(LedgerError, match=f"no decision {number}"):
        register.revoke("admin2@desk", number)


MEMBER, ELSEWHERE = "215000027", "215000035"


def over(day: str, moment: float = 0.0, acts: tuple[int, ...] = ()) -> Over:
    """What is over; entries are their user after a space, and one that says `ended` is ended."""
    return Over(
        day=day,
        moment=moment,
        past=lambda _, data: data.split(b" ")[0],
        kinds=("exemption",),
        ended=lambda _, data: None if data.startswith(b"ended") else data,
        acts=acts,
    )


def test_a_person_of_a_member_is_forgotten_everywhere(register: Register) -> None:
    person, other = "a" * 32, "b" * 32
    take(register, entry("1", f"user {person}"), entry("2", f"user {other}"))
    take(
        register, entry("1", f"new user {person}"), day("2026-10-01", person),
        day("2026-10-01", other), Refused("a.csv", 3, "why", f"PC-1,{person}"),
    )  # fmt: skip
    for member in (MEMBER, ELSEWHERE):
        register.decide(
            "admin1@desk", "exempt", {"user": person, "member": member, "reason": "élections"}
        )

    def rewrite(_: str, data: bytes) -> bytes:
        return data.replace(person.encode(), b"")

    assert register.forget(person, MEMBER, rewrite) == 5
    assert stands(register) == {"1": "new user ", "2": f"user {other}"}
    assert [one.user for one in register.days()] == [other]
    assert register.refused(2)[0].text == "PC-1,nobody"
    assert [one.data["user"] for one in register.acts()] == ["", person]
    assert register.acts()[0].data["reason"] == "élections"
    register.undo(2)
    assert stands(register) == {"1": "user ", "2": f"user {other}"}


def test_what_a_forgotten_person_was_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    file, person = tmp_path / "ledger.sqlite", "a" * 32
    ledger = Ledger.open(f"sqlite:///{file}")
    take(ledger.register, *(entry(str(n), f"{n} {person}") for n in range(300)))
    take(ledger.register, *(entry(str(n), f"{n} new {person}") for n in range(300)))
    ledger.register.forget(person, MEMBER, lambda _, data: data.replace(person.encode(), b""))
    ledger.give_back()
    ledger.close()
    kept = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"299 new " in kept
    assert person.encode() not in kept


def test_what_is_over_is_purged_and_what_stands_stays(register: Register) -> None:
    first = take(
        register, entry("1", "PC-1 u1"), Refused("a.csv", 3, "why", "PC-1,u1"),
        entry("e", "ended x", "exemption"), entry("f", "runs x", "exemption"),
    )  # fmt: skip
    second = take(
        register, entry("1", "PC-1 u2"), day("2026-07-31"), day("2026-08-01"),
        Refused("b.csv", 1, "why", "PC-2,u2"),
    )  # fmt: skip
    take(register, entry("1", "PC-1 u3"))
    number = register.decide("admin1@desk", "exempt", {"user": "u1", "member": MEMBER})
    wanted = over("2026-08-01", second.at, (number, 99))
    foretold = register.purge(wanted, dry_run=True)
    assert foretold == Purged(days=1, refused=1, ended=1, decisions=1)
    assert len(list(register.days())) == 2
    assert register.purge(wanted) == foretold
    assert register.purge(wanted) == Purged()
    assert [one.day for one in register.days()] == ["2026-08-01"]
    assert [register.refused(one.id)[0].text for one in (first, second)] == ["", "PC-2,u2"]
    assert stands(register) == {"1": "PC-1 u3", "f": "runs x"}
    # the former user of an entry goes once what superseded it is old enough
    assert register.purge(over("", second.at + 0.0001)).superseded == 1
    register.undo(3)
    register.undo(2)
    assert stands(register)["1"] == "PC-1"


def test_nothing_is_purged_where_nothing_was_imported(tmp_path: Path) -> None:
    register = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}").register
    assert register.purge(over("2026-08-01")) == Purged()
    assert register.forget("p", MEMBER, lambda _, data: data) == 0


def test_what_one_import_says_twice_supersedes_the_imports_before_and_not_itself(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exports of several months in one folder: more between the two than is written together."""
    monkeypatch.setattr("kitsurvie.ledger.importing.TOGETHER", 2)
    keys = ("1", "2", "3")
    take(register, *(entry(key, "august") for key in keys))
    both = [entry(key, month) for month in ("october", "september") for key in keys]
    second = take(register, *both)
    assert second.counts["changed"] == 3
    assert stands(register) == dict.fromkeys(keys, "september")
    register.undo(second.id)
    assert stands(register) == dict.fromkeys(keys, "august")
    third = take(register, *both, entry("4", "new"))
    take(register, *(entry(key, "november") for key in keys))
    register.undo(third.id)
    assert stands(register) == dict.fromkeys(keys, "november")


def test_what_one_import_says_again_and_then_otherwise_is_told_by_its_last_word(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsurvie.ledger.importing.TOGETHER", 1)
    take(register, entry("1", "a"))
    second = take(register, entry("1", "a"), entry("1", "b"))
    assert (second.counts["same"], second.counts["changed"]) == (0, 1)
    register.undo(1)
    assert stands(register) == {"1": "b"}
    register.undo(second.id)
    assert stands(register) == {}
