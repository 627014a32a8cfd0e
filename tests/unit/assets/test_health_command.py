"""`kitsurvie assets health`: what a sysadmin reads, what programs get, what is refused."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.assets.conftest import inventory

from kitsurvie import workspace
from kitsurvie.assets.finding import TITLES, URGENCY, Check, Limits
from kitsurvie.cli import init
from kitsurvie.cli.assets import health_export, importing, listing
from kitsurvie.cli.assets.health import health, limits_of
from kitsurvie.cli.main import app
from kitsurvie.errors import UsageError, WorkspaceError
from kitsurvie.model import Status

pytestmark = pytest.mark.usefixtures("these_days")

SAMPLE = Path(__file__).parents[2] / "data" / "manche_sample"
STATES = {"drift", "unknown", "compliant", "not_applicable"}
YESTERDAY = date.today() - timedelta(days=1)
WINDOWS_7 = ("Microsoft Windows 7 Professionnel", "6.1.7601")
SERVER_2025 = ("Microsoft Windows Server 2025 Standard", "10.0.26100")
# what a spreadsheet runs, what a terminal obeys, what rich takes for markup
HOSTILE = '=HYPERLINK("http://x")\x1b]0;owned\x07[/bold][red]:skull:\u202e'

Ask = Callable[..., dict[str, Any]]
Told = Callable[..., str]


def pc(
    folder: Path,
    name: str,
    system: tuple[str, str] = WINDOWS_7,
    chassis: str = "Desktop",
    seen: date = YESTERDAY,
    antivirus: bool | None = True,
    **content: Any,
) -> None:
    """The inventory of a machine at Saint-Lô: on, up to date and with room, unless said."""
    watched = {"name": "Defender", "enabled": antivirus, "uptodate": antivirus}
    document = inventory(
        hardware={"name": name, "chassis_type": chassis},
        bios={"ssn": f"S7H2K9{len(list(folder.glob('*.json'))):03}"},
        operatingsystem={"name": "Windows", "full_name": system[0], "kernel_version": system[1]},
        accesslog={"logdate": f"{seen} 09:00:00"},
        antivirus=[] if antivirus is None else [watched],
        firewalls=[{"profile": "PublicProfile", "status": "on"}],
        drives=[{"letter": "C:", "total": 240_000, "free": 90_000, "encrypt_status": "No"}],
    )
    document["content"] |= content
    number = len(list(folder.glob("*.json")))
    document |= {"deviceid": f"pc-{number}-2026-10-29-09-00-00", "tag": "50502"}
    (folder / f"{number}.json").write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init.init(tmp_path / "syndicate")
    (tmp_path / "inventories").mkdir()
    return tmp_path / "syndicate"


@pytest.fixture
def folder(root: Path) -> Path:
    return root.parent / "inventories"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the whole sample in its register: of it, inventories say next to nothing."""
    root = tmp_path_factory.mktemp("sample") / "syndicate"
    init.init(root)
    exports = [SAMPLE / "glpi_export.csv", SAMPLE / "snipeit.csv", SAMPLE / "glpi_json"]
    assert importing.import_(exports, workspace=root) == 0
    return root


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def telling(root: Path, *words: Any, code: int = 1, **more: Any) -> str:
        capsys.readouterr()
        assert health(*words, workspace=root, **{"lang": "en", **more}) == code
        return capsys.readouterr().out

    return telling


@pytest.fixture
def ask(told: Told) -> Ask:
    def asked(root: Path, *words: Any, **more: Any) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(told(root, *words, json=True, **more))
        assert document["exit_code"] == more.get("code", 1)
        return document

    return asked


def test_what_no_inventory_says_is_unknown_and_the_screen_says_how_to_know(
    imported: Path, ask: Ask, told: Told
) -> None:
    found = ask(imported)
    devices = [one for one in found["devices"] if one["findings"]]
    assert found["machines"] == len(devices) > 1000
    assert found["blind_spots"] == found["machines"]
    for check in found["checks"]:
        assert sum(check[state] for state in STATES) == found["machines"]
    counts = {check["check"]: check for check in found["checks"]}
    assert list(counts) == list(Check)
    for check in ("system_supported", "antivirus", "firewall", "free_space"):
        assert counts[check]["unknown"] == found["machines"]
    said = told(imported)
    assert f"{found['with_drift']} with a drift" in said
    assert "Blind spot" in said
    assert "GLPI's JSON" in said


def test_the_json_document_has_the_shape_that_is_documented(
    root: Path, folder: Path, ask: Ask
) -> None:
    pc(folder, "PC-1")
    pc(folder, "SRV-1", SERVER_2025, chassis="Server")
    importing.import_([folder], workspace=root)
    found = ask(root)
    assert (found["kind"], found["version"]) == ("assets_health", 1)
    assert set(found) == {
        "kind", "version", "today", "exit_code", "limits", "machines", "with_drift",
        "blind_spots", "not_judged", "checks", "members", "devices",
    }  # fmt: skip
    assert found["limits"] == {
        "stale_days": 90, "years": 7, "encrypted": ["laptop", "tablet"], "extended": [],
    }  # fmt: skip
    assert found["not_judged"] == {"other_kinds": 0, "put_away": 0}
    for one in found["checks"]:
        assert set(one) == {"check", "title", *STATES}
        assert set(one["title"]) == {"fr", "en"}
    for one in found["members"]:
        assert set(one) == {"siren", "name", "check", "status", "machines"}
        assert one["siren"] == "215005026"
    listed = set(ask_list(root, "PC-1"))
    for one in found["devices"]:
        assert set(one) == listed | {"blind_spot", "findings"}
        assert [finding["check"] for finding in one["findings"]] == list(Check)
        for finding in one["findings"]:
            assert set(finding) == {"check", "status", "found", "expected", "seen", "text"}
            assert set(finding["text"]) == {"fr", "en"}
            assert finding["status"] in STATES


def ask_list(root: Path, name: str) -> dict[str, Any]:
    from kitsurvie.cli.assets import estate as estates
    from kitsurvie.cli.recording import opened

    place = workspace.load(root)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
    return listing.document(estate.device(name), estate)


def test_the_screen_says_how_many_what_first_where_and_the_worst_machine(
    root: Path, folder: Path, told: Told
) -> None:
    pc(folder, "PC-OLD")
    pc(folder, "PC-BARE", antivirus=None)
    pc(folder, "SRV-BARE", ("Microsoft Windows Server 2012 Standard", ""), "Server", antivirus=None)
    pc(folder, "SRV-FINE", SERVER_2025, "Server")
    importing.import_([folder], workspace=root)
    said = told(root)
    assert "4 machines on" in said
    assert "3 with a drift" in said
    assert "Saint-Lô 3" in said
    todo = said[said.index("To do") : said.index("Where")]
    assert todo.index("1. 2 machines (1 server among them) - switch the antivirus on") > 0
    assert todo.index("antivirus") < todo.index("security updates")
    assert said.index("SRV-BARE") < said.index("PC-BARE") < said.index("PC-OLD")
    assert "SRV-FINE" not in said
    assert "Blind spot" not in said
    french = told(root, lang="fr")
    for words in ("3 avec un écart", "À faire, dans cet ordre", "fin de suivi", "Où : Saint-Lô 3"):
        assert words in french


def test_a_state_a_check_and_a_member_narrow_what_is_told(
    root: Path, folder: Path, ask: Ask, told: Told
) -> None:
    pc(folder, "PC-OLD")
    pc(folder, "SRV-FINE", SERVER_2025, "Server")
    importing.import_([folder], workspace=root)
    drifts = ask(root, state="drift")
    assert drifts["machines"] == 2
    assert [(d["name"], f["check"]) for d in drifts["devices"] for f in d["findings"]] == [
        ("PC-OLD", "system_supported")
    ]
    system = ask(root, check=[Check.SYSTEM_SUPPORTED])
    assert [one["check"] for one in system["checks"]] == ["system_supported"]
    assert {len(one["findings"]) for one in system["devices"]} == {1}
    assert "no security updates since 2020-01-14" in " ".join(
        told(root, check=[Check.SYSTEM_SUPPORTED]).split()
    )
    assert ask(root, check=[Check.FIREWALL], code=0)["with_drift"] == 0
    assert ask(root, member="215000035", code=0)["devices"] == []
    assert "No computer to judge" in told(root, member="215000035", code=0)
    assert "No machine is in that state" in told(root, state="compliant", check=[Check.AGE], code=0)


def test_the_blind_spots_are_the_first_of_what_is_not_known(
    root: Path, folder: Path, told: Told
) -> None:
    pc(folder, "PC-A")
    pc(folder, "PC-B", seen=date.today() - timedelta(days=200))
    importing.import_([folder], workspace=root)
    said = told(root, state="unknown")
    assert "1 of which next to nothing is known" in " ".join(said.split())
    assert said.index("PC-B") < said.index("PC-A")


def test_servers_alone_are_called_servers(root: Path, folder: Path, told: Told) -> None:
    pc(folder, "SRV-1", ("Microsoft Windows Server 2012 Standard", ""), "Server")
    pc(folder, "SRV-2", SERVER_2025, "Server")
    importing.import_([folder], workspace=root)
    assert "1. 1 server - move to another version" in told(root)
    assert "1. 1 serveur - changer de version" in told(root, lang="fr")


def test_one_machine_is_told_in_full_by_what_is_written_on_it(
    root: Path, folder: Path, ask: Ask, told: Told
) -> None:
    pc(folder, "PC-OLD")
    pc(folder, "SRV-FINE", SERVER_2025, "Server")
    pc(folder, "IMP-1", chassis="Printer")
    importing.import_([folder], workspace=root)
    said = told(root, "srv-fine", code=0)
    for title in TITLES.values():
        assert title.en in said
    assert "PC-OLD" not in said
    assert [one["name"] for one in ask(root, "PC-OLD")["devices"]] == ["PC-OLD"]
    with pytest.raises(UsageError, match="no device"):
        health("PC-NONE", workspace=root)


def test_what_is_no_computer_is_counted_and_not_judged(
    root: Path, tmp_path: Path, ask: Ask, told: Told
) -> None:
    table = "id;nom;entité;numéro de série;type\n1;IMP-1;50502;7H2K9Q3;Printer\n"
    (tmp_path / "parc.csv").write_text(table, encoding="utf-8")
    importing.import_([tmp_path / "parc.csv"], workspace=root)
    assert ask(root, code=0)["not_judged"] == {"other_kinds": 1, "put_away": 0}
    assert "IMP-1 is not judged" in told(root, "IMP-1", code=0)


@pytest.mark.parametrize(("days", "away"), [(400, True), (2, False)])
def test_what_a_register_put_away_is_left_out_unless_an_inventory_still_sees_it(
    root: Path, folder: Path, tmp_path: Path, ask: Ask, told: Told, days: int, away: bool
) -> None:
    pc(folder, "PC-GONE", seen=date.today() - timedelta(days=days))
    table = "id;nom;entité;numéro de série;type;statut\n1;PC-GONE;50502;S7H2K9000;Desktop;Réformé\n"
    (tmp_path / "parc.csv").write_text(table, encoding="utf-8")
    importing.import_([folder, tmp_path / "parc.csv"], workspace=root)
    found = ask(root, code=0 if away else 1)
    assert (found["not_judged"]["put_away"], found["machines"]) == (int(away), int(not away))
    assert ask(root, "PC-GONE")["machines"] == 1, "asked for by name, it is judged"


def test_the_extensions_that_were_bought_count_from_the_settings_and_from_the_option(
    root: Path, folder: Path, ask: Ask
) -> None:
    pc(folder, "PC-1", ("Microsoft Windows 10 Professionnel", "10.0.19045"))
    importing.import_([folder], workspace=root)
    bought = date.today() <= date(2028, 10, 10)
    assert ask(root)["with_drift"] == 1
    code = 0 if bought else 1
    assert ask(root, extended=["windows-10"], code=code)["limits"]["extended"] == ["windows-10"]
    (root / "kitsurvie.toml").write_text('health_extended = ["windows-10"]\n', encoding="utf-8")
    assert ask(root, code=code)["limits"]["extended"] == ["windows-10"]


def test_the_settings_change_what_is_judged(root: Path, folder: Path, ask: Ask) -> None:
    pc(folder, "PC-1", SERVER_2025, seen=date.today() - timedelta(days=20))
    importing.import_([folder], workspace=root)
    assert ask(root, code=0)["with_drift"] == 0
    settings = 'health_encrypted = ["desktop"]\nhealth_stale_days = 30\nhealth_years = 5\n'
    (root / "kitsurvie.toml").write_text(settings, encoding="utf-8")
    found = ask(root)
    assert (found["limits"]["years"], found["limits"]["encrypted"]) == (5, ["desktop"])
    assert [f["check"] for d in ask(root, state="drift")["devices"] for f in d["findings"]] == [
        "disk_encrypted"
    ]
    (root / "kitsurvie.toml").write_text("health_stale_days = 10\n", encoding="utf-8")
    fresh = next(one for one in ask(root)["checks"] if one["check"] == "inventory_fresh")
    assert fresh["drift"] == 1


def test_the_settings_begin_with_the_limits_of_the_checks(root: Path) -> None:
    assert limits_of(workspace.load(root), ()) == Limits()


@pytest.mark.parametrize(
    ("settings", "words", "what", "remedy"),
    [
        ("", {"extended": ["windows-xp"]}, "--extended 'windows-xp'", "ubuntu, windows-10"),
        ("", {"csv_": True, "json": True}, "two things", "one of them"),
        ('health_extended = ["win10"]', {}, "health_extended has 'win10'", "windows-server"),
        ('health_encrypted = ["phone"]', {}, "health_encrypted has 'phone'", "laptop"),
        ('health_extended = "windows-10"', {}, "a list of texts", "Mend it"),
        ("health_encrypted = [1]", {}, "a list of texts", "Mend it"),
        ("health_years = 0", {}, "above zero", "Mend it"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_with_a_remedy(
    root: Path, settings: str, words: dict[str, Any], what: str, remedy: str
) -> None:
    (root / "kitsurvie.toml").write_text(settings, encoding="utf-8")
    with pytest.raises((UsageError, WorkspaceError), match=what) as raised:
        health(workspace=root, **words)
    assert remedy in raised.value.remedy
    assert raised.value.exit_code == 2


def test_the_table_is_a_row_a_machine_and_check(root: Path, folder: Path, told: Told) -> None:
    pc(folder, "PC-1")
    pc(folder, "SRV-1", SERVER_2025, "Server")
    importing.import_([folder], workspace=root)
    table = list(csv.DictReader(io.StringIO(told(root, csv_=True).removeprefix("\ufeff"))))
    assert tuple(table[0]) == health_export.COLUMNS
    assert Counter(row["name"] for row in table) == {"PC-1": len(Check), "SRV-1": len(Check)}
    assert {row["member"] for row in table} == {"Saint-Lô"}
    (one,) = csv.DictReader(io.StringIO(told(root, csv_=True, state="drift", lang="fr")[1:]))
    assert (one["check"], one["status"]) == ("system_supported", "drift")
    assert "ne reçoit plus" in one["text"]


def test_hostile_text_reaches_no_terminal_and_is_no_formula(
    root: Path, folder: Path, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    pc(folder, HOSTILE, (f"Windows 7 {HOSTILE}", "6.1.7601"))
    file = folder / "0.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    bad = {"name": HOSTILE, "enabled": False, "uptodate": False}
    document["content"]["antivirus"] = [bad]
    document["content"]["bios"] |= {"smanufacturer": HOSTILE, "smodel": HOSTILE}
    file.write_text(json.dumps(document), encoding="utf-8")
    importing.import_([folder], workspace=root)
    kept = ask_list(root, "S7H2K9000")
    assert "HYPERLINK" in kept["name"]
    screens = [
        told(root), told(root, "S7H2K9000"), told(root, check=[Check.ANTIVIRUS]),
        told(root, state="unknown"), told(root, lang="fr"),
    ]  # fmt: skip
    capsys.readouterr()
    listing.list_(workspace=root)
    screens.append(capsys.readouterr().out)
    for screen in screens:
        assert all(c.isprintable() or c == "\n" for c in screen)
    assert "[/bold]" in "".join(screens[1].split())
    for row in csv.reader(io.StringIO(told(root, csv_=True)[1:])):
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@"))
            assert "\x1b" not in cell


def test_the_order_of_urgency_has_every_check_once() -> None:
    assert sorted(URGENCY) == sorted(Check)


def test_every_word_of_the_screen_is_there_in_both_languages() -> None:
    from kitsurvie.cli.assets import health_words as words

    for table in (words.DRIFTS, words.CHECKS, words.TODO):
        assert set(table) == set(Check)
    assert set(words.STATES) == {Status(state) for state in STATES}


def test_the_command_is_there_with_its_exit_code(
    root: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pc(folder, "PC-1")
    importing.import_([folder], workspace=root)
    capsys.readouterr()
    words = ["assets", "health", "PC-1", "--lang", "fr", "-C", str(root)]
    assert app(words, standalone_mode=False) == 1
    assert "Microsoft Windows 7" in capsys.readouterr().out
    with pytest.raises(UsageError):
        app(["assets", "health", "--extended", "x", "-C", str(root)], standalone_mode=False)
