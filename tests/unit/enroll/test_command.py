"""`kitsurvie enroll` as typed: what it refuses before contact, and what it leaves unchanged."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kitsurvie import inventory, workspace
from kitsurvie.cli.main import main
from kitsurvie.enroll import known_hosts
from kitsurvie.enroll.address import Endpoint, jump_name

HOSTS = """\
---
all:
  children:
    epci_200042604:
      children:
        member_215002189:
          hosts:
            taken:
              ansible_host: 198.18.0.9
              kit__profile: server
"""
VARIABLES = {
    "all.yml": (
        "ansible_user: admin1\naccounts__administrators:\n  - name: admin1\n    keys:\n"
        "      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6Dq7pMtDRBBLCRhu7VZT9JyR0B8Vqrd+EJ9Qfh2dKs\n"
    ),
    "epci_200042604.yml": 'kit__epci: {siren: "200042604", name: Granville Terre et Mer}\n',
    "member_215002189.yml": (
        'kit__member: {siren: "215002189", name: Granville, kind: commune, insee: "50218"}\n'
    ),
}


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> Path:
    """A small syndicate, already read once: Ansible is slow to start."""
    made = tmp_path_factory.mktemp("example") / "syndicate"
    (made / "inventory" / "group_vars").mkdir(parents=True)
    (made / "kitsurvie.toml").write_text("connect_timeout_s = 2\n")
    (made / "inventory" / "hosts.yml").write_text(HOSTS)
    for name, text in VARIABLES.items():
        (made / "inventory" / "group_vars" / name).write_text(f"---\n{text}")
    inventory.load(workspace.load(made))
    return made


@pytest.fixture
def root(example, tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    made = tmp_path / "syndicate"
    # the cache goes by content: it serves every copy
    shutil.copytree(example, made, ignore=shutil.ignore_patterns(".kitsurvie"))
    (made / ".kitsurvie").symlink_to(example / ".kitsurvie")
    return made


@pytest.fixture
def kitsurvie(root, monkeypatch, capsys):
    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kitsurvie", "enroll", *words, "--workspace", str(root)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def files(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in (root / "inventory").rglob("*") if p.is_file()}


def words(machine, name: str = "pc1") -> list[str]:
    return [
        *("127.0.0.1", "--port", str(machine.port), "--member", "215002189"),
        *("--profile", "desktop", "--name", name, "--login", "install"),
    ]


def test_a_wrong_fingerprint_leaves_the_workspace_as_it_was(kitsurvie, root, machine):
    before = files(root)
    rc, out, err = kitsurvie(*words(machine), "--fingerprint", "SHA256:" + "A" * 43)
    assert rc == 2
    assert out == ""
    assert machine.public_key.fingerprint in err
    assert machine.attempts == []
    assert files(root) == before


def test_with_nobody_to_confirm_the_key_the_way_out_is_told(kitsurvie, root, machine, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    rc, _, err = kitsurvie(*words(machine))
    assert rc == 2
    assert "--fingerprint" in err
    assert machine.attempts == []


def test_the_password_of_the_environment_is_used_and_taken_out_of_it(
    kitsurvie, root, machine, monkeypatch
):
    monkeypatch.setenv("KITSURVIE_ENROLL_PASSWORD", "not-the-right-one")
    before = files(root)
    rc, out, err = kitsurvie(*words(machine), "--fingerprint", machine.public_key.fingerprint)
    assert rc == 2
    assert machine.attempts == [("install", "password", "not-the-right-one")]
    assert "not-the-right-one" not in out + err
    assert "KITSURVIE_ENROLL_PASSWORD" not in os.environ
    assert files(root) == before


def test_a_name_taken_by_another_address_is_refused_before_contact(kitsurvie, root, machine):
    rc, _, err = kitsurvie(*words(machine, name="taken"))
    assert rc == 2
    assert "taken is already enrolled at another address" in err
    assert machine.attempts == []


@pytest.mark.parametrize("missing", ["--member", "--profile", "--name"])
def test_a_machine_needs_a_member_a_profile_and_a_name(kitsurvie, machine, missing):
    given = words(machine)
    at = given.index(missing)
    rc, _, err = kitsurvie(*given[:at], *given[at + 2 :])
    assert rc == 2
    assert missing in err


def test_an_unknown_member_is_refused_before_contact(kitsurvie, root, machine):
    before = files(root)
    given = [word.replace("215002189", "215000019") for word in words(machine)]
    rc, _, err = kitsurvie(*given)
    assert rc == 2
    assert "215000019" in err
    assert machine.attempts == []
    assert files(root) == before


def test_someone_who_is_no_administrator_is_refused_before_contact(kitsurvie, machine):
    rc, _, err = kitsurvie(*words(machine), "--as", "somebody")
    assert rc == 2
    assert "somebody is not one of the administrators" in err
    assert machine.attempts == []


def test_a_jump_host_is_pinned_under_its_own_name_and_nothing_else_is_done(
    kitsurvie, root, machine
):
    rc, out, _ = kitsurvie(
        *("127.0.0.1", "--port", str(machine.port), "--as-jump", "--json"),
        *("--fingerprint", machine.public_key.fingerprint),
    )
    assert rc == 0
    name = jump_name(Endpoint("127.0.0.1", machine.port))
    assert json.loads(out) == {
        "kind": "jump_host",
        "version": 1,
        "name": name,
        "pinned": [
            {"type": machine.public_key.type, "fingerprint": machine.public_key.fingerprint}
        ],
    }
    assert known_hosts.keys_of(root / "inventory" / "known_hosts", name) == (machine.public_key,)
    assert machine.attempts == []


def test_at_a_terminal_the_key_is_confirmed_and_the_password_is_not_echoed(root, machine):
    typed = [sys.executable, "-m", "kitsurvie.cli.main", "enroll", *words(machine)]
    terminal = subprocess.Popen(
        ["script", "-qec", shlex.join([*typed, "--workspace", str(root)]), "/dev/null"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert terminal.stdin is not None
    assert terminal.stdout is not None
    seen = b""
    for asked, answer in (
        (b"Is it the same?", b"y\n"),
        (b"Password of install", b"s3cret-typed\n"),
    ):
        while asked not in seen:
            piece = os.read(terminal.stdout.fileno(), 4096)
            assert piece, seen
            seen += piece
        # the prompt is out before the echo is off: a person is never that fast
        time.sleep(0.3)
        terminal.stdin.write(answer)
        terminal.stdin.flush()
    seen += terminal.communicate(timeout=60)[0]
    assert machine.public_key.fingerprint.encode() in seen
    assert machine.attempts == [("install", "password", "s3cret-typed")]
    assert b"s3cret-typed" not in seen
    assert b"refuses the password of install" in seen
    assert terminal.returncode == 2
