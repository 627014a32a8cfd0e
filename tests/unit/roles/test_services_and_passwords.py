"""What the checks of services and of passwords make of the answers of a machine."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tests.unit.roles.test_commands_of_checks import checks

ROLES = Path(__file__).parents[3] / "roles"
DEFAULTS: dict[str, Any] = {
    **yaml.safe_load((ROLES / "services_minimal/defaults/main.yml").read_text(encoding="utf-8")),
    **yaml.safe_load((ROLES / "password_storage/defaults/main.yml").read_text(encoding="utf-8")),
}


class Told:
    """A machine that answers what the test says, by the first word of the command."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers

    def run(self, command: str) -> Any:
        stdout = self.answers.get(command.split()[0], "debian 13\n")
        return SimpleNamespace(rc=0, stdout=stdout, stderr="")


def undeclared(listening: str, sockets: str = "", **params: Any) -> list[str]:
    host = Told(python3=listening, systemctl=sockets)
    found = checks("services_minimal").undeclared(host, {**DEFAULTS, **params})
    return [f"{proto} {port} {unit}" for proto, port, unit in found]


def test_what_was_not_declared_is_named_with_its_unit() -> None:
    listening = (
        "looked\ntcp 22 ssh.service\ntcp 3306 mariadb.service\nudp 5353 avahi-daemon.service"
    )
    assert undeclared(listening) == ["tcp 3306 mariadb.service"]


def test_a_port_is_declared_for_its_own_protocol_and_in_ranges() -> None:
    wanted = [{"port": "5000-5010", "proto": "udp", "reason": "telephones"}]
    listening = "looked\ntcp 5000 a.service\nudp 5010 a.service\nudp 5011 a.service"
    assert undeclared(listening, services_minimal__listening=wanted) == [
        "tcp 5000 a.service",
        "udp 5011 a.service",
    ]


def test_a_socket_that_systemd_holds_is_named_by_its_own_unit() -> None:
    sockets = "0.0.0.0:111 rpcbind.socket rpcbind.service\n/run/x x.socket x.service\n"
    assert undeclared("looked\ntcp 111 init.scope", sockets) == ["tcp 111 rpcbind.socket"]


def test_no_answer_is_not_taken_for_nothing_that_listens() -> None:
    assert undeclared("") == ["nothing 0 could be learnt of what listens"]


def test_the_program_that_looks_runs_and_ends_with_its_word() -> None:
    program = checks("services_minimal").LISTENING
    said = subprocess.run(["/bin/sh", "-c", program], capture_output=True, text=True, check=True)
    assert "looked" in said.stdout.splitlines()


@pytest.mark.parametrize(
    ("field", "old"),
    [
        ("*", 0),
        ("!", 0),
        ("!*", 0),
        ("", 0),
        ("$y$j9T$salt$print", 0),
        ("!$y$j9T$salt$print", 0),
        ("$gy$j9T$salt$print", 0),
        ("$6$salt$print", 0),
        ("$5$salt$print", 1),
        ("$1$salt$print", 1),
        ("!$1$salt$print", 1),
        ("abJnggxhB/yWI", 1),
    ],
)
def test_passwords_of_an_old_method_are_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, field: str, old: int
) -> None:
    """A `getent` of the test stands before the machine's own."""
    fake = tmp_path / "getent"
    fake.write_text(
        f"#!/bin/sh\ncat <<'END'\nsomebody:{field}:20000:0:99999:7:::\nEND\n", encoding="utf-8"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    class Here:
        def run(self, command: str) -> Any:
            if "os-release" in command:
                return SimpleNamespace(rc=0, stdout="debian 13\n", stderr="")
            done = subprocess.run(
                ["/bin/sh", "-c", command], capture_output=True, text=True, check=False
            )
            assert "salt" not in done.stdout
            return SimpleNamespace(rc=done.returncode, stdout=done.stdout, stderr=done.stderr)

    check = checks("password_storage").test_no_password_is_kept_by_an_old_method
    if old:
        with pytest.raises(AssertionError):
            check(Here(), DEFAULTS)
    else:
        check(Here(), DEFAULTS)
