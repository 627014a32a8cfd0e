"""Waivers are read strictly: what is wrong with them is told whole, at its line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsurvie import inventory, kit
from kitsurvie.inventory import Known, Severity, waivers
from kitsurvie.inventory.estate import Estate
from kitsurvie.model import Measure, Waiver

from .conftest import FILES, Make, Run

TODAY = date(2026, 11, 26)
ESTATE = Estate(
    groups={
        "agneaux-srv-01": ("epci_200066389", "member_215000027"),
        "agneaux-pc-01": ("epci_200066389", "member_215000027"),
        "saint-lo-srv-01": ("epci_200066389", "member_215005026"),
        "manche-pc-01": ("member_225005024",),
        "granville-portable-01": ("epci_200042604", "member_215002189"),
    },
    profiles={
        "agneaux-srv-01": "server",
        "agneaux-pc-01": "desktop",
        "saint-lo-srv-01": "server",
        "manche-pc-01": "desktop",
        "granville-portable-01": "laptop",
    },
    not_negotiable=frozenset({"ssh_hardening"}),
)
CHECKS = {"firewall": ["test_default_drop", "test_open[22]"], "kit": ["supported_release"]}
GOOD = {
    "host": "agneaux-srv-01",
    "measure": "firewall",
    "reason": "the supplier connects until spring",
    "owner": "the director of services",
    "until": '"2027-01-31"',
}


@pytest.fixture
def measures(role: Callable[..., Path]) -> Mapping[str, Measure]:
    return kit.load([role("firewall").parent, role("ssh_hardening").parent])


def entry(changes: Mapping[str, str | None] | None = None) -> str:
    """A waiver, one key a line; `changes` replace or add a key, None leaves it out."""
    texts = {**GOOD, **(changes or {})}
    lines = [f"{key}: {text}" for key, text in texts.items() if text is not None]
    return "  - " + "\n    ".join(lines) + "\n"


Read = Callable[..., tuple[tuple[Waiver, ...], list[tuple[str, str, str]]]]


@pytest.fixture
def read(tmp_path: Path, measures: Mapping[str, Measure]) -> Read:
    folder = tmp_path / "inventory"
    folder.mkdir()

    def load(
        text: str | bytes, file: str = "waivers.yml"
    ) -> tuple[tuple[Waiver, ...], list[tuple[str, str, str]]]:
        content = text.encode() if isinstance(text, str) else text
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)
        found, problems = waivers.load(
            folder, ESTATE, measures, CHECKS.__getitem__, TODAY, furthest=366
        )
        assert all(p.remedy and p.what.endswith(".") and p.what.isprintable() for p in problems)
        told = [(p.severity.value, p.where, p.what) for p in problems]
        return found.listed, told

    return load


def test_a_sound_waiver_says_whom_it_means_and_until_when(read: Read) -> None:
    [waiver], problems = read("---\nwaivers:\n" + entry({"ticket": "GLPI 4711"}))
    assert problems == []
    assert waiver == Waiver(
        "inventory/waivers.yml:3", "host", "agneaux-srv-01", frozenset({"agneaux-srv-01"}),
        "firewall", "", GOOD["reason"], GOOD["owner"], date(2027, 1, 31), "GLPI 4711",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "---\n", "waivers:\n", "waivers: []\n", "# nothing\n"])
def test_no_waiver_is_no_fault(read: Read, text: str) -> None:
    assert read(text) == ((), [])


@pytest.mark.parametrize(
    ("whom", "hosts"),
    [
        ({"member": '"215000027"'}, {"agneaux-srv-01", "agneaux-pc-01"}),
        ({"epci": "200066389"}, {"agneaux-srv-01", "agneaux-pc-01", "saint-lo-srv-01"}),
        ({"hosts": "'epci_200066389:!*-pc-*'"}, {"agneaux-srv-01", "saint-lo-srv-01"}),
        ({"hosts": "manche-pc-01,saint-lo-srv-01"}, {"manche-pc-01", "saint-lo-srv-01"}),
    ],
)
def test_a_waiver_is_for_a_host_a_pattern_a_member_or_an_epci(
    read: Read, whom: dict[str, str], hosts: set[str]
) -> None:
    [waiver], problems = read("waivers:\n" + entry({"host": None, **whom}))
    assert (problems, waiver.hosts) == ([], hosts)


WRONG: list[tuple[dict[str, str | None], int, str]] = [
    ({"raison": "x"}, 7, "'raison' means nothing in this waiver"),
    ({"reason": None}, 2, "has no reason"),
    ({"owner": None}, 2, "has no owner"),
    ({"until": None}, 2, "has no until"),
    ({"measure": None}, 2, "has none of measure, check"),
    ({"host": None}, 2, "has none of host, hosts, member, epci"),
    ({"member": '"215000027"'}, 2, "has host and member"),
    ({"check": "firewall/test_default_drop"}, 2, "has measure and check"),
    ({"reason": '""'}, 4, "reason is empty"),
    ({"reason": "~"}, 4, "reason is empty"),
    ({"reason": "[a, b]"}, 4, "reason is not one text"),
    ({"owner": "{name: a}"}, 5, "owner is not one text"),
    ({"owner": "!vault abc"}, 5, "owner carries the tag !vault"),
    ({"reason": '"\\e[2Jgone"'}, 4, "reason holds a character that cannot be shown, U+001B"),
    ({"reason": '"a\\u202Eb"'}, 4, "cannot be shown, U+202E"),
    ({"reason": "x" * 501}, 4, "reason is too long: 501 characters"),
    ({"until": "2026-02-30"}, 6, "until is '2026-02-30', which is no day"),
    ({"until": "31/01/2027"}, 6, "until is '31/01/2027', which is no day"),
    ({"until": "2027-01-31T10:00:00"}, 6, "which is no day"),
    ({"until": "20270131"}, 6, "which is no day"),
    ({"until": "2027-11-28"}, 6, "until is 2027-11-28, more than 366 days from today"),
    ({"until": "9999-12-31"}, 6, "more than 366 days from today"),
    ({"measure": "firewal"}, 3, "no measure 'firewal'"),
    ({"measure": "kit"}, 3, "no measure 'kit'"),
    ({"measure": None, "check": "firewall/test_x"}, 6, "no check 'test_x'"),
    ({"measure": None, "check": "firewall"}, 6, "no check ''"),
    ({"measure": None, "check": "kit/endless"}, 6, "no check 'endless'"),
    ({"measure": "ssh_hardening"}, 3, "does not negotiate ssh_hardening, and this waives it"),
    ({"measure": None, "check": "ssh_hardening/test_x"}, 6, "does not negotiate ssh_hardening"),
    ({"host": "agneaux-srv-02"}, 2, "holds no host named 'agneaux-srv-02'"),
    ({"host": None, "member": '"215000340"'}, 6, "holds no member '215000340'"),
    ({"host": None, "epci": "2"}, 6, "holds no EPCI '2'"),
    ({"host": None, "hosts": "nowhere-*"}, 6, "hosts 'nowhere-*' means no host"),
    ({"host": None, "hosts": "agneaux"}, 6, "no host or group named 'agneaux'"),
    ({"host": None, "hosts": '"@/etc/passwd"'}, 6, "a file of hosts"),
    ({"host": None, "hosts": "'~['"}, 6, "is not a host pattern"),
    ({"host": "granville-portable-01"}, 2, "matches nothing: firewall is for desktop, server"),
]


@pytest.mark.parametrize(("changes", "line", "what"), WRONG, ids=[w[2][:40] for w in WRONG])
def test_a_fault_is_told_at_its_line(
    read: Read,
    changes: dict[str, str | None],
    line: int,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(CHECKS, "ssh_hardening", ["test_x"])
    found, problems = read("waivers:\n" + entry(changes))
    assert found == ()
    [(severity, where, told)] = problems
    assert (severity, where) == ("error", f"inventory/waivers.yml:{line}")
    assert what in told


def test_every_fault_is_told_at_once_from_the_top_of_the_file(read: Read) -> None:
    _, problems = read(
        "waivers:\n"
        + entry({"host": "agneaux-srv-02", "until": "2026-02-30", "owner": None, "why": "x"})
        + "  - a text\n"
        + entry({"measure": "firewal"})
        + "exceptions: []\n"
    )
    assert [(where.rpartition(":")[2], what.split(" ")[0]) for _, where, what in problems] == [
        ("2", "This"), ("2", "The"), ("5", "until"), ("6", "'why'"),
        ("7", "This"), ("9", "There"), ("13", "'exceptions'"),
    ]  # fmt: skip


def test_the_same_decision_twice_is_refused_even_by_an_alias(read: Read) -> None:
    _, problems = read("waivers:\n" + entry() + entry({"until": '"2026-12-31"'}))
    assert problems == [
        ("error", "inventory/waivers.yml:7", "The same is waived for the same at "
         "inventory/waivers.yml:2.")
    ]  # fmt: skip
    _, problems = read("waivers:\n" + entry().replace("- ", "- &a\n    ", 1) + "  - *a\n")
    assert ["The same is waived" in what for _, _, what in problems] == [True]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("waivers: {host: a}\n", 1, "does not hold a list"),
        ("- a\n", 1, "must hold names and values"),
        ("waivers: []\nwaivers: []\n", 2, "stands here twice"),
        ("waivers:\n  - {host: a, host: b}\n", 2, "stands here twice"),
        ("waivers:\n\t- x\n", 2, "not valid YAML"),
        ("waivers: []\n---\nwaivers: []\n", 2, "more than one YAML document"),
        ("waivers: !!python/object/apply:os.system [id]\n", 1, "is not plain data"),
        (b"waivers: []\n# caf\xe9\n", 2, "not UTF-8"),
        ("waivers: []\n".encode("utf-16"), 1, "not UTF-8"),
        (b"waivers: []\n# \x00\n", 2, "not valid YAML"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n61\n", 0, "encrypted"),
        ("waivers: " + "[" * 200 + "]" * 200 + "\n", 1, "nested too deeply"),
        ("waivers: &a [*a]\n", 1, "names nothing that ends before it"),
    ],
)
def test_a_hostile_file_is_one_refusal(read: Read, text: str | bytes, line: int, what: str) -> None:
    found, [(severity, where, told)] = read(text)
    assert (found, severity) == ((), "error")
    assert where == "inventory/waivers.yml" + (f":{line}" if line else "")
    assert what in told


def test_a_bomb_of_aliases_costs_nothing(read: Read) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for above, below in zip("bcdefghi", "abcdefgh", strict=True):
        bomb += f"{above}: &{above} [{', '.join([f'*{below}'] * 9)}]\n"
    begun = time.process_time()
    found, [(_, _, what)] = read(bomb + "waivers: *i\n")
    assert (found, "expand to far too much" in what) == ((), True)
    assert time.process_time() - begun < 2


def test_a_file_beyond_all_measure_is_not_read(read: Read) -> None:
    _, [(_, where, what)] = read("# " + "x" * 3_000_000)
    assert (where, "too large" in what) == ("inventory/waivers.yml", True)


def test_ten_thousand_faults_are_told_and_the_rest_is_counted(read: Read) -> None:
    text = "waivers:\n" + "  - {host: agneaux-srv-9, mesure: x}\n" * 10_500
    begun = time.process_time()
    found, problems = read(text)
    assert found == ()
    assert "more than 10000 waivers" in problems[0][2]
    assert sum("no host named" in what for _, _, what in problems) == 10_000
    assert time.process_time() - begun < 30


def test_what_is_no_regular_file_is_refused(tmp_path: Path, read: Read) -> None:
    place = tmp_path / "inventory" / "waivers.yml"
    for make in (place.mkdir, lambda: os.mkfifo(place), lambda: place.symlink_to("nowhere")):
        make()
        found, problems = waivers.load(place.parent, ESTATE, {}, None, TODAY, furthest=366)
        assert (found.listed, [p.severity for p in problems]) == ((), [Severity.ERROR])
        place.rmdir() if place.is_dir() else place.unlink()


@pytest.mark.parametrize("file", ["waivers.yaml", "prod/waivers.yml"])
def test_a_file_that_would_be_passed_over_is_named(read: Read, file: str) -> None:
    found, [(severity, where, what)] = read("waivers:\n" + entry(), file)
    assert (found, severity, where) == ((), "error", f"inventory/{file}")
    assert "is not read" in what


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_they_are_waivers_or_told_faults(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("inventory")
    (folder / "waivers.yml").write_bytes(b"waivers:\n  - host: " + data)
    found, problems = waivers.load(folder, ESTATE, {}, None, TODAY, furthest=366)
    assert found.listed == ()
    assert problems
    assert all(problem.what.isprintable() for problem in problems)


def test_typography_of_french_and_folded_lines_are_one_line(read: Read) -> None:
    text = entry({"reason": "|\n        le logiciel\u00a0:\n        attendu\u202f!\n"})
    [waiver], problems = read("waivers:\n" + text)
    assert (waiver.reason, problems) == ("le logiciel : attendu !", [])


@pytest.mark.parametrize(
    ("until", "what"),
    [
        ("2026-11-25", "ended on 2026-11-25: its drift counts again"),
        ("2026-11-26", "ends on 2026-11-26"),
        ("2026-12-10", "ends on 2026-12-10"),
        ("2026-12-11", None),
    ],
)
def test_an_end_that_comes_or_has_come_is_a_warning(
    read: Read, until: str, what: str | None
) -> None:
    found, problems = read("waivers:\n" + entry({"until": until}))
    assert len(found) == 1
    assert [severity for severity, _, _ in problems] == ([] if what is None else ["warning"])
    assert what is None or what in problems[0][2]


def test_what_is_judged_of_the_machine_itself_may_be_waived(read: Read) -> None:
    whom = {"host": "granville-portable-01", "measure": None, "check": "kit/supported_release"}
    [waiver], problems = read("waivers:\n" + entry(whom))
    assert (waiver.measure, waiver.check, problems) == ("kit", "supported_release", [])


def waiver(scope: str, until: str, check: str = "", measure: str = "firewall") -> Waiver:
    return Waiver(
        "inventory/waivers.yml:2", scope, "x", frozenset({"h"}), measure, check, "a reason",
        "an owner", date.fromisoformat(until),
    )  # fmt: skip


def test_the_last_day_counts_and_the_next_does_not() -> None:
    one = waiver("host", "2026-11-26")
    assert waivers.holds(one, date(2026, 11, 26))
    assert not waivers.holds(one, date(2026, 11, 27))


def test_the_nearest_that_holds_speaks_and_one_that_ended_hides_none() -> None:
    member, epci = waiver("member", "2026-12-01"), waiver("epci", "2026-12-31")
    over, older = waiver("host", "2026-11-20"), waiver("host", "2026-10-01", "test_a")
    book = waivers.Waivers((epci, member, older, over))

    def speaks(*listed: Waiver) -> Waiver | None:
        return waivers.covering(waivers.Waivers(listed).of("h"), "firewall", "test_a", TODAY)

    assert book.of("h")[0].scope == "host"
    assert book.of("other") == ()
    assert speaks(epci, member, older, over) is member
    assert speaks(epci, over) is epci
    assert speaks(older, over) is over
    assert speaks(waiver("host", "2027-01-01", measure="updates")) is None


def test_a_check_means_all_of_its_cases_and_a_case_itself_alone() -> None:
    whole, case = waiver("host", "2027-01-01", "test_a"), waiver("host", "2027-01-01", "test_a[1]")
    for listed, check, found in (
        (whole, "test_a[1]", whole),
        (whole, "test_ab", None),
        (case, "test_a[1]", case),
        (case, "test_a[2]", None),
    ):
        assert waivers.covering([listed], "firewall", check, TODAY) is found


def test_those_that_end_soon_are_given_soonest_first_for_the_hosts_asked() -> None:
    soon, sooner = waiver("host", "2026-12-10"), waiver("member", "2026-11-26")
    book = waivers.Waivers(
        (soon, sooner, waiver("epci", "2026-12-11"), waiver("host", "2026-11-25"))
    )
    assert book.ending(TODAY) == (sooner, soon)
    assert book.ending(TODAY, {"other"}) == ()


def test_inventory_check_and_a_run_refuse_with_the_same_words(
    make: Make, measures: Mapping[str, Measure], kitsurvie: Run
) -> None:
    text = "waivers:\n" + entry({"measure": "firewall", "owner": None})
    plain = {name: said.split("firewall__")[0] for name, said in FILES.items()}
    place = make({**plain, "waivers.yml": text})
    known = Known(lambda _: ["test_x"], lambda: {})
    [problem] = [
        p for p in inventory.check(place, measures, TODAY, known) if p.severity is Severity.ERROR
    ]
    assert problem.where == "inventory/waivers.yml:2"
    checked = kitsurvie("inventory", "check", "--workspace", place.root)
    ran = kitsurvie("compliance", "run", "--workspace", place.root)
    assert (checked.code, ran.code) == (2, 2)
    for words in (problem.what, problem.where, problem.remedy):
        assert words in checked.out
        assert words in ran.err


def test_waivers_are_no_inventory_and_change_no_host(make: Make) -> None:
    plain = inventory.load(make())
    waived = inventory.load(make({"waivers.yml": "waivers:\n" + entry()}))
    assert (plain.digest, list(plain.hosts)) == (waived.digest, list(waived.hosts))
    assert "waivers.yml" not in FILES
