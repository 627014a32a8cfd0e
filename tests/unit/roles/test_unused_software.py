"""What the checks of unused_software make of lists, signs, and of what apt would take along."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from .test_commands_of_checks import checks

MODULE = checks("unused_software")
GAMES = {"reason": "games", "names": ["tali", "iagno"]}
MAIL = {"reason": "mail", "names": ["exim4-base"], "only_with": ["/usr/share/xsessions"]}
MODEM = {"reason": "no modem", "names": ["ModemManager.service"], "unless": ["/dev/cdc-wdm*"]}


class Machine:
    """`moved` is what apt would take along with each installed package."""

    def __init__(
        self,
        installed: tuple[str, ...] = (),
        moved: dict[str, list[str]] | None = None,
        signs: tuple[str, ...] = (),
        record: str = "",
        modem: str = "disabled",
    ) -> None:
        self.installed, self.moved = installed, moved or {}
        self.signs, self.record, self.modem = signs, record, modem

    def run(self, command: str) -> Any:
        return SimpleNamespace(rc=0, stdout=self.said(command), stderr="")

    def said(self, command: str) -> str:
        if command.startswith("set --"):
            return "\n".join([*(s for s in self.signs if s in command), "looked"])
        if command.startswith("dpkg-query"):
            there = [name for name in ("dpkg", *self.installed) if name in command]
            return "".join(f"installed {name}\n" for name in there)
        if command.startswith("for one in"):
            names = [name for name in self.installed if name in command]
            return "".join("\n".join([f"= {n}", *self.moved.get(n, [n])]) + "\n" for n in names)
        if command.startswith("systemctl show"):
            return f"Id=ModemManager.service\nActiveState=inactive\nUnitFileState={self.modem}\n"
        assert command == MODULE.RECORD
        return self.record + "looked\n"


def given(*packages: Any, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "unused_software__packages": list(packages),
        "unused_software__services": [MODEM],
        "unused_software__keep": [{"name": name, "reason": "ours"} for name in keep],
    }


def drifts(check: str, machine: Machine, params: dict[str, Any]) -> bool:
    try:
        getattr(MODULE, f"test_{check}")(machine, params)
    except AssertionError:
        return True
    return False


INSTALLED = "nothing_that_nobody_needs_is_installed"


def test_what_is_listed_and_installed_is_drift_unless_it_is_kept() -> None:
    assert not drifts(INSTALLED, Machine(), given(GAMES))
    assert drifts(INSTALLED, Machine(("tali",)), given(GAMES))
    assert not drifts(INSTALLED, Machine(("tali",)), given(GAMES, keep=("tali",)))


def test_what_something_else_needs_is_no_drift() -> None:
    needed = Machine(("tali",), {"tali": ["tali", "the-desktop"]})
    assert not drifts(INSTALLED, needed, given(GAMES))
    together = Machine(("tali",), {"tali": ["tali", "iagno"]})
    assert drifts(INSTALLED, together, given(GAMES))
    essential = Machine(("tali",), {"tali": []})
    assert not drifts(INSTALLED, essential, given(GAMES))


def test_a_mail_server_is_unused_on_a_pc_only() -> None:
    assert not drifts(INSTALLED, Machine(("exim4-base",)), given(MAIL))
    pc = Machine(("exim4-base",), signs=("/usr/share/xsessions",))
    assert drifts(INSTALLED, pc, given(MAIL))


STARTS = "no_service_starts_without_a_purpose"


@pytest.mark.parametrize(("signs", "drift"), [((), True), (("/dev/cdc-wdm*",), False)])
def test_a_service_serves_where_its_purpose_is(signs: tuple[str, ...], drift: bool) -> None:
    assert drifts(STARTS, Machine(signs=signs, modem="enabled"), given()) is drift


def test_a_service_that_was_stopped_is_given_back_with_its_purpose() -> None:
    record = "package tali\nservice ModemManager.service\n"
    check = "what_serves_again_was_given_back"
    assert not drifts(check, Machine(record=record), given())
    assert drifts(check, Machine(record=record, signs=("/dev/cdc-wdm*",)), given())
