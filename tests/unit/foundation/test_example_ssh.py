"""The example's ssh options pin keys by inventory name, for plain Ansible too."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from kitsurvie.cli import init
from kitsurvie.inventory import ansible


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace that `init` writes, in a folder whose name has a space."""
    init.init(tmp_path / "our syndicate")
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)
    return tmp_path / "our syndicate"


def ssh_options(root: Path, *more: str) -> list[str]:
    """What plain Ansible would hand to ssh for one machine of the example."""
    command = [ansible.program("ansible"), "granville-srv-01", "-m", "ansible.builtin.debug"]
    command += ["-a", "var=ansible_ssh_common_args", *more]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)
    text = json.loads(done.stdout.partition("=>")[2])["ansible_ssh_common_args"]
    return shlex.split(text)


def understood(options: list[str]) -> dict[str, str]:
    """The settings as OpenSSH understands those options."""
    return settings(["ssh", "-F", "none", "-G", *options, "192.0.2.50"])


def settings(command: list[str]) -> dict[str, str]:
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def test_a_machine_is_known_by_its_name_and_a_new_key_is_never_trusted(root: Path) -> None:
    found = understood(ssh_options(root))
    assert found["hostkeyalias"] == "granville-srv-01"
    assert found["stricthostkeychecking"] == "true"
    assert found["userknownhostsfile"] == f"{root}/inventory/known_hosts"
    assert "proxycommand" not in found


@pytest.mark.parametrize(
    ("jump", "address", "port"),
    [
        ("adm@198.51.100.20", "198.51.100.20", "22"),
        ("adm@gw.example.fr:2222", "gw.example.fr", "2222"),
        ("adm@[2001:db8::1]:2222", "2001:db8::1", "2222"),
    ],
)
def test_a_jump_host_is_pinned_likewise(root: Path, jump: str, address: str, port: str) -> None:
    key = "ansible_ssh_private_key_file=/keys/mine"
    options = ssh_options(root, "-e", f"kit__jump={jump}", "-e", key)
    words = shlex.split(understood(options)["proxycommand"])
    assert words == [
        *("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"),
        *("-o", f'UserKnownHostsFile="{root}/inventory/known_hosts"'),
        *("-o", f"HostKeyAlias=jump:{address}:{port}", "-i", "/keys/mine"),
        *("-p", port, "-W", "[%h]:%p", f"adm@{address}"),
    ]
    # as ssh fills it in before it runs it
    told = [word.replace("%h", "192.0.2.50").replace("%p", "22") for word in words[1:]]
    found = settings([words[0], "-G", *told])
    assert (found["hostname"], found["port"], found["user"]) == (address, port, "adm")
    assert found["userknownhostsfile"] == f"{root}/inventory/known_hosts"
    assert found["batchmode"] == "yes"


def test_plain_ansible_reads_the_workspace_without_a_warning(root: Path) -> None:
    (root / "inventory/known_hosts").write_text("granville-srv-01 ssh-ed25519 AAAA\n", "utf-8")
    (root / "inventory/waivers.yml").write_text("waivers: []\n", "utf-8")
    command = [ansible.program("ansible-inventory"), "--list"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    assert len(json.loads(done.stdout)["_meta"]["hostvars"]) == 14
