"""What goes wrong before or during a run: one clear message each, and the right exit code."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab.spine import Desk, Said

from kitsurvie import lab


@pytest.fixture(scope="module")
def desk(lab_fleet: lab.Lab) -> Desk:
    for machine in lab_fleet.machines:
        if machine.state != "up":
            lab.wake(lab_fleet, machine.name)
    return Desk(lab_fleet.folder)


@pytest.fixture
def edited(desk: Desk) -> Iterator[Callable[[str, Callable[[str], str]], None]]:
    """Change files of the workspace for one test: `edited("inventory/hosts.yml", change)`."""
    before: dict[Path, str | None] = {}

    def edit(name: str, change: Callable[[str], str]) -> None:
        path = desk.workspace / name
        before.setdefault(path, path.read_text() if path.exists() else None)
        path.write_text(change(before[path] or ""))

    yield edit
    for path, text in before.items():
        path.unlink() if text is None else path.write_text(text)


Edit = Callable[[str, Callable[[str], str]], None]


def refused(said: Said, *words: str) -> None:
    """One clear message, exit 2, nothing on stdout."""
    assert said.code == 2, said.why()
    assert said.out == ""
    assert said.err.count("Error:") == 1, said.err
    assert "What to do:" in said.err
    for word in words:
        assert word in said.err, said.err


def test_broken_yaml_is_named_with_its_line(desk: Desk, edited: Edit) -> None:
    edited("inventory/hosts.yml", lambda text: text + "\n  - [unclosed\n")
    refused(desk.run("compliance", "run"), "hosts.yml:")


def test_unknown_words_are_refused_with_what_was_probably_meant(desk: Desk) -> None:
    refused(desk.run("deploy", "--yes", "--measure", "firewal"), "'firewal'", "firewall")
    refused(desk.run("deploy", "--yes", "--limit", "nowhere"), "nowhere")
    refused(desk.run("plan", "--limit", "member_000000000"), "member_000000000")
    assert desk.run("deploy", "--no-such-option").code == 2


def test_a_host_without_member_or_profile_is_refused_by_name(desk: Desk, edited: Edit) -> None:
    host = "kit__profile: server"
    edited("inventory/hosts.yml", lambda text: text.replace(host, "kit__note: x", 1))
    refused(desk.run("compliance", "run"), "profile")
    edited(
        "inventory/hosts.yml",
        lambda text: (
            text + "  hosts:\n    alone:\n      ansible_host: 198.18.0.250\n"
            "      kit__profile: server\n"
        ),
    )
    refused(desk.run("compliance", "run"), "alone", "member")


def test_a_host_name_with_shell_characters_is_refused(desk: Desk, edited: Edit) -> None:
    name = lab.load(desk.workspace).machines[0].name
    edited("inventory/hosts.yml", lambda t: t.replace(f"{name}:", "'x; touch /tmp/owned #':", 1))
    refused(desk.run("compliance", "run"), "touch")
    assert not Path("/tmp/owned").exists()


def _plant_role(desk: Desk, check: str) -> Path:
    """A measure of the syndicate's own, beside the kit's."""
    role = desk.workspace / "roles" / "planted"
    (role / "checks").mkdir(parents=True)
    (role / "defaults").mkdir()
    (role / "tasks").mkdir()
    (role / "tasks" / "main.yml").write_text("---\n[]\n")
    (role / "defaults" / "main.yml").write_text("---\n{}\n")
    texts = "\n".join(
        f"{key}: {{fr: texte, en: text}}"
        for key in ("title", "why", "changes", "on_failure", "fallback", "absent")
    )
    (role / "measure.yml").write_text(
        f"---\nid: planted\nstep: secure\n{texts}\nprofiles: [server, desktop, laptop]\n"
        "norms: []\nlockout_risk: false\nreboot: false\nundo: false\nfootprint: {}\n"
        "budget: {disk_mb: 1, memory_mb: 1, cpu_s_per_day: 1, network_kb_per_day: 1}\n"
    )
    (role / "checks" / "test_planted.py").write_text(check)
    return role


@pytest.fixture
def planted(desk: Desk) -> Iterator[Callable[[str], None]]:
    yield lambda check: (_plant_role(desk, check), None)[1]
    subprocess.run(["rm", "-rf", str(desk.workspace / "roles")], check=True)


def one_check(body: str) -> str:
    return f'def test_planted(host):\n    """Une phrase."""\n    {body}\n'


def test_a_check_that_raises_is_an_error_of_that_check_and_no_drift(
    desk: Desk, planted: Callable[[str], None]
) -> None:
    planted(one_check('found = {}["missing"]\n    expected = 1\n    assert found == expected'))
    said = desk.run("compliance", "run", "--measure", "planted", "--json")
    assert said.code == 3, said.why()
    (check,) = said.measure(said.document["hosts"][0]["name"], "planted")["checks"]
    assert check["status"] == "error"
    assert "KeyError" in check["message"]


FLOOD_AND_BYTES = """
def test_flood(host):
    found = host.run("head -c 500000000 /dev/zero").rc
    expected = 0
    assert found == expected


def test_bytes(host):
    found = host.run("head -c 2 /dev/zero | tr '\\\\0' '\\\\377'").stdout
    expected = "text"
    assert found == expected
"""


def test_a_host_that_answers_500_megabytes_or_no_text_harms_nobody(
    desk: Desk, planted: Callable[[str], None]
) -> None:
    planted(FLOOD_AND_BYTES)
    said = desk.run("compliance", "run", "--measure", "planted", "--json")
    assert said.code == 3, said.why()
    for host in said.document["hosts"]:
        flood, odd = said.measure(host["name"], "planted")["checks"]
        assert (flood["status"], odd["status"]) == ("unknown", "drift")
        assert odd["found"] == "\\xff\\xff"


def test_a_changed_host_key_and_a_wrong_login_key_stop_that_host_alone(
    desk: Desk, lab_fleet: lab.Lab, edited: Edit
) -> None:
    first, second = lab_fleet.machines[0], lab_fleet.machines[1]

    def other_key(text: str) -> str:
        lines = text.splitlines()
        stolen = next(line for line in lines if line.startswith(f"{second.name} ssh-ed25519"))
        swapped = f"{first.name} {stolen.split(' ', 1)[1]}"
        return "\n".join([swapped, *(ln for ln in lines if not ln.startswith(first.name))]) + "\n"

    edited("inventory/known_hosts", other_key)
    said = desk.run("compliance", "run", "--json")
    assert said.code == 3, said.why()
    assert said.host(first.name)["state"] == "error"
    assert "another host key" in said.host(first.name)["detail"]
    assert "enrol it again" in said.host(first.name)["detail"]
    assert said.host(second.name)["state"] in {"done", "drift"}
    strange = desk.workspace / "strange"
    strange.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(strange)], check=True)
    with desk.variables(f"host:{second.name}", ansible_ssh_private_key_file=str(strange)):
        said = desk.run("compliance", "run", "--limit", second.name, "--json")
    assert said.code == 3, said.why()
    assert "refused the login" in said.host(second.name)["detail"]


def test_a_sudo_that_wants_a_password_is_said_so(desk: Desk, lab_fleet: lab.Lab) -> None:
    machine = lab_fleet.machines[0]
    away = "mv /etc/sudoers.d/00-kitsurvie /root/away; printf 'admin1 ALL=(ALL) ALL\\n'"
    machine.run(["/bin/sh", "-c", f"{away} > /etc/sudoers.d/zz-test"])
    try:
        said = desk.run("compliance", "run", "--limit", machine.name, "--json")
    finally:
        back = "rm /etc/sudoers.d/zz-test; mv /root/away /etc/sudoers.d/00-kitsurvie"
        machine.run(["/bin/sh", "-c", back])
    assert said.code == 3, said.why()
    assert "sudo" in said.host(machine.name)["detail"]


def test_a_disk_full_on_a_host_is_seen_through_or_said(desk: Desk, lab_fleet: lab.Lab) -> None:
    machine = lab_fleet.machines[0]
    machine.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", "/tmp"])
    machine.run(["/bin/sh", "-c", "dd if=/dev/zero of=/tmp/full bs=4k count=64 2>/dev/null; true"])
    try:
        said = desk.run("compliance", "run", "--limit", machine.name, "--json")
    finally:
        machine.run(["umount", "/tmp"])
    # an observation writes nothing, so a full disk does not hinder it
    assert said.code in {0, 1}, said.why()


@pytest.mark.skipif(os.geteuid() != 0, reason="a read-only mount needs root")
def test_a_ledger_that_cannot_be_written_is_said_before_any_host_is_asked(
    desk: Desk, tmp_path: Path
) -> None:
    state = desk.workspace / ".kitsurvie"
    desk.run("compliance", "run")
    read_only = tmp_path / "ro"
    read_only.mkdir()
    subprocess.run(["cp", str(state / "ledger.sqlite"), str(read_only)], check=True)
    subprocess.run(["mount", "--bind", str(read_only), str(read_only)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(read_only)], check=True)
    config = desk.workspace / "kitsurvie.toml"
    before = config.read_text()
    config.write_text(f'{before}\nledger = "sqlite:///{read_only}/ledger.sqlite"\n')
    try:
        refused(desk.run("compliance", "run"), "read-only")
        assert desk.run("compliance", "show").code in {0, 1, 3}
    finally:
        config.write_text(before)
        subprocess.run(["umount", str(read_only)], check=True)


def test_a_ledger_from_a_newer_version_is_left_alone(desk: Desk, tmp_path: Path) -> None:
    desk.run("compliance", "run")
    newer = tmp_path / "newer.sqlite"
    newer.write_bytes((desk.workspace / ".kitsurvie" / "ledger.sqlite").read_bytes())
    with sqlite3.connect(newer) as ledger:
        ledger.execute("update ledger_version set version = 99")
    config = desk.workspace / "kitsurvie.toml"
    before = config.read_text()
    config.write_text(f'{before}\nledger = "sqlite:///{newer}"\n')
    try:
        refused(desk.run("deploy", "--yes"), "newer kitsurvie")
    finally:
        config.write_text(before)


def test_outside_any_workspace_the_way_in_is_shown(tmp_path: Path) -> None:
    refused(Desk(tmp_path).run("deploy"), "kitsurvie init")
