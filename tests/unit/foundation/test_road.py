"""Whatever a person's own SSH settings say, Ansible comes by the pinned road and no other."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kitsurvie import inventory
from kitsurvie.inventory import road
from kitsurvie.model import Host, Profile

from .conftest import FILES, Make

HOST = Host(
    "srv-01", "192.0.2.50", 22, "admin1", "/keys/my own", "1", None, "50002", Profile.SERVER, (), {}
)
CARELESS = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
CARELESS += ["-o", "HostKeyAlias=other", "-o", "ProxyCommand=nc %h %p"]


def understood(words: list[str]) -> dict[str, str]:
    """The settings as OpenSSH understands these words."""
    done = subprocess.run(["ssh", "-G", *words], capture_output=True, check=True, text=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def test_no_option_that_comes_later_has_another_key_believed(tmp_path: Path) -> None:
    file = tmp_path / "our 100% syndicate" / "known_hosts"
    found = understood([*road.options(HOST, file), *CARELESS, HOST.address])
    assert found["stricthostkeychecking"] == "true"
    assert found["hostkeyalias"] == "srv-01"
    assert found["userknownhostsfile"] == str(file)
    assert found["globalknownhostsfile"] == "/dev/null"


@pytest.mark.parametrize(
    ("jump", "address", "port"),
    [
        ("adm@198.51.100.20", "198.51.100.20", "22"),
        ("adm@gw.example.fr:2222", "gw.example.fr", "2222"),
        ("adm@[2001:db8::1]:2222", "2001:db8::1", "2222"),
    ],
)
def test_the_jump_host_is_pinned_likewise(
    tmp_path: Path, jump: str, address: str, port: str
) -> None:
    file = tmp_path / "our syndicate" / "known_hosts"
    key = tmp_path / "my own key"
    key.touch()
    words = road.options(replace(HOST, jump=jump, key_file=str(key)), file)
    line = understood([*words, *CARELESS, HOST.address])["proxycommand"]
    proxy = shlex.split(line)
    assert proxy[0] == "ssh"
    found = understood(proxy[1:])
    assert (found["hostname"], found["port"], found["user"]) == (address, port, "adm")
    assert found["hostkeyalias"] == f"jump:{address}:{port}"
    assert found["userknownhostsfile"] == str(file)
    assert (found["stricthostkeychecking"], found["batchmode"]) == ("true", "yes")
    assert found["identityfile"] == str(key)
    assert proxy[proxy.index("-W") + 1] == "[192.0.2.50]:22"


@pytest.mark.parametrize(
    "line",
    [
        "ansible_connection: local",
        "ansible_ssh_args: -C",
        "ansible_ssh_executable: ssh",
        "ansible_ssh_host: 192.0.2.9",
        "ansible_become_user: smart",
    ],
)
def test_a_variable_that_leads_ansible_elsewhere_is_refused(make: Make, line: str) -> None:
    all_of_them = FILES["group_vars/all.yml"]
    problems = inventory.check(make({"group_vars/all.yml": f"{all_of_them}{line}\n"}), {})
    errors = [p for p in problems if p.severity is inventory.Severity.ERROR]
    assert len(errors) == 4
    assert all("another road" in problem.what for problem in errors)


def test_a_key_file_that_a_shell_would_read_is_refused(make: Make) -> None:
    line = "ansible_ssh_private_key_file: /keys/$(id)\n"
    problems = inventory.check(make({"group_vars/all.yml": FILES["group_vars/all.yml"] + line}), {})
    assert any(
        "private_key_file" in p.what and p.severity is inventory.Severity.ERROR for p in problems
    )
