"""Taken back, lent, back again, discarded: a machine's story, and what it is offered for."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.assets.test_commands import LAST_DAY, SAMPLE, consult, export

from kitsurvie import workspace
from kitsurvie.assets import acts, packing
from kitsurvie.cli import init
from kitsurvie.cli.assets import (
    available,
    deciding,
    discarding,
    doubles,
    importing,
    keeping,
    lending,
    listing,
    people,
)
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Ledger
from kitsurvie.ledger.importing import Entry

Ask = Callable[..., dict[str, Any]]
AGNEAUX, AGON, SYNDICATE = "215000027", "215000035", "255001234"
HEADINGS = "id;nom;entité;numéro de série;type;usager;date d'achat;statut;dernier inventaire\r\n"
WHY = "a desktop does for both"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two laptops and a desktop of two communes, and whose is the third nobody knows."""
    root = tmp_path / "syndicate"
    init.init(root)
    with (root / "kitsurvie.toml").open("a") as file:
        file.write(f'syndicate = "{SYNDICATE}"\n')
    rows = (
        "1;PT-1;50002;7H2K9Q3;Notebook;marie.martin;2023-10-01;;2026-10-01",
        "2;PF-1;50002;8J3L0R4;Desktop;marie.martin;2020-10-01;;2026-10-30",
        "3;PT-2;50003;9K4M1S5;Notebook;luc.durand;2022-10-01;En stock;",
        "4;PT-3;;2B6N7V8;Notebook;;2021-10-01;;",
    )
    table = tmp_path / "parc.csv"
    table.write_text(HEADINGS + "\r\n".join(rows) + "\r\n", encoding="utf-8")
    importing.import_([table], workspace=root)
    return root


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], root: Path) -> Ask:
    def asked(command: Callable[..., int], *words: Any, **more: Any) -> dict[str, Any]:
        capsys.readouterr()
        command(*words, json=True, **{"workspace": root, **more})
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return asked


def typed(monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{login}\n"))


def offered(ask: Ask, **asked: Any) -> dict[str, str]:
    return {
        one["name"]: one["offered_to"] for one in ask(available.available, **asked)["available"]
    }


def test_a_machine_that_was_taken_back_is_offered_to_its_own_member(root: Path, ask: Ask) -> None:
    assert offered(ask) == {"PT-2": "owner"}  # its register says it is in stock
    ask(lending.return_, "PT-1", WHY)
    assert offered(ask) == {"PT-1": "owner", "PT-2": "owner"}
    assert offered(ask, member=AGNEAUX) == {"PT-1": "owner"}
    assert offered(ask, member=AGON) == {"PT-2": "owner"}
    (one,) = ask(available.available, member=AGNEAUX)["available"]
    assert (one["age_years"], one["in_stock_since"]) == (3.1, "2026-11-01")
    assert one["owner"]["siren"] == AGNEAUX


def test_what_is_the_syndicates_is_offered_to_every_member(root: Path, ask: Ask) -> None:
    ask(lending.return_, "PT-3", "bought by the syndicate", owner=SYNDICATE)
    assert offered(ask, member=AGNEAUX)["PT-3"] == "every_member"
    ask(lending.loan, "PT-3", "an election", member=AGON, service="Accueil")
    assert "PT-3" not in offered(ask)
    ask(lending.return_, "PT-3", "the election is over")
    assert offered(ask)["PT-3"] == "every_member"


def test_a_machine_of_nobody_is_offered_to_nobody_and_lent_to_nobody(root: Path, ask: Ask) -> None:
    ask(lending.return_, "PT-3", WHY)
    assert offered(ask)["PT-3"] == "nobody"
    assert "PT-3" not in offered(ask, member=AGNEAUX)
    with pytest.raises(UsageError, match="Nobody knows whose"):
        lending.loan("PT-3", WHY, service="Accueil", workspace=root)
    with pytest.raises(UsageError, match="Nobody knows whose"):
        discarding.discard("PT-3", discarding.Outcome.STOCK, workspace=root)


def test_a_members_machine_is_not_lent_to_another_member(root: Path, ask: Ask) -> None:
    ask(lending.return_, "PT-1", WHY)
    with pytest.raises(UsageError, match="not the syndicate's to lend"):
        lending.loan("PT-1", WHY, member=AGON, service="Accueil", workspace=root)
    with pytest.raises(UsageError, match="in its register"):
        lending.return_("PT-1", WHY, owner=AGON, workspace=root)
    with pytest.raises(UsageError, match="There is no member"):
        lending.return_("PT-1", WHY, owner="123456789", workspace=root)


def test_what_was_seen_at_work_after_it_was_taken_back_is_said(root: Path, ask: Ask) -> None:
    ask(lending.return_, "PT-1", WHY, day="2026-09-15")
    (one,) = ask(available.available, member=AGNEAUX)["available"]
    assert one["seen_since"]
    ask(lending.return_, "PT-1", WHY)
    (one,) = ask(available.available, member=AGNEAUX)["available"]
    assert not one["seen_since"]


def test_what_is_in_stock_on_paper_and_used_is_left_out_and_counted(
    root: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(available.available)["left_out"] == []
    consult(root, "all: true")
    table = root.parent / "sessions.csv"
    table.write_text(
        "date,insee,device_name,device_serial,user\n2026-10-12,50003,PT-2,9K4M1S5,luc.durand\n"
    )
    importing.import_([table], workspace=root)
    found = ask(available.available)
    assert found["available"] == []
    # one agent is too few to name a machine of theirs
    assert (found["left_out"], found["left_out_unnamed"]) == ([], 1)
    assert ask(available.available, member=AGNEAUX)["left_out_unnamed"] == 0
    available.available(workspace=root)
    said = " ".join(capsys.readouterr().out.split())
    assert "1 machine left out: its register says in stock, and somebody" in said
    assert "kitsurvie assets return DEVICE" in said
    assert "PT-2" not in said
    available.available(member=AGNEAUX, workspace=root)
    assert "left out" not in capsys.readouterr().out
    others = "".join(f"2026-10-13,50003,PT-2,9K4M1S5,agent{number}\n" for number in range(4))
    table.write_text(f"date,insee,device_name,device_serial,user\n{others}")
    importing.import_([table], workspace=root)
    found = ask(available.available)
    (one,) = found["left_out"]
    assert (one["name"], one["member"]["siren"]) == ("PT-2", AGON)
    assert (one["reason"], found["left_out_unnamed"]) == (available.USED, 0)
    available.available(workspace=root)
    said = " ".join(capsys.readouterr().out.split())
    assert "1 machine left out (--json lists those of members with five agents or more): " in said
    # somebody says that it is back: that is later than its days of use
    ask(lending.return_, "PT-2", WHY)
    assert offered(ask) == {"PT-2": "owner"}
    assert ask(available.available)["left_out"] == []


def test_the_story_of_a_machine_is_kept_and_each_step_can_be_taken_back(
    root: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(lending.return_, "PT-1", WHY, day="2026-10-10")
    lent = ask(lending.loan, "PT-1", "Lucie's maternity leave", service="  Accueil ",
               day="2026-10-12", until="2026-10-30")  # fmt: skip
    (late,) = ask(available.available)["lent"]
    assert (late["service"], late["until"], late["late"]) == ("Accueil", "2026-10-30", True)
    ask(lending.return_, "PT-1", "back", day="2026-10-31")
    story = ask(listing.show, "PT-1")["story"]
    assert [(one["kind"], one["day"]) for one in story] == [
        ("return", "2026-10-10"), ("loan", "2026-10-12"), ("return", "2026-10-31"),
    ]  # fmt: skip
    assert all("@" in one["by"] for one in story)
    listing.show("PT-1", workspace=root)
    said = capsys.readouterr().out
    assert "2026-10-12  lent to Accueil, Agneaux until 2026-10-30: Lucie's maternity leave" in said
    ask(deciding.revoke, [story[-1]["decision"]])
    assert ask(listing.show, "PT-1")["stands"] == "lent"
    ask(deciding.revoke, [lent["decision"]])
    assert ask(listing.show, "PT-1")["stands"] == "stock"
    assert len(ask(deciding.journal, everything=True)["decisions"]) == 3


def test_the_story_outlives_an_import_that_is_undone_and_a_merge(root: Path, ask: Ask) -> None:
    ask(lending.return_, "PT-1", WHY)
    first, other = ask(listing.show, "PT-1")["id"], ask(listing.show, "PT-3")["id"]
    ask(deciding.merge, other, first, "one machine")
    assert ask(listing.show, "PT-1")["stands"] == "stock"
    ask(importing.undo, 1)
    assert ask(available.available)["available"] == []
    table = root.parent / "parc.csv"
    importing.import_([table], workspace=root)
    assert ask(listing.show, "PT-1")["stands"] == "stock"


def test_undo_says_which_decisions_hang_on_machines_that_it_alone_knew(
    root: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    known = export(root.parent, "1;PT-1;50002;7H2K9Q3;Notebook;", name="known.csv")
    importing.import_([known], workspace=root)  # PT-1 alone is in it too, as it is said there
    of_one_that_stays = ask(lending.return_, "PT-1", WHY)["decision"]
    lent = ask(lending.loan, "PT-2", WHY, service="Accueil")["decision"]
    discarded = ask(discarding.discard, "PF-1", discarding.Outcome.STOCK)["decision"]
    undone = ask(importing.undo, 1)
    assert [(one["decision"], one["kind"]) for one in undone["hanging"]] == [
        (lent, "loan"), (discarded, "discard"),
    ]  # fmt: skip
    assert ask(importing.import_, [root.parent / "parc.csv"])["counts"]["new"] == 3
    assert ask(listing.show, "PT-2")["stands"] == "lent"
    capsys.readouterr()
    importing.undo(3, workspace=root)
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "1 loan, 1 discard on record of machines that no import knows any more: each holds again "
        f"once an import has its machine. Where none will: kitsurvie assets revoke {lent} "
        f"{discarded}" in said
    )
    # what hung before hangs on: it is not told again of another import
    importing.import_([known], workspace=root)
    assert ask(importing.undo, 4)["hanging"] == []
    assert of_one_that_stays in [act["decision"] for act in ask(deciding.journal)["decisions"]]


def test_a_person_is_lent_to_as_a_pseudonym_that_no_argument_and_no_file_tells(
    root: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(lending.return_, "PT-1", WHY)
    typed(monkeypatch, "Hélène.Petit")
    made = ask(lending.loan, "PT-1", WHY)
    assert people.pseudonym.PATTERN.fullmatch(made["user"])
    kept = (workspace.load(root).state / "ledger.sqlite").read_bytes()
    assert b"helene.petit" not in kept.lower()
    for argument in ("helene.petit", "p-123"):
        with pytest.raises(UsageError, match="not given as an argument"):
            lending.loan("PT-2", WHY, user=argument, workspace=root)
    for wrong in ("", "   ", "Administrateur", "a\x1bb", "x" * 300):
        typed(monkeypatch, wrong)
        with pytest.raises(UsageError):
            lending.loan("PT-2", WHY, workspace=root)


def test_a_login_that_is_no_text_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latin = io.TextIOWrapper(io.BytesIO("hélène\n".encode("latin-1")), encoding="utf-8")
    for stdin in (latin, None):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(UsageError):
            keeping.forget(AGNEAUX, workspace=root)


def test_what_somebody_typed_drives_no_terminal(
    root: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b]0;x\x07 [bold]o[/bold] \u202e"
    ask(lending.return_, "PT-1", hostile)
    ask(lending.loan, "PT-1", hostile, service="Accueil", until="2026-11-01")
    number = ask(lending.return_, "PT-1", hostile)["decision"]
    listing.show("PT-1", workspace=root)
    deciding.journal(workspace=root)
    available.available(workspace=root)
    deciding.revoke([number], workspace=root)
    said = capsys.readouterr().out
    assert "[bold]o[/bold]" in said
    for character in ("\x1b", "\x07", "\u202e"):
        assert character not in said
    for option in ("recipient", "proof", "excluded"):
        with pytest.raises(UsageError, match=f"--{option}"):
            discarding.discard("PF-1", discarding.Outcome.SOLD, **{option: hostile}, workspace=root)


@pytest.mark.parametrize("service", ["", "   ", "---", "a\x1b[2Jb", "x" * 81, "luc.durand"])
def test_a_service_is_a_name_and_no_login(root: Path, service: str) -> None:
    with pytest.raises(UsageError, match="service"):
        lending.loan("PT-2", WHY, service=service, workspace=root)


def test_what_cannot_be_is_refused_with_what_to_do(root: Path, ask: Ask) -> None:
    with pytest.raises(UsageError, match="in service"):
        lending.loan("PT-1", WHY, service="Accueil", workspace=root)
    for day in ("2026-11-02", "tomorrow"):
        with pytest.raises(UsageError):
            lending.return_("PT-1", WHY, day=day, workspace=root)
    with pytest.raises(UsageError, match="empty"):
        lending.return_("PT-1", "  ", workspace=root)
    ask(lending.return_, "PT-1", WHY, day="2026-10-20")
    with pytest.raises(UsageError, match="before what was last recorded"):
        lending.loan("PT-1", WHY, service="Accueil", day="2026-10-19", workspace=root)
    with pytest.raises(UsageError, match="before the loan begins"):
        lending.loan("PT-1", WHY, service="Accueil", until="2026-10-19", workspace=root)
    ask(lending.loan, "PT-1", WHY, service="Accueil")
    with pytest.raises(UsageError, match="lent already"):
        lending.loan("PT-1", WHY, service="Accueil", workspace=root)
    with pytest.raises(UsageError, match="is lent"):
        discarding.discard("PT-1", discarding.Outcome.STOCK, workspace=root)


# -- discarded ----------------------------------------------------------------------------------


def test_a_machine_is_discarded_then_given_away_and_counted_once(root: Path, ask: Ask) -> None:
    to = discarding.Outcome
    ask(discarding.discard, "PF-1", to.STOCK, day="2025-12-01")
    made = ask(discarding.discard, "PF-1", to.SOLD, day="2026-03-01", recipient="a refurbisher")
    assert (made["discarded"], made["left"]) == ("2025-12-01", "2026-03-01")
    (one,) = ask(discarding.discarded)["members"]
    assert (one["in_stock"], one["reused"], one["unproven"], one["target"]) == (1, 0, 1, 0.5)
    ask(discarding.discard, "PF-1", to.SOLD, day="2026-03-01", proof="invoice 7")
    found = ask(discarding.discarded)
    (one,) = found["members"]
    assert (one["in_stock"], one["reused"], one["share"]) == (1, 1, 1.0)
    assert [(t["outcome"], t["recipient"]) for t in found["things"]] == [("sold", "a refurbisher")]
    assert ask(discarding.discarded, year=2025)["members"][0]["in_stock"] == 0
    with pytest.raises(UsageError, match="was discarded"):
        lending.return_("PF-1", WHY, workspace=root)
    for act in ask(deciding.journal)["decisions"]:
        ask(deciding.revoke, [act["decision"]])
    assert ask(discarding.discarded)["members"] == []
    assert ask(listing.show, "PF-1")["stands"] == "in_service"


def test_a_table_of_what_was_discarded_takes_machines_out_of_stock(
    root: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    table = root.parent / "reforme.csv"
    table.write_text(
        "Commune;Type;Nom;Numéro de série;Date d'achat;Date de réforme;Destination;Date de sortie\n"
        "50003;Portable;;9K4M1S5;01/10/2022;01/12/2025;Don;01/02/2026\n"
        "50003;Écran;E1;;01/10/2020;01/12/2025;Recyclage;01/02/2026\n"
        "50003;Écran;E2;;01/10/2009;01/12/2025;Recyclage;01/02/2026\n"
        "50003;Serveur;S1;;01/10/2020;01/12/2025;=cmd();01/02/2026\n",
        encoding="utf-8",
    )
    told = ask(importing.import_, [table])
    assert (told["counts"]["new"], told["counts"]["refused"]) == (3, 1)
    assert offered(ask) == {}
    assert ask(listing.show, "PT-2")["stands"] == "discarded"
    (one,) = ask(discarding.discarded)["members"]
    assert (one["in_stock"], one["reused"], one["recycled"], one["share"]) == (2, 1, 1, 0.5)
    assert one["left_out"]["older"] == 1
    capsys.readouterr()
    discarding.discarded(workspace=root)
    said = capsys.readouterr().out
    for words in ("2023-266", "50 %", "over ten years old", "article 3"):
        assert words in said
    ask(importing.undo, told["import"])
    assert offered(ask) == {"PT-2": "owner"}


def test_what_a_table_says_was_discarded_is_not_offered_though_it_came_back_later(
    root: Path, ask: Ask
) -> None:
    ask(lending.return_, "PT-1", WHY)
    table = root.parent / "reforme.csv"
    table.write_text(
        "Commune,Numéro de série,Type,Date de réforme,Destination\n"
        "50002,7H2K9Q3,Portable,2025-12-01,stock\n"
    )
    importing.import_([table], workspace=root)
    assert ask(listing.show, "PT-1")["stands"] == "discarded"
    assert "PT-1" not in offered(ask)
    made = ask(discarding.discard, "PT-1", discarding.Outcome.DONATED)
    assert (made["discarded"], made["left"]) == ("2025-12-01", "2026-11-01")
    (one,) = ask(discarding.discarded)["members"]
    assert (one["in_stock"], one["reused"]) == (1, 1)


def test_a_table_that_discards_what_somebody_has_is_told_until_it_is_back(
    root: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    lent = ask(lending.loan, "PT-2", WHY, service="Accueil", day="2026-10-12")["decision"]
    table = root.parent / "reforme.csv"
    table.write_text(
        "Commune,Numéro de série,Type,Date de réforme,Destination,Date de sortie\n"
        "50003,9K4M1S5,Portable,2026-10-20,don,2026-10-21\n",
        encoding="utf-8",
    )
    capsys.readouterr()
    assert importing.import_([table], workspace=root) == 0
    assert "1 machine discarded while lent to somebody" in capsys.readouterr().out
    found = ask(listing.show, "PT-2")
    assert (found["stands"], found["open_loan"]) == ("discarded", lent)
    for command, words in (
        (discarding.discarded, {}), (discarding.discarded, {"member": AGON}),
        (discarding.discarded, {"year": 2020}), (listing.show, {"device": "PT-2"}),
    ):  # fmt: skip
        command(**words, workspace=root)
        said = " ".join(capsys.readouterr().out.split())
        assert "discarded on 2026-10-21, but lent to Accueil, Agon-Coutainville since 2026" in said
        assert f"kitsurvie assets return {found['id']} --date DATE" in said
        assert "undo the import of that table" in said
    discarding.discarded(member=AGNEAUX, workspace=root)
    assert "but lent" not in capsys.readouterr().out
    (one,) = ask(discarding.discarded)["still_lent"]
    assert (one["id"], one["decision"], one["discarded"]) == (found["id"], lent, "2026-10-21")
    with pytest.raises(UsageError, match="is lent"):
        discarding.discard("PT-2", discarding.Outcome.RECYCLING, workspace=root)
    with pytest.raises(UsageError, match="before what was last recorded of it, on 2026-10-12"):
        lending.return_("PT-2", WHY, day="2026-10-11", workspace=root)
    lending.return_("PT-2", WHY, day="2026-10-15", workspace=root)
    said = capsys.readouterr().out
    assert f"the loan of {found['id']} ended on 2026-10-15, and it stays discarded" in said
    after = ask(listing.show, "PT-2")
    assert (after["stands"], after["open_loan"]) == ("discarded", None)
    assert [one["kind"] for one in after["story"]] == ["loan", "return", "discard"]
    assert ask(discarding.discarded)["still_lent"] == []
    with pytest.raises(UsageError, match="was discarded"):
        lending.return_("PT-2", WHY, workspace=root)


def test_an_age_that_nobody_knew_is_said_or_learnt_later(root: Path, ask: Ask) -> None:
    to = discarding.Outcome
    rows = ("8;PF-8;50002;6G8H0J2;Desktop;;;;", "9;PF-9;50002;5F7G9H1;Desktop;;;;")
    table = root.parent / "more.csv"
    table.write_text(HEADINGS + "\r\n".join(rows) + "\r\n", encoding="utf-8")
    importing.import_([table], workspace=root)
    ask(discarding.discard, "PF-8", to.CEDED, bought="2020-01-01")
    ask(discarding.discard, "PF-9", to.CEDED)
    (one,) = ask(discarding.discarded)["members"]
    assert (one["reused"], one["left_out"]["age_unknown"]) == (1, 1)
    table.write_text(HEADINGS + "9;PF-9;50002;5F7G9H1;Desktop;;2021-01-01;;\r\n", encoding="utf-8")
    importing.import_([table], workspace=root)
    (one,) = ask(discarding.discarded)["members"]
    assert (one["reused"], one["left_out"]["age_unknown"]) == (2, 0)
    with pytest.raises(UsageError, match="still to come"):
        discarding.discard("PF-1", to.STOCK, bought="2027-01-01", workspace=root)


# -- people -------------------------------------------------------------------------------------


def test_a_double_that_was_taken_back_is_none_any_more(root: Path, ask: Ask) -> None:
    (one,) = ask(doubles.doubles)["doubles"]
    made = ask(lending.return_, one["laptop"]["id"], WHY)
    assert ask(doubles.doubles)["doubles"] == []
    ask(deciding.revoke, [made["decision"]])
    assert len(ask(doubles.doubles)["doubles"]) == 1


def test_days_of_fewer_than_five_agents_are_not_told(root: Path, ask: Ask, capsys: Any) -> None:
    consult(root, "all: true")
    days = "".join(
        f"2026-10-{day:02},50002,PF-1,8J3L0R4,marie.martin\n" for day in range(1, 21)
    )  # fmt: skip
    table = root.parent / "sessions.csv"
    table.write_text(f"date,insee,device_name,device_serial,user\n{days}")
    importing.import_([table], workspace=root)
    found = ask(doubles.doubles)
    (one,) = found["doubles"]
    assert (one["verdict"], one["proposal"]) == ("dormant_second", "give_up_laptop")
    assert one["counts"] is None
    assert found["verdicts"] is None
    assert found["session_rows"] is None
    assert "fewer than five" in one["reason"]
    told = json.dumps(found)
    doubles.doubles(workspace=root)
    doubles.doubles(csv_=True, workspace=root)
    told += capsys.readouterr().out
    assert "20 days" not in told
    assert "on 20" not in told
    assert ",20," not in told
    # four colleagues more, and they are a crowd
    others = "".join(f"2026-10-01,50002,PF-1,8J3L0R4,agent{n}\n" for n in range(4))
    table.write_text(f"date,insee,device_name,device_serial,user\n{others}")
    importing.import_([table], workspace=root)
    found = ask(doubles.doubles)
    assert found["doubles"][0]["counts"]["desktop"] == 20
    assert found["verdicts"]["dormant_second"] == 1
    assert found["session_rows"]["attached"] == 24


def test_days_older_than_ninety_are_neither_taken_nor_kept(
    root: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import date

    from kitsurvie.cli.assets import clock

    consult(root, "all: true")
    rows = "".join(
        f"{day},50002,PF-1,8J3L0R4,marie.martin\n" for day in ("2026-08-02", "2026-08-03")
    )
    table = root.parent / "sessions.csv"
    table.write_text(f"date,insee,device_name,device_serial,user\n{rows}")
    told = ask(importing.import_, [table])
    assert (told["counts"]["days"], told["counts"]["too_old"]) == (1, 1)
    monkeypatch.setattr(clock, "today", lambda: date(2026, 11, 2))
    foretold = ask(keeping.prune, dry_run=True)
    assert (foretold["removed"]["days"], foretold["before"]) == (1, "2026-08-04")
    # any import does it by itself
    importing.import_([root.parent / "parc.csv"], workspace=root)
    assert ask(keeping.prune)["removed"]["days"] == 0
    with_days = Ledger.open(workspace.load(root).ledger_url)
    assert list(with_days.register.days()) == []
    with_days.close()


def test_whom_a_loan_was_to_is_not_known_for_ever(
    root: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import date

    from kitsurvie.cli.assets import clock

    ask(lending.return_, "PT-1", WHY)
    typed(monkeypatch, "helene.petit")
    ask(lending.loan, "PT-1", WHY)
    ask(lending.return_, "PT-1", "back")
    monkeypatch.setattr(clock, "today", lambda: date(2027, 1, 30))
    assert ask(keeping.prune)["removed"]["decisions"] == 0
    monkeypatch.setattr(clock, "today", lambda: date(2027, 1, 31))
    assert ask(keeping.prune)["removed"]["decisions"] == 1
    story = ask(listing.show, "PT-1")["story"]
    assert [one["data"].get("user", "") for one in story] == ["", "", ""]
    assert [one["kind"] for one in story] == ["return", "loan", "return"]


def test_somebody_is_forgotten_at_the_member_that_asks_and_nowhere_else(
    root: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    consult(root, "all: true")
    namesake = export(
        root.parent, "7;PF-9;50003;5F7G9H1;Desktop;marie.martin", name="other.csv"
    )  # fmt: skip
    importing.import_([namesake], workspace=root)
    marie = people.pseudonyms(workspace.load(root)).of("marie.martin")
    ask(deciding.exempt, member=AGNEAUX, reason="élections", until="2027-01-01", user=marie)
    typed(monkeypatch, "MARIE.Martin@mairie.fr")
    told = ask(keeping.forget, AGNEAUX)
    assert told["rows"] == 3  # two machines, one exemption
    assert ask(doubles.doubles)["doubles"] == []
    ledger = Ledger.open(workspace.load(root).ledger_url)
    text = "".join(one.data.decode() for one in ledger.register.entries())
    ledger.close()
    assert text.count(marie) == 1  # that of the other member
    kinds = [one["kind"] for one in ask(deciding.journal)["decisions"]]
    assert kinds == ["exempt", "forget"]
    assert marie not in json.dumps(ask(deciding.journal))
    with pytest.raises(UsageError, match="cannot be taken back"):
        deciding.revoke([told["decision"]], workspace=root)
    typed(monkeypatch, "marie.martin")
    assert ask(keeping.forget, AGNEAUX)["rows"] == 0
    with pytest.raises(UsageError, match="There is no member"):
        keeping.forget("215009999", workspace=root)
    with pytest.raises(UsageError, match="not given as an argument"):
        keeping.forget(AGNEAUX, user="marie.martin", workspace=root)


def test_what_a_ledger_kept_of_accounts_once_is_read_and_taken_away(root: Path, ask: Ask) -> None:
    marie = people.pseudonyms(workspace.load(root)).of("marie.martin")
    person = {"origin": {"file": ""}, "user": marie, "member": AGNEAUX, "commune": "50002"}
    former = json.dumps({**person, "enabled": False, "last_logon": "2026-10-29"}).encode()
    ledger = Ledger.open(workspace.load(root).ledger_url)
    key = f"{AGNEAUX}/{marie}"
    given = Entry("person", "directory", "", key, former)
    ledger.register.take("a@b", ["ad.csv"], lambda to: to.entry(given))
    one = packing.unpack("person", former)
    assert (one.user, one.member) == (marie, AGNEAUX)
    assert not any(ask(keeping.prune)["removed"].values())
    (kept,) = ledger.register.entries("person")
    ledger.close()
    assert json.loads(kept.data) == person
    # the same account in an export of today is the same
    table = root.parent / "ad.csv"
    table.write_text("sAMAccountName,company,Enabled\nmarie.martin,50002,False\n")
    assert ask(importing.import_, [table])["counts"]["same"] == 1


def test_a_login_said_to_be_nobodys_later_can_still_be_forgotten(
    root: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (root / "kitsurvie.toml").open("a") as file:
        file.write('nobody = ["Luc Durand"]\n')
    typed(monkeypatch, "luc.durand")
    assert ask(keeping.forget, AGON)["rows"] == 1
    importing.import_([root.parent / "parc.csv"], workspace=root)
    typed(monkeypatch, "luc.durand")
    assert ask(keeping.forget, AGON)["rows"] == 0


def test_the_journal_keeps_what_its_shapes_declare_and_no_more(root: Path, ask: Ask) -> None:
    ask(lending.return_, "PT-1", WHY)
    ask(lending.loan, "PT-1", WHY, service="Accueil")
    ask(discarding.discard, "PF-1", discarding.Outcome.RECYCLING)
    pair = [ask(listing.show, name)["id"] for name in ("PT-2", "PT-3")]
    ask(deciding.unmerge, *pair, "two machines")
    for act in ask(deciding.journal)["decisions"]:
        assert set(act["data"]) == set(acts.SHAPES[act["kind"]].__dataclass_fields__)


def test_the_made_up_syndicate_takes_a_laptop_back_and_offers_it(tmp_path: Path, ask: Ask) -> None:
    root = tmp_path / "manche"
    init.init(root)
    consult(root, "all: true")
    importing.import_(sorted(SAMPLE.glob("*.csv")), workspace=root)
    before = ask(doubles.doubles, until=LAST_DAY, workspace=root)["doubles"]
    one = next(d for d in before if d["proposal"] == "give_up_laptop")
    ask(lending.return_, one["laptop"]["id"], WHY, workspace=root)
    after = ask(doubles.doubles, until=LAST_DAY, workspace=root)["doubles"]
    assert len(after) == len(before) - 1
    (offer,) = ask(available.available, member=one["member"]["siren"], workspace=root)["available"]
    assert offer["id"] == one["laptop"]["id"]
    assert offer["age_years"] is not None
