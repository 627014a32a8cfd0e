"""Attestations: only what no command checks, by somebody, until a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from kitsurvie.inventory import attestations
from kitsurvie.inventory.attestations import Standing
from kitsurvie.inventory.estate import Estate
from kitsurvie.model import Attestation, Member, MemberKind

from .conftest import FILES, Make, Run

TODAY = date(2026, 11, 26)
ESTATE = Estate(
    groups={"agneaux-srv-01": ("epci_200066389", "member_215000027")},
    profiles={"agneaux-srv-01": "server"},
    not_negotiable=frozenset(),
)
RULES = {
    "GH-42/2017/39": "",
    "GH-42/2017/40": "",
    "GH-42/2017/5": "it is verified by accounts",
    "BP-028/v2.0/R15": "the kit leaves it out, with a reason",
}
GOOD = {
    "rule": "GH-42/2017/39",
    "member": '"215000027"',
    "by": "the secretary general",
    "on": '"2026-03-01"',
    "until": '"2027-02-28"',
    "evidence": "deliberation 2026-14",
}
AGNEAUX = Member("215000027", "Agneaux", MemberKind.COMMUNE, "50002", "200066389")


def entry(changes: Mapping[str, str | None] | None = None) -> str:
    """An attestation, one key a line; `changes` replace or add a key, None leaves it out."""
    texts = {**GOOD, **(changes or {})}
    lines = [f"{key}: {text}" for key, text in texts.items() if text is not None]
    return "  - " + "\n    ".join(lines) + "\n"


Read = Callable[[str], tuple[tuple[Attestation, ...], list[tuple[str, str, str]]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    folder = tmp_path / "inventory"
    folder.mkdir()

    def load(text: str) -> tuple[tuple[Attestation, ...], list[tuple[str, str, str]]]:
        (folder / "attestations.yml").write_text(text, encoding="utf-8")
        found, problems = attestations.load(folder, ESTATE, lambda: RULES, TODAY, longest=1096)
        assert all(p.remedy and p.what.endswith(".") for p in problems)
        return found.listed, [(p.severity.value, p.where, p.what) for p in problems]

    return load


def test_a_sound_attestation_says_who_states_what_and_until_when(read: Read) -> None:
    [one], problems = read("attestations:\n" + entry())
    assert problems == []
    assert one == Attestation(
        "inventory/attestations.yml:2", "GH-42/2017/39", "member", "215000027",
        "the secretary general", date(2026, 3, 1), date(2027, 2, 28), "deliberation 2026-14",
    )  # fmt: skip


WRONG: list[tuple[dict[str, str | None], int, str]] = [
    ({"rule": "GH-42/2017/5"}, 2, "GH-42/2017/5 is not to be attested: it is verified by accounts"),
    ({"rule": "BP-028/v2.0/R15"}, 2, "not to be attested: the kit leaves it out"),
    ({"rule": "GH-42/2017/99"}, 2, "There is no rule 'GH-42/2017/99'"),
    ({"rule": None}, 2, "has no rule"),
    ({"by": None}, 2, "has no by"),
    ({"by": '" "'}, 4, "by is empty"),
    ({"evidence": None}, 2, "has no evidence"),
    ({"on": "2026-02-30"}, 5, "on is '2026-02-30', which is no day"),
    ({"on": "2026-11-27"}, 5, "still to come"),
    ({"until": "2026-02-01"}, 6, "It ends on 2026-02-01, before 2026-03-01"),
    ({"until": "2029-03-02"}, 6, "longer than 1096 days"),
    ({"member": '"215000340"'}, 3, "holds no member '215000340'"),
    ({"member": None, "epci": "200042604"}, 7, "holds no EPCI '200042604'"),
    ({"member": None}, 2, "has none of member, epci, all"),
    ({"member": None, "all": "yes"}, 7, "all is 'yes'"),
    ({"all": "true"}, 2, "has member and all"),
    ({"host": "agneaux-srv-01"}, 8, "'host' means nothing"),
]


@pytest.mark.parametrize(("changes", "line", "what"), WRONG, ids=[w[2][:40] for w in WRONG])
def test_a_fault_is_told_at_its_line(
    read: Read, changes: dict[str, str | None], line: int, what: str
) -> None:
    found, problems = read("attestations:\n" + entry(changes))
    assert found == ()
    assert what in problems[0][2]
    assert problems[0][:2] == ("error", f"inventory/attestations.yml:{line}")


def test_the_same_statement_twice_is_refused(read: Read) -> None:
    _, problems = read("attestations:\n" + entry() + entry({"evidence": "another"}))
    assert [(where, "is attested for the same" in what) for _, where, what in problems] == [
        ("inventory/attestations.yml:8", True)
    ]


@pytest.mark.parametrize(
    ("until", "what"),
    [
        ("2026-11-25", "ended on 2026-11-25"),
        ("2026-12-26", "ends on 2026-12-26"),
        ("2026-12-27", ""),
    ],
)
def test_an_end_that_comes_or_has_come_is_a_warning(read: Read, until: str, what: str) -> None:
    found, problems = read("attestations:\n" + entry({"until": until}))
    assert len(found) == 1
    assert [severity for severity, _, _ in problems] == (["warning"] if what else [])
    assert all(what in told for _, _, told in problems)


def one(scope: str, name: str, until: str, rule: str = "GH-42/2017/39") -> Attestation:
    on = date(2026, 1, 1)
    return Attestation("f:1", rule, scope, name, "somebody", on, date.fromisoformat(until), "doc")


def test_how_a_rule_stands_at_a_member() -> None:
    for listed, how, by in (
        ([], Standing.MISSING, None),
        ([one("all", "", "2027-12-31")], Standing.ATTESTED, 0),
        ([one("all", "", "2026-12-26")], Standing.ENDING, 0),
        ([one("all", "", "2026-11-26")], Standing.ENDING, 0),
        ([one("all", "", "2026-11-25")], Standing.EXPIRED, 0),
        ([one("epci", "200042604", "2027-12-31")], Standing.MISSING, None),
        ([one("member", "215005026", "2027-12-31")], Standing.MISSING, None),
        ([one("epci", "200066389", "2027-12-31")], Standing.ATTESTED, 0),
        # the nearest that holds, and one that has ended hides none
        ([one("all", "", "2027-12-31"), one("member", "215000027", "2026-12-01")],
         Standing.ENDING, 1),
        ([one("all", "", "2027-12-31"), one("member", "215000027", "2026-11-01")],
         Standing.ATTESTED, 0),
        ([one("all", "", "2026-11-20"), one("member", "215000027", "2026-11-01")],
         Standing.EXPIRED, 0),
    ):  # fmt: skip
        book = attestations.Attestations(tuple(listed))
        stands = book.of(AGNEAUX, ["GH-42/2017/39"], TODAY)
        assert stands == {"GH-42/2017/39": (how, None if by is None else listed[by])}


def test_a_member_outside_any_epci_has_no_epci_s_statements() -> None:
    alone = Member("225005024", "Manche", MemberKind.DEPARTEMENT, "50502", None)
    book = attestations.Attestations((one("epci", "200066389", "2027-12-31"),))
    assert book.of(alone, ["GH-42/2017/39"], TODAY)["GH-42/2017/39"][0] is Standing.MISSING


def stated(make: Make) -> Path:
    plain = {name: said.split("firewall__")[0] for name, said in FILES.items()}
    today = date.today()
    text = "attestations:\n" + entry(
        {"member": None, "epci": '"200066389"', "on": str(today), "until": str(today)}
    )
    return make({**plain, "attestations.yml": text}).root


def test_the_command_says_member_by_member_what_is_attested_ends_or_is_missing(
    make: Make, kitsurvie: Run
) -> None:
    place = stated(make)
    said = kitsurvie("compliance", "attestations", "--json", "--workspace", place).document
    assert (said["kind"], said["version"]) == ("attestations", 1)
    members = {one["name"]: one for one in said["members"]}
    assert members["Agneaux"]["summary"] == {
        "attested": 0, "ending": 1, "expired": 0, "missing": len(members["Agneaux"]["rules"]) - 1,
    }  # fmt: skip
    [ending] = [r for r in members["Agneaux"]["rules"] if r["standing"] == "ending"]
    assert (ending["rule"], ending["scope"], ending["by"]) == (
        "GH-42/2017/39", "epci", "the secretary general",
    )  # fmt: skip
    assert members["Département de la Manche"]["summary"]["ending"] == 0
    text = kitsurvie("compliance", "attestations", "--workspace", place).out
    assert "Ending   GH-42/2017/39 at 2 members: until" in text
    assert "Missing at 1 of 3 members: GH-42/2017/39" in text
    french = kitsurvie(
        "compliance", "attestations", "--member", "215000027", "--lang", "fr", "--workspace", place
    ).out
    assert "GH-42/2017/39  about to end  Un référent sécurité est désigné" in french
    assert "Saint-Lô  " not in french


def test_a_member_that_is_not_served_is_said(make: Make, kitsurvie: Run) -> None:
    said = kitsurvie("compliance", "attestations", "--member", "1", "--workspace", stated(make))
    assert (said.code, said.out) == (2, "")
    assert "holds no member '1'" in said.err


def test_a_rule_that_the_kit_verifies_is_refused_by_the_command_and_by_inventory_check(
    make: Make, kitsurvie: Run
) -> None:
    plain = {name: said.split("firewall__")[0] for name, said in FILES.items()}
    text = "attestations:\n" + entry({"rule": "GH-42/2017/5"})
    place = make({**plain, "attestations.yml": text}).root
    what = "GH-42/2017/5 is not to be attested: it is verified by"
    said = kitsurvie("compliance", "attestations", "--workspace", place)
    assert (said.code, what in said.err) == (2, True)
    checked = kitsurvie("inventory", "check", "--workspace", place)
    assert (checked.code, what in checked.out) == (2, True)
