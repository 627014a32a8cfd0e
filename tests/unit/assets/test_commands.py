"""`kitsurvie assets` on the made-up syndicate: as a sysadmin would, from exports to what to do."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Server

from kitsurvie import workspace
from kitsurvie.assets.use import Use, Window
from kitsurvie.cli import init
from kitsurvie.cli.assets import deciding, doubles, importing, listing, people
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.errors import LedgerError, UsageError
from kitsurvie.ledger import Ledger

SAMPLE = Path(__file__).parents[2] / "data" / "manche_sample"
EXPORTS = [
    *sorted(SAMPLE.glob("*.csv")), SAMPLE / "glpi_json", SAMPLE / "ocs_xml",
]  # fmt: skip
LAST_DAY = "2026-10-31"
TABLE = "id;nom;entité;numéro de série;type;usager\r\n"

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init.init(tmp_path / "syndicate")
    return tmp_path / "syndicate"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the whole sample in its register."""
    root = tmp_path_factory.mktemp("sample") / "syndicate"
    init.init(root)
    consult(root, "all: true")
    assert importing.import_(EXPORTS, workspace=root) == 0
    return root


@pytest.fixture
def copy(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(imported, tmp_path / "copy"))


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(command: Callable[..., int], *words: Any, **more: Any) -> dict[str, Any]:
        capsys.readouterr()
        code = command(*words, json=True, **more)
        return {**json.loads(capsys.readouterr().out), "code": code}

    return asked


def consult(root: Path, *scopes: str) -> None:
    entries = [f'  - {{{one}, body: a committee, on: "2026-03-12"}}' for one in scopes]
    text = "\n".join(["consultations:", *entries]) + "\n"
    (root / "inventory" / "consultations.yml").write_text(text)


def export(folder: Path, *rows: str, name: str = "parc.csv") -> Path:
    file = folder / name
    file.write_text(TABLE + "\r\n".join(rows) + "\r\n", encoding="utf-8")
    return file


def test_all_exports_become_the_devices_that_there_are(imported: Path, ask: Ask) -> None:
    truth = list(csv.DictReader((SAMPLE / "truth" / "identity.csv").open(encoding="utf-8")))
    found = ask(listing.list_, workspace=imported)
    assert len(found["devices"]) == len({row["device_id"] for row in truth})
    assert sum(len(one["records"]) for one in found["devices"]) == len(truth)


def test_the_same_exports_again_double_nothing(copy: Path, ask: Ask) -> None:
    before = ask(listing.list_, workspace=copy)["devices"]
    again = ask(importing.import_, EXPORTS, workspace=copy)
    assert again["counts"]["new"] == again["counts"]["changed"] == 0
    assert ask(listing.list_, workspace=copy)["devices"] == before
    undone = ask(importing.undo, again["import"], workspace=copy)
    assert undone["devices"] == len(before)
    assert ask(listing.list_, workspace=copy)["devices"] == before


def test_on_postgresql_it_is_all_the_same(
    imported: Path, root: Path, postgresql: Server, ask: Ask
) -> None:
    """The same people, since the key is: every document is the same to the letter."""
    (root / "kitsurvie.toml").write_text(f'ledger = "{postgresql.url()}"\n')
    consult(root, "all: true")
    key = workspace.load(root).state / people.KEY
    key.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(workspace.load(imported).state / people.KEY, key)
    told = ask(importing.import_, EXPORTS, workspace=root)
    (one,) = ask(importing.imports, workspace=imported)["imports"]
    assert one["counts"].items() <= told["counts"].items()
    for command, more in (
        (listing.list_, {}),
        (doubles.doubles, {"until": LAST_DAY}),
        (deciding.identical, {}),
    ):
        here = ask(command, workspace=root, **more)
        there = ask(command, workspace=imported, **more)
        assert {**here, "at": None} == {**there, "at": None}, command
    assert ask(importing.undo, told["import"], workspace=root)["devices"] == 0


def test_an_import_undone_leaves_nothing(copy: Path, ask: Ask) -> None:
    assert ask(importing.undo, 1, workspace=copy)["devices"] == 0
    assert ask(doubles.doubles, until=LAST_DAY, workspace=copy)["doubles"] == []
    (one,) = ask(importing.imports, workspace=copy)["imports"]
    assert one["undone"] is not None
    with pytest.raises(LedgerError, match="undone already"):
        importing.undo(1, workspace=copy)


def test_doubles_are_told_as_they_are(imported: Path, ask: Ask) -> None:
    from kitsurvie.assets.pseudonym import Pseudonyms, read_key

    known = Pseudonyms(read_key(workspace.load(imported).state / people.KEY))
    truth = {
        known.of(row["user"]): row["verdict"]
        for row in csv.DictReader((SAMPLE / "truth" / "doubles.csv").open(encoding="utf-8"))
    }
    found = ask(doubles.doubles, until=LAST_DAY, workspace=imported)
    said = {one["person"]: one["verdict"] for one in found["doubles"]}
    right = sum(said.get(person) == verdict for person, verdict in truth.items())
    assert right >= 0.97 * len(truth)
    assert len(said.keys() - truth.keys()) <= 0.03 * len(truth)
    assert found["computers"] == 1200
    worth = found["worth"]["embodied_kgco2e"]
    assert 0 < worth["low"] < worth["central"] < worth["high"]
    assert worth["sources"]


class Gone(dict[str, Any]):
    """Days of use that count how often they are gone through."""

    times = 0

    def items(self) -> Any:
        Gone.times += 1
        return super().items()


@pytest.mark.parametrize("how", [{}, {"json": True}, {"csv_": True}])
def test_the_agents_of_doubles_are_looked_for_once(
    imported: Path, how: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    use = Estate.use

    def counted(estate: Estate, window: Window) -> Use:
        found = use(estate, window)
        return replace(found, days=Gone(found.days))

    monkeypatch.setattr(Estate, "use", counted)
    monkeypatch.setattr(Gone, "times", 0)
    doubles.doubles(until=LAST_DAY, workspace=imported, **how)
    assert Gone.times == 1


def test_no_login_and_no_name_of_a_person_is_told_or_kept(imported: Path, ask: Ask) -> None:
    logins = {row["user"] for row in csv.DictReader((SAMPLE / "session_days.csv").open())}
    told = json.dumps(ask(doubles.doubles, until=LAST_DAY, workspace=imported))
    told += json.dumps(ask(listing.list_, workspace=imported))
    ledger = (workspace.load(imported).state / "ledger.sqlite").read_bytes()
    for login in logins:
        assert login not in told
        assert login.encode() not in ledger


def test_the_screen_answers_how_many_where_first_worth_and_how_sure(
    imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doubles.doubles(until=LAST_DAY, workspace=imported)
    said = capsys.readouterr().out
    for words in (
        "208 doubles among 1200 computers", "by session days (A)", "To take back: 139",
        "kgCO2e of making", "Where: ", "Cherbourg-en-Cotentin 11", "(small members)", "First",
    ):  # fmt: skip
        assert words in said
    doubles.doubles(until=LAST_DAY, csv_=True, workspace=imported)
    table = list(csv.reader(io.StringIO(capsys.readouterr().out.removeprefix("\ufeff"))))
    assert tuple(table[0]) == doubles.COLUMNS
    assert {len(row) for row in table} == {len(doubles.COLUMNS)}
    assert len(table) == 209


def test_without_use_nothing_is_guessed(root: Path, tmp_path: Path, ask: Ask) -> None:
    file = export(
        tmp_path,
        "1;PT-1;50129;7H2K9Q3;Notebook;marie.martin", "2;PF-1;50129;8J3L0R4;Desktop;marie.martin",
    )  # fmt: skip
    importing.import_([file], workspace=root)
    (one,) = ask(doubles.doubles, workspace=root)["doubles"]
    assert (one["verdict"], one["proposal"], one["worth"]) == ("unknown", "ask", None)


def test_what_is_refused_is_mended_and_imported_again(root: Path, tmp_path: Path, ask: Ask) -> None:
    file = export(
        tmp_path,
        "1;PC-1;50129;7H2K9Q3;Desktop;marie.martin", "2;PC-2;50129;8J3L0R4;Desktop;x;too;many",
        "3;=cmd();99999;9K4M1S5;Desktop;luc.durand",
    )  # fmt: skip
    told = ask(importing.import_, [file], refused=tmp_path / "mend", workspace=root)
    assert told["code"] == (1 if told["refused"] else 0)
    assert told["counts"]["new"] + told["counts"]["refused"] == 3
    (bad,) = [one for one in told["refused"] if one["line"] == 3]
    assert "luc.durand" not in json.dumps(told)
    assert bad["reason"]
    mended = next((tmp_path / "mend").glob("import-1-mend-*.csv"))
    text = mended.read_text(encoding="utf-8-sig")
    assert "luc.durand" not in text
    assert not any(cell.startswith("=") for row in csv.reader(io.StringIO(text), delimiter=";")
                   for cell in row)  # fmt: skip


@pytest.mark.parametrize("order", [("late.csv", "early.csv"), ("early.csv", "late.csv")])
def test_of_two_exports_that_hold_one_record_the_one_seen_last_is_kept(
    root: Path, tmp_path: Path, ask: Ask, order: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    heading = "id;nom;entité;numéro de série;dernière date d'inventaire\r\n"
    for name, row in (
        ("late.csv", "7;PC-NEW;215005026;CZC0000007;2026-10-30 09:00"),
        ("early.csv", "7;PC-OLD;215005026;CZC0000007;2026-01-30 09:00"),
    ):
        (tmp_path / name).write_text(heading + row + "\r\n", encoding="utf-8")
    files = [tmp_path / name for name in order]
    assert importing.import_(files, workspace=root) == 0
    said = "1 new, 0 changed, 0 as before, 1 given twice (the one seen last is kept), 0 refused"
    assert said in capsys.readouterr().out
    (one,) = ask(listing.list_, workspace=root)["devices"]
    assert (one["name"], one["seen"][:10]) == ("PC-NEW", "2026-10-30")
    # an old export that is imported later is taken, and said to be old
    capsys.readouterr()
    importing.import_([tmp_path / "early.csv"], workspace=root)
    said = " ".join(capsys.readouterr().out.split())
    assert "1 machine changed to what an earlier day had of it: the register knew a later" in said
    assert "kitsurvie assets undo 2" in said
    assert ask(importing.undo, 2, workspace=root)["devices"] == 1
    (one,) = ask(listing.list_, workspace=root)["devices"]
    assert one["name"] == "PC-NEW"


def test_two_devices_are_joined_kept_apart_and_the_decision_taken_back(
    root: Path, tmp_path: Path, ask: Ask
) -> None:
    file = export(
        tmp_path, "1;PC-1;50129;7H2K9Q3;Desktop;", "2;PC-2;50129;8J3L0R4;Desktop;",
    )  # fmt: skip
    importing.import_([file], workspace=root)
    one, other = (d["id"] for d in ask(listing.list_, workspace=root)["devices"])
    joined = ask(deciding.merge, one, other, "the board was changed", workspace=root)
    (device,) = ask(listing.list_, workspace=root)["devices"]
    assert joined["devices"] == [device["id"]]
    assert device["id"] in {one, other}
    shown = ask(listing.show, device["id"], workspace=root)
    assert [(link["how"], link["reason"]) for link in shown["links"]] == [
        ("decided", "the board was changed")
    ]
    with pytest.raises(UsageError, match="one device already"):
        deciding.merge(device["id"], device["id"], "again", workspace=root)
    ask(deciding.unmerge, device["id"], device["records"][0], "two after all", workspace=root)
    assert len(ask(listing.list_, workspace=root)["devices"]) == 2
    journal = ask(deciding.journal, workspace=root)["decisions"]
    assert [one["data"]["ruling"] for one in journal] == ["same", "apart"]
    deciding.revoke([journal[1]["decision"]], workspace=root)
    assert len(ask(listing.list_, workspace=root)["devices"]) == 1
    assert len(ask(deciding.journal, everything=True, workspace=root)["decisions"]) == 2


def test_what_does_not_fit_together_is_listed_with_its_records_as_far_as_is_asked(
    root: Path, tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(deciding, "CONFLICTS_SHOWN", 1)
    rows = [
        f"{number + 10 * serial};PC-{number + 10 * serial:03};{place};CZC999{serial};Desktop;"
        for serial, place in enumerate(("50002", "50003"))
        for number in range(1, 9)
    ]
    importing.import_([export(tmp_path, *rows)], workspace=root)
    found = ask(deciding.identical, workspace=root)["conflicts"]
    assert [one["sentence"] for one in found] == [
        "one serial on 8 machines: a placeholder, left out"
    ] * 2
    first = f"{found[0]['records'][0]} (PC-00"
    capsys.readouterr()
    deciding.identical(workspace=root)
    said = capsys.readouterr().out
    assert said.count("a placeholder, left out") == 1
    assert first in said
    assert "and 2 more\n" in said  # of the eight records
    assert "and 1 more conflict (--all shows them, or --member)" in said
    assert "2 conflicts." in said
    assert "kitsurvie assets show RECORD" in said
    deciding.identical(everything=True, workspace=root)
    said = capsys.readouterr().out
    assert said.count("a placeholder, left out") == 2
    assert "more conflict" not in said
    of_one = ask(deciding.identical, member="215000035", workspace=root)["conflicts"]
    assert [one["records"] for one in of_one] == [found[1]["records"]]


def test_a_machine_that_does_not_fit_itself_is_told_before_what_many_share(
    imported: Path, ask: Ask
) -> None:
    found = ask(deciding.identical, workspace=imported)["conflicts"]
    own = ["mainboard changed?" in one["sentence"] for one in found]
    assert own == sorted(own, reverse=True)
    assert set(own) == {True, False}


def test_somebody_is_exempt_until_a_day(copy: Path, ask: Ask) -> None:
    def told() -> dict[str, str]:
        found = ask(doubles.doubles, until=LAST_DAY, workspace=copy)["doubles"]
        return {one["person"]: one["verdict"] for one in found}

    before = told()
    row = next(
        row
        for row in csv.DictReader((SAMPLE / "truth" / "doubles.csv").open(encoding="utf-8"))
        if row["verdict"] == "dormant_second"
    )
    said = ask(doubles.doubles, until=LAST_DAY, workspace=copy)["doubles"]
    from kitsurvie.assets.pseudonym import Pseudonyms, read_key

    person = Pseudonyms(read_key(workspace.load(copy).state / people.KEY)).of(row["user"])
    siren = next(one["member"]["siren"] for one in said if one["person"] == person)
    assert before[person] == "dormant_second"
    given = ask(
        deciding.exempt, user=person, member=siren, reason="élections", until="2099-01-01",
        workspace=copy,
    )  # fmt: skip
    assert told()[person] == "exempt"
    deciding.revoke([given["decision"]], workspace=copy)
    assert told() == before
    for bad in ({"until": "2020-01-01"}, {"reason": "  "}, {"user": row["user"]}):
        words = {"user": person, "member": siren, "reason": "x", "until": "2099-01-01", **bad}
        with pytest.raises(UsageError):
            deciding.exempt(**words, workspace=copy)


@pytest.mark.parametrize(
    ("words", "what"),
    [({"mapped": ["nothing"]}, "which field"), ({"mapped": ["x=nonsense"]}, "nonsense")],
)
def test_what_cannot_be_meant_is_refused_before_anything(
    root: Path, tmp_path: Path, words: dict[str, Any], what: str
) -> None:
    file = export(tmp_path, "1;PC-1;50129;7H2K9Q3;Desktop;")
    with pytest.raises(UsageError, match=what):
        importing.import_([file], workspace=root, **words)
    with Ledger.open(workspace.load(root).ledger_url).register._read() as connection:
        assert connection is None


SESSIONS = "date,insee,device_name,device_serial,user\n" + "".join(
    f"2026-10-{day:02},{insee},PC-1,S7H2K9Q{insee[-1]},marie.martin\n"
    for day in range(1, 11)
    for insee in ("50129", "50502")
)


@pytest.mark.parametrize(
    ("scopes", "kept"),
    [
        ((), 0),
        (('member: "200056844"',), 10),
        (('epci: "200067205"',), 10),
        (("all: true",), 20),
    ],
)
def test_use_is_read_where_somebody_was_consulted_alone(
    root: Path, tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str],
    scopes: tuple[str, ...], kept: int,
) -> None:  # fmt: skip
    consult(root, *scopes)
    file = tmp_path / "sessions.csv"
    file.write_text(SESSIONS)
    told = ask(importing.import_, [file], workspace=root)
    assert (told["counts"]["days"], told["counts"]["not_consulted"]) == (kept, 20 - kept)
    with Ledger.open(workspace.load(root).ledger_url).register._read() as connection:
        assert connection is not None
    capsys.readouterr()
    importing.import_([file], workspace=root)
    assert ("nobody was consulted" in capsys.readouterr().out) == (kept < 20)


@pytest.mark.parametrize(
    "entry",
    ['member: "999999999"', "all: false", 'all: true, member: "200056844"', "nothing: 1"],
)
def test_a_consultation_that_cannot_be_meant_is_refused(
    root: Path, tmp_path: Path, entry: str
) -> None:
    from kitsurvie.errors import InventoryError

    consult(root, entry)
    with pytest.raises(InventoryError):
        importing.import_([export(tmp_path, "1;PC-1;50129;7H2K9Q3;Desktop;")], workspace=root)


def test_a_path_that_is_not_there_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no"):
        importing.import_([tmp_path / "none.csv"], workspace=root)


def test_a_device_is_found_by_what_is_written_on_it(imported: Path, ask: Ask) -> None:
    one = next(d for d in ask(listing.list_, workspace=imported)["devices"] if d["serial"])
    assert ask(listing.show, one["serial"].lower(), workspace=imported)["id"] == one["id"]
    assert ask(listing.show, one["records"][0], workspace=imported)["id"] == one["id"]
    with pytest.raises(UsageError, match="no device"):
        listing.show("nothing-like-it", workspace=imported)
