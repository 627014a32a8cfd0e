"""What differs from the defaults, told once for all the machines that share it."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

from rich.console import Console

from kitsurvie.cli import origins, view
from kitsurvie.cli.documents import run_document
from kitsurvie.model import (
    Host,
    Inventory,
    Item,
    Measure,
    Member,
    MemberKind,
    Mode,
    Profile,
    Scope,
    Setting,
    Step,
    Text,
)

TEXT = Text("fr", "en")
FIREWALL = Measure(
    id="firewall", step=Step.SECURE, title=TEXT, why=TEXT, changes=TEXT, on_failure=TEXT,
    fallback=TEXT, absent=TEXT, profiles=frozenset(Profile), norms=(), lockout_risk=True,
    reboot=False, undo=False, path=Path("/kit/roles/firewall"),
    defaults={"firewall__ports": [22], "firewall__level": 1},
)  # fmt: skip
MEMBER = Member("215000027", "Agneaux", MemberKind.COMMUNE, "50002", "200066389")
ALL = Setting(Scope.ALL, "all", "inventory/group_vars/all.yml:3", "observe")
AGNEAUX = Setting(
    Scope.MEMBER, "member_215000027", "inventory/group_vars/member_215000027.yml:9", [22, 80]
)
PILOTS = Setting(Scope.GROUP, "pilots", "inventory/group_vars/pilots.yml:1", [22, 443])


def a_run(*ports: Setting) -> view.RunView:
    views = []
    for number, setting in enumerate(ports):
        host = Host(
            f"h{number}", "198.18.0.9", 22, "a", None, MEMBER.siren, MEMBER.epci, "50002",
            Profile.SERVER, (), {"kit__mode": "observe", "firewall__ports": setting.value},
            settings={"kit__mode": (ALL,), "firewall__ports": (setting,)},
        )  # fmt: skip
        item = Item(host.name, "firewall", Mode.OBSERVE, {}, "s")
        views.append(view.HostView(host, (item,)))
    inventory = Inventory({}, {MEMBER.siren: MEMBER}, {"200066389": "CA Saint-Lô Agglo"}, "")
    return view.RunView(
        7, "plan", 0.0, 4.0, "x", tuple(views), inventory, measures={"firewall": FIREWALL}
    )


def page(run: view.RunView) -> list[list[str]]:
    stream = io.StringIO()
    origins.show(Console(file=stream, width=200), run)
    return [line.split() for line in stream.getvalue().splitlines() if line.strip()]


def test_machines_that_share_a_value_and_its_place_share_a_row() -> None:
    rows = page(a_run(AGNEAUX, AGNEAUX, PILOTS))
    where = AGNEAUX.where
    shared = ["firewall", "firewall__ports", "[22,", "80]", "member", "Agneaux", where, "h0,", "h1"]
    alone = ["firewall", "firewall__ports", "[22,", "443]", "group", "pilots", PILOTS.where, "h2"]
    assert shared in rows
    assert alone in rows
    # the default level is not told, the mode is told once
    assert not any("firewall__level" in row for row in rows)
    assert [row[-3:] for row in rows if "kit__mode" in row] == [["h0,", "h1,", "h2"]]


def test_a_plan_s_document_tells_every_value_the_defaults_too() -> None:
    run = a_run(AGNEAUX)
    [measure] = run_document(run)["hosts"][0]["measures"]
    told = {one["name"]: one for one in measure["variables"]}
    assert list(told) == ["kit__mode", "firewall__ports", "firewall__level"]
    assert told["firewall__ports"] == {
        "name": "firewall__ports", "value": [22, 80], "default": False, "scope": "member",
        "set_for": "member_215000027", "where": AGNEAUX.where,
    }  # fmt: skip
    level = told["firewall__level"]
    assert (level["default"], level["scope"]) == (True, "default")
    assert level["where"] == "/kit/roles/firewall/defaults/main.yml"
    other = dataclasses.replace(run, measures={})
    assert "variables" not in run_document(other)["hosts"][0]["measures"][0]
