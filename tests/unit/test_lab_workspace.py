"""What a lab writes: its workspace, its state, the scenarios it knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kitsurvie import lab, workspace
from kitsurvie.errors import LabError, UsageError
from kitsurvie.lab import base, mirror, needs, record, roster, scenario, syndicate
from kitsurvie.model import Profile

REQUEST = lab.Request(machines=4, enrolled=True)


def hosts_of(folder: Path) -> dict[str, dict[str, object]]:
    """Every host of the written inventory, with the groups above it."""
    found: dict[str, dict[str, object]] = {}
    tree = yaml.safe_load((folder / "inventory/hosts.yml").read_text())
    for epci, below in tree["all"]["children"].items():
        for member, group in below["children"].items():
            for name, variables in group["hosts"].items():
                found[name] = {**variables, "member": member, "epci": epci}
    return found


def test_an_enrolled_lab_has_each_machine_under_its_member_and_epci(tmp_path: Path) -> None:
    syndicate.write(tmp_path, roster.places(REQUEST), enrolled=True)
    hosts = hosts_of(tmp_path)
    assert sorted(hosts) == ["ks-01", "ks-02", "ks-03", "ks-04"]
    assert hosts["ks-04"] == {
        "ansible_host": "198.18.0.14",
        "kit__profile": "server",
        "member": "member_200054732",
        "epci": "epci_200043354",
    }


def test_a_raw_lab_has_members_and_no_host(tmp_path: Path) -> None:
    syndicate.write(tmp_path, roster.places(REQUEST), enrolled=False)
    assert hosts_of(tmp_path) == {}
    assert (tmp_path / "inventory/group_vars/member_215002189.yml").is_file()


def test_the_workspace_can_be_opened_and_only_observes(tmp_path: Path) -> None:
    syndicate.write(tmp_path, roster.places(REQUEST), enrolled=True)
    opened = workspace.load(tmp_path)
    everyone = yaml.safe_load((opened.inventory / "group_vars/all/lab.yml").read_text())
    assert everyone["kit__mode"] == "observe"
    admin = everyone["accounts__administrators"][0]
    assert admin["name"] == everyone["ansible_user"] == "admin1"
    assert admin["keys"][0].startswith("ssh-ed25519 ")
    key = Path(everyone["ansible_ssh_private_key_file"])
    assert key.stat().st_mode & 0o777 == 0o600


def test_siren_and_insee_stay_text(tmp_path: Path) -> None:
    syndicate.write(tmp_path, (), enrolled=False)
    for file in (tmp_path / "inventory/group_vars").glob("*.yml"):
        for block in yaml.safe_load(file.read_text()).values():
            assert isinstance(block["siren"], str)
            assert isinstance(block.get("insee", ""), str)


def test_variables_somebody_changed_are_kept_and_hosts_are_written_anew(tmp_path: Path) -> None:
    syndicate.write(tmp_path, roster.places(REQUEST), enrolled=True)
    mine = tmp_path / "inventory/group_vars/all/lab.yml"
    mine.write_text("kit__mode: enforce\n")
    syndicate.write(tmp_path, (), enrolled=True)
    assert mine.read_text() == "kit__mode: enforce\n"
    assert hosts_of(tmp_path) == {}


def test_a_machine_is_pinned_under_all_its_names_and_an_older_key_is_forgotten(
    tmp_path: Path,
) -> None:
    place = roster.places(replace(REQUEST, addresses_per_machine=2))[0]
    (tmp_path / "inventory").mkdir()
    syndicate.pin(tmp_path, place, ["ssh-ed25519 OLD"])
    other = roster.places(REQUEST)[1]
    syndicate.pin(tmp_path, other, ["ssh-ed25519 OTHER"])
    syndicate.pin(tmp_path, place, ["ssh-ed25519 NEW"])
    lines = (tmp_path / "inventory/known_hosts").read_text().splitlines()
    assert lines == [
        "ks-02 ssh-ed25519 OTHER",
        "ks-01-001 ssh-ed25519 NEW",
        "ks-01-002 ssh-ed25519 NEW",
    ]


def lab_of(folder: Path) -> record.Lab:
    machine = lab.Machine(
        name="ks-01",
        prefix="ks",
        addresses=("198.18.0.11", "198.18.1.0"),
        release="trixie",
        profile=Profile.LAPTOP,
        member="215002189",
        host_key_sha256="SHA256:x",
        folder=folder / ".lab/machines/ks-01",
        base=Path("/base"),
    )
    return record.Lab(folder, REQUEST, "install", "secret", "$6$x", folder / "key", (machine,))


def test_a_lab_is_read_back_as_it_was_written_and_only_root_may(tmp_path: Path) -> None:
    (tmp_path / ".lab").mkdir()
    made = lab_of(tmp_path.resolve())
    record.save(made)
    assert lab.load(tmp_path) == made
    assert (tmp_path / ".lab/state.json").stat().st_mode & 0o777 == 0o600


def test_a_folder_without_a_lab_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no lab here") as caught:
        lab.load(tmp_path)
    assert "lab up" in caught.value.remedy


def test_an_unknown_machine_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no machine named ks-99") as caught:
        lab_of(tmp_path).machine("ks-99")
    assert "ks-01" in caught.value.remedy


def test_scenarios_are_listed_and_a_measure_of_the_workspace_replaces_the_kits(
    tmp_path: Path,
) -> None:
    for name in ("own/firewall", "kit/firewall", "kit/accounts"):
        folder = tmp_path / name / "scenarios"
        folder.mkdir(parents=True)
        (folder / f"drift_{name.split('/')[0]}.sh").touch()
    known = scenario.known([tmp_path / "own", tmp_path / "kit", tmp_path / "absent"])
    assert list(known) == ["firewall/drift_own", "accounts/drift_kit"]


def test_an_unknown_scenario_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no scenario firewall/nope"):
        scenario.act(lab_of(tmp_path).machines[0], "firewall/nope", [])


def test_another_recipe_is_another_base_image() -> None:
    source = mirror.Mirror("http://a.example/debian", "http://a.example/security", (), "")
    same = base.path("trixie", source)
    assert base.path("trixie", replace(source)) == same
    assert base.path("bookworm", source) != same
    assert base.path("trixie", replace(source, archive="http://b.example/debian")) != same


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabError, match="debootstrap, iproute2, iptables") as caught:
        needs.commands()
    assert caught.value.remedy.startswith("apt-get install apt debootstrap")


def test_whoever_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="only root"):
        lab.up(tmp_path / "lab", REQUEST)
    assert not (tmp_path / "lab").exists()


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="MB are free"):
        needs.disk(tmp_path, 10**9)
