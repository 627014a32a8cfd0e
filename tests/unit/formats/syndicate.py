"""A run of a whole département as its document says it: real communes, the kit's own checks."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from kitsurvie import kit, workspace
from kitsurvie.cli.formats import morning, page

BEGAN = datetime(2026, 10, 12, 0, 0, 12, tzinfo=UTC)
ENDED = BEGAN + timedelta(minutes=14)
SEEN = BEGAN + timedelta(minutes=3)
_CHECK = re.compile(r"^def (test_\w+)", re.M)


@cache
def measures() -> dict[str, dict[str, Any]]:
    """What the page says of the kit's measures."""
    return page.described(kit.load((workspace.shipped("roles"),)).values())


@cache
def checks() -> list[tuple[str, str]]:
    """Every check of the kit."""
    roles = workspace.shipped("roles")
    return [
        (name, check)
        for name in measures()
        for check in _CHECK.findall((roles / name / "checks" / f"test_{name}.py").read_text())
    ]


def communes() -> list[dict[str, str]]:
    """The 445 communes of the Manche, with their EPCI."""
    folder = workspace.shipped("inventory") / "territory"
    data = json.loads(Path(folder / "department_50.json").read_text())
    epci = {insee: one["siren"] for one in data["epci"] for insee in one["members"]}
    return [{**one, "epci": epci.get(one["insee"])} for one in data["communes"]]


def verdict(name: str, status: str = "compliant", **more: Any) -> dict[str, Any]:
    """A check as the document has it."""
    return {
        "name": name, "status": status, "found": "", "expected": "", "commands": ["true"],
        "message": "", **more,
    }  # fmt: skip


def host(name: str, state: str = "done", **more: Any) -> dict[str, Any]:
    """A host as the document has it."""
    return {
        "name": name, "address": "198.18.0.9", "epci": "200066389", "insee": "50002",
        "member": {"siren": "215000027", "name": "Agneaux"}, "profile": "server", "state": state,
        "detail": "", "seen": SEEN.isoformat(), "restart": None, "checks": [], "measures": [],
        **more,
    }  # fmt: skip


def measure(name: str, *verdicts: dict[str, Any], mode: str = "enforce") -> dict[str, Any]:
    """A measure on a host as the document has it."""
    return {
        "id": name, "mode": mode, "off_reason": "", "off_until": None, "due": "", "action": None,
        "held": "", "ansible": None, "checks": list(verdicts),
    }  # fmt: skip


def document(*hosts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A run as the document has it."""
    return {
        "run": 412, "command": "compliance", "started": BEGAN.isoformat(),
        "ended": ENDED.isoformat(), "by": "kitsurvie@control", "exit_code": 1, "summary": {},
        "notes": [], "hosts": list(hosts), **more,
    }  # fmt: skip


@cache
def night(share: float = 0.015, per_host: int = 100, seed: int = 50) -> dict[str, Any]:
    """A night on 445 communes, three machines each; that share of the checks drifts."""
    chance = random.Random(seed)
    chosen = checks()[:per_host]
    # a few measures drift on many machines, most on few: so it is in life
    often = {name: chance.paretovariate(1.2) for name, _ in chosen}
    scale = share * len(chosen) / sum(often[name] for name, _ in chosen)
    found = []
    for commune in communes():
        profiles = ("server", "desktop", chance.choice(("desktop", "laptop", "public_access")))
        for number, profile in enumerate(profiles, 1):
            name = f"{_slug(commune['name'])}-{profile[:3]}{number}"
            ill = chance.random() < min(0.18 + share, 1.0)
            odds = {m: min(often[m] * scale / 0.2, 1.0) if ill else 0.0 for m in often}
            found.append(_machine(chance, commune, name, profile, chosen, odds))
    return document(*found)


def _machine(
    chance: random.Random,
    commune: dict[str, str],
    name: str,
    profile: str,
    chosen: list[tuple[str, str]],
    odds: dict[str, float],
) -> dict[str, Any]:
    by_measure: dict[str, list[dict[str, Any]]] = {}
    for which, check in chosen:
        one = verdict(check)
        if chance.random() < odds[which]:
            one = verdict(
                check, "drift", found="{'PermitRootLogin': 'yes', 'Port': '22'}",
                expected="{'PermitRootLogin': 'no', 'Port': '22'}", commands=["sshd -T"],
            )  # fmt: skip
        by_measure.setdefault(which, []).append(one)
    drifts = any(c["status"] == "drift" for found in by_measure.values() for c in found)
    where = {
        "member": {"siren": commune["siren"], "name": commune["name"]},
        "epci": commune["epci"], "insee": commune["insee"], "profile": profile,
    }  # fmt: skip
    away = chance.random()
    if away < (0.01 if profile == "server" else 0.1):
        absent = profile == "laptop"
        days = chance.randint(1, 60)
        last = {"at": (SEEN - timedelta(days=days)).isoformat(), "run": 400, "days": days,
                "checks": []}  # fmt: skip
        standing = ("unseen" if days > 30 else "absent") if absent else "unreachable"
        return host(
            name, "unreachable", seen=None, standing=standing, last_seen=last,
            detail=f"{name} does not answer: no route to host.", **where,
        )  # fmt: skip
    if away > 0.998:
        return host(name, "error", detail=f"{name} answered nothing that can be read.", **where)
    shown = [measure(m, *found, mode=("observe" if m == "journal" else "enforce"))
             for m, found in by_measure.items()]  # fmt: skip
    return host(name, "drift" if drifts else "done", measures=shown, **where)


def since_yesterday(of: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    """What could be new in that night, as `compliance diff --json` says it."""
    chance = random.Random(seed)
    drifts = [
        {"host": h["name"], "measure": m["id"], "check": c["name"],
         "times_lately": chance.choice((0, 3))}
        for h in of["hosts"] for m in h["measures"] for c in m["checks"] if c["status"] == "drift"
    ]  # fmt: skip
    fine = [{"host": h["name"], "measure": "updates", "check": "test_nothing_is_pending"}
            for h in of["hosts"][:600:40]]  # fmt: skip
    gone = [{"host": h["name"], "detail": "", "last_judged": h["last_seen"]["at"]}
            for h in of["hosts"] if h["state"] == "unreachable"][:9]  # fmt: skip
    return {
        "from": {"run": 411, "started": (BEGAN - timedelta(days=1)).isoformat()},
        "new_drift": chance.sample(drifts, min(len(drifts), 47)),
        "mended": fine,
        "newly_absent": gone,
        "back": [{"host": of["hosts"][4]["name"]}],
    }  # fmt: skip


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", morning.alphabetical(name)).strip("-")[:18]
