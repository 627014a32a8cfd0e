"""`init`, `inventory` and `kit` as somebody types them: streams, documents and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kitsurvie import inventory, workspace
from kitsurvie.cli import init, measure_page

from .conftest import FILES, HOSTS, Make, Run


def test_init_makes_a_workspace_that_is_read_at_once(kitsurvie: Run, tmp_path: Path) -> None:
    said = kitsurvie("init", tmp_path / "new/syndicate")
    assert (said.code, said.err) == (0, "")
    assert "kitsurvie inventory check" in said.out
    place = workspace.load(tmp_path / "new/syndicate")
    found = inventory.load(place)
    assert len(found.hosts) == 14
    assert {member.kind.value for member in found.members.values()} == {
        "commune",
        "ccas",
        "departement",
    }
    assert not (place.inventory / "territory").exists()
    assert "/.kitsurvie/" in (place.root / ".gitignore").read_text("utf-8").splitlines()


def test_the_example_says_of_its_members_what_the_territory_says(
    kitsurvie: Run, tmp_path: Path
) -> None:
    from kitsurvie.inventory import territory

    kitsurvie("init", tmp_path / "syndicate")
    found = inventory.load(workspace.load(tmp_path / "syndicate"))
    communes = {s: m for s, m in found.members.items() if m.kind.value == "commune"}
    assert communes == {siren: territory.member(siren) for siren in communes}
    assert found.epcis == {siren: territory.epci(siren) for siren in found.epcis}


def test_the_example_s_problems_are_only_that_no_host_is_enrolled(
    kitsurvie: Run, tmp_path: Path
) -> None:
    kitsurvie("init", tmp_path / "syndicate")
    found = inventory.load(workspace.load(tmp_path / "syndicate"))
    lines = "".join(f"{name} ssh-ed25519 AAAA\n" for name in found.hosts)
    (tmp_path / "syndicate/inventory/known_hosts").write_text(lines, "utf-8")
    said = kitsurvie("inventory", "check", "--workspace", tmp_path / "syndicate", "--json")
    wrong = [p for p in said.document["problems"] if "belongs to no measure" not in p["what"]]
    assert wrong == []


def test_every_setting_init_shows_is_the_default(tmp_path: Path) -> None:
    (tmp_path / workspace.CONFIG_NAME).write_text("", "utf-8")
    default = workspace.load(tmp_path)
    shown = [line.removeprefix("# ") for line in init.CONFIG.splitlines() if " = " in line]
    (tmp_path / workspace.CONFIG_NAME).write_text("\n".join(shown), "utf-8")
    assert workspace.load(tmp_path) == default
    assert len(shown) == len(workspace._DEFAULTS)


@pytest.mark.parametrize("what", ["file", "full"])
def test_init_never_writes_over_anything(kitsurvie: Run, tmp_path: Path, what: str) -> None:
    target = tmp_path / "there"
    if what == "file":
        target.write_text("precious", "utf-8")
    else:
        target.mkdir()
        (target / "precious").write_text("", "utf-8")
    said = kitsurvie("init", target)
    assert said.code == 2
    assert "new or empty" in said.err
    assert said.out == ""
    assert not (target / "kitsurvie.toml").exists()


def test_init_where_nothing_can_be_written_is_a_sentence(kitsurvie: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    said = kitsurvie("init", tmp_path / "file/below")
    assert said.code == 2
    assert "cannot be written" in said.err
    assert "Traceback" not in said.err


@pytest.fixture
def place(make: Make, role: Callable[..., Path]) -> workspace.Workspace:
    """A syndicate with two measures of its own."""
    role("firewall", under="syndicate/roles")
    role("ssh_hardening", under="syndicate/roles")
    member = FILES["group_vars/member_215000027.yml"] + "firewall__mode: enforce\n"
    return make({"group_vars/member_215000027.yml": member})


def test_show_groups_hosts_by_epci_and_member(kitsurvie: Run, place: workspace.Workspace) -> None:
    said = kitsurvie("inventory", "show", "--workspace", place.root)
    assert (said.code, said.err) == (0, "")
    order = ["CA Saint-Lô Agglo", "  Agneaux (commune, SIREN 215000027, INSEE 50002)"]
    order += ["agneaux-srv-01", "  Saint-Lô (", "Outside any EPCI", "  Département de la Manche ("]
    places = [said.out.index(text) for text in order]
    assert places == sorted(places)
    assert said.out.count("CA Saint-Lô Agglo") == 1
    assert "4 hosts of 3 members." in said.out


def test_show_counts_the_measures_that_are_for_the_profile(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    (place.root / "roles/firewall/measure.yml").write_text(
        (place.root / "roles/firewall/measure.yml")
        .read_text("utf-8")
        .replace("[server, desktop]", "[desktop]"),
        "utf-8",
    )
    said = kitsurvie("inventory", "show", "--workspace", place.root, "--json")
    modes = {host["name"]: host["modes"] for host in said.document["hosts"]}
    assert "firewall" not in modes["agneaux-srv-01"]
    assert modes["agneaux-pc-01"]["firewall"] == "enforce"
    assert modes["agneaux-pc-01"]["ssh_hardening"] == "observe"


def test_show_takes_a_pattern_and_speaks_json(kitsurvie: Run, place: workspace.Workspace) -> None:
    words = ("--workspace", place.root, "--json", "--limit", "epci_200066389:&*-srv-*")
    document = kitsurvie("inventory", "show", *words).document
    assert (document["kind"], document["version"]) == ("inventory_show", 1)
    assert [host["name"] for host in document["hosts"]] == ["agneaux-srv-01", "saint-lo-srv-01"]
    assert document["hosts"][0]["member"] == {
        "siren": "215000027",
        "name": "Agneaux",
        "kind": "commune",
    }
    assert document["hosts"][0]["epci"] == {"siren": "200066389", "name": "CA Saint-Lô Agglo"}
    assert document["hosts"][0]["enrolled"] is False


def test_show_of_a_pattern_with_a_typo_exits_2_with_the_right_name(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    said = kitsurvie("inventory", "show", "--workspace", place.root, "--limit", "agneaux-srv-1")
    assert said.code == 2
    assert "agneaux-srv-01" in said.err
    assert said.out == ""


def test_check_exits_2_on_an_error_and_0_on_warnings(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    said = kitsurvie("inventory", "check", "--workspace", place.root)
    assert said.code == 0
    assert "0 errors, 1 warnings." in said.out
    broken = HOSTS.replace("kit__profile: desktop", "kit__profile: tower")
    (place.inventory / "hosts.yml").write_text(broken, "utf-8")
    said = kitsurvie("inventory", "check", "--workspace", place.root)
    assert said.code == 2
    assert "inventory/hosts.yml:9" in said.out
    said = kitsurvie("inventory", "check", "--workspace", place.root, "--json")
    assert said.code == 2
    assert said.document["problems"][0]["severity"] == "error"


def test_kit_list_needs_no_workspace(kitsurvie: Run) -> None:
    said = kitsurvie("kit", "list", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.document["kind"] == "kit_list"


def test_kit_list_refuses_a_workspace_that_does_not_exist(kitsurvie: Run, tmp_path: Path) -> None:
    assert kitsurvie("kit", "list", "--workspace", tmp_path / "nowhere").code == 2


def test_kit_list_counts_the_measures_of_the_workspace(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    said = kitsurvie("kit", "list", "--workspace", place.root)
    assert "A firewall" in said.out
    assert "server, desktop" in said.out


def test_kit_show_says_why_and_explains_each_variable(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    said = kitsurvie("kit", "show", "firewall", "--workspace", place.root)
    assert said.code == 0
    for text in ("To close doors.", "Nothing you would see.", "Call us.", "BP-028/v2.0/R33"):
        assert text in said.out
    lines = said.out.splitlines()
    at = lines.index("  firewall__ports: [22]")
    assert lines[at - 2 : at] == ["  # What is let in.", "  # One port per line."]


@pytest.mark.parametrize("how", ["option", "environment"])
def test_kit_show_speaks_french(
    kitsurvie: Run, place: workspace.Workspace, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--lang", "fr") if how == "option" else ()
    if how == "environment":
        monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    said = kitsurvie("kit", "show", "firewall", "--workspace", place.root, *words)
    assert "Pour fermer." in said.out
    assert "To close doors." not in said.out


def test_kit_show_in_french_has_no_english_label_left(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    said = kitsurvie("kit", "show", "firewall", "--workspace", place.root, "--lang", "fr")
    for label in ("Step", "Profiles", "Norms", "Can lock out", "Footprint", "Folder", "defaults"):
        assert f"{label}:" not in said.out
    for words in ("En attendant, au guichet", "Budget, au plus", "poste fixe", "Mo de disque"):
        assert words in said.out


@pytest.mark.parametrize(
    ("lang", "heading"),
    [
        ("fr", "Pour ceux qui administrent les machines"),
        ("en", "For those who administer the machines"),
    ],
)
def test_kit_show_keeps_what_is_technical_for_the_end(
    kitsurvie: Run, place: workspace.Workspace, lang: str, heading: str
) -> None:
    said = kitsurvie("kit", "show", "firewall", "--workspace", place.root, "--lang", lang)
    for_all, _, for_some = said.out.partition(heading)
    assert "BP-028" not in for_all
    assert "firewall__ports" not in for_all
    assert "BP-028" in for_some


def test_every_label_of_a_page_is_in_both_languages() -> None:
    for words in (measure_page.HEADINGS, measure_page.WORDS):
        assert words["fr"].keys() == words["en"].keys()


def test_kit_show_json_holds_both_languages(kitsurvie: Run, place: workspace.Workspace) -> None:
    said = kitsurvie("kit", "show", "firewall", "--workspace", place.root, "--json")
    measure = said.document["measure"]
    assert measure["why"] == {"fr": "Pour fermer.", "en": "To close doors."}
    assert measure["variables"][0] == {
        "name": "firewall__ports",
        "default": [22],
        "comment": "What is let in. One port per line.",
    }


def test_an_unknown_measure_is_answered_with_the_right_name(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    said = kitsurvie("kit", "show", "firewal", "--workspace", place.root)
    assert said.code == 2
    assert "Did you mean firewall?" in said.err


@pytest.mark.parametrize("hosts", ["", "---\nall:\n"])
def test_a_workspace_before_its_first_machine_is_shown_empty(
    kitsurvie: Run, make: Make, hosts: str
) -> None:
    place = make({"hosts.yml": hosts})
    said = kitsurvie("inventory", "show", "--workspace", place.root)
    assert (said.code, said.err) == (0, "")
    assert "0 hosts of 0 members." in said.out


@pytest.mark.parametrize("group", ["inventory", "kit"])
def test_a_group_without_a_command_shows_its_help_and_no_empty_error(
    kitsurvie: Run, group: str
) -> None:
    said = kitsurvie(group)
    assert said.code == 2
    assert "show" in said.out
    assert "Error" not in said.err


def test_the_cost_of_the_kit_is_said_by_measure_and_in_all(kitsurvie: Run) -> None:
    said = kitsurvie("kit", "cost", "--json").document
    assert said["kind"] == "kit_cost"
    servers = [m for m in said["measures"] if "server" in m["profiles"] and m["footprint"]]
    total = round(sum(m["footprint"]["disk_mb"] for m in servers), 2)
    # nothing measured is not a cost of nothing
    assert said["totals"]["server"].get("disk_mb") == (total if servers else None)
    shown = kitsurvie("kit", "cost", "--profile", "laptop").out
    assert "in all, laptop" in shown
    assert "in all, server" not in shown
