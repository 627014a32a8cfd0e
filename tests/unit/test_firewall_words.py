"""The rules as nft lists them and as they are declared come out as the same lines, or as drift.

Both listings were printed by a real machine from the same file: nft 1.0.6 on bookworm, 1.1.3 on
trixie, `nft -s -j list table inet kitsurvie`.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).parents[2] / "roles" / "firewall"
HERE = Path(__file__).parent / "nft"
VERSIONS = ("1.0.6", "1.1.3")


def by_path(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("checks_of_the_firewall", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS = by_path(ROLE / "checks" / "test_firewall.py")


def match(left: Any, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def payload(protocol: str, field: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": field}}


def words(*parts: dict[str, Any]) -> str:
    said: str = CHECKS.words({"expr": list(parts)})
    return said


def prefix(address: str, length: int) -> dict[str, Any]:
    return {"prefix": {"addr": address, "len": length}}


ACCEPT: dict[str, Any] = {"accept": None}
SSH = match(payload("tcp", "dport"), 22)


@pytest.mark.parametrize(
    ("declared", "listed"),
    [
        (["192.168.0.0/24", "192.168.1.0/24"], {"set": [prefix("192.168.0.0", 23)]}),
        (["192.168.1.0/25", "192.168.0.0/24"],
         {"set": [{"range": ["192.168.0.0", "192.168.1.127"]}]}),
        (["10.2.3.4", "10.1.0.0/16", "10.0.0.0/8"], {"set": [prefix("10.0.0.0", 8)]}),
        (["192.168.0.10/24"], prefix("192.168.0.0", 24)),
        (["192.168.0.10"], "192.168.0.10"),
        (["192.168.0.11", "192.168.0.10"], {"set": ["192.168.0.10", "192.168.0.11"]}),
        (["0.0.0.0/1", "128.0.0.0/1"], {"set": [prefix("0.0.0.0", 0)]}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)  # fmt: skip
def test_networks_are_the_same_however_they_are_cut(declared: list[str], listed: Any) -> None:
    rule = words(match(payload("ip", "saddr"), listed), SSH, ACCEPT)
    assert CHECKS.opening("tcp", 22, declared) == [rule]


def test_networks_of_both_families_are_one_line_each() -> None:
    declared = ["2001:db8:8000::/33", "192.0.2.0/24", "fe80::1", "2001:db8::/33"]
    v6 = {"set": [prefix("2001:db8::", 32), "fe80::1"]}
    assert CHECKS.opening("tcp", 22, declared) == [
        words(match(payload("ip", "saddr"), prefix("192.0.2.0", 24)), SSH, ACCEPT),
        words(match(payload("ip6", "saddr"), v6), SSH, ACCEPT),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "parts",
    [
        # `tcp flags syn / fin,syn` as 1.0.6 and as 1.1.3 print it
        [match({"&": [payload("tcp", "flags"), ["fin", "syn"]]}, "syn"), ACCEPT],
        [match({"&": [payload("tcp", "flags"), {"|": ["fin", "syn"]}]}, "syn"), ACCEPT],
        [match({"&": [{"meta": {"key": "mark"}}, 255]}, 1), ACCEPT],
        [match({"concat": [payload("ip", "saddr"), payload("tcp", "dport")]},
               {"set": [{"concat": ["192.0.2.1", 80]}]}), ACCEPT],
        [match({"payload": {"base": "th", "offset": 16, "len": 16}}, 22), ACCEPT],
        [match(payload("ip", "saddr"), "@friends"), ACCEPT],
        [match(payload("ip", "saddr"), {"set": [{"elem": {"val": "192.0.2.1", "timeout": 5}}]})],
        [match(payload("tcp", "dport"), 1024, "<"), ACCEPT],
        [{"vmap": {"key": payload("tcp", "dport"), "data": {"set": [[22, {"accept": None}]]}}}],
        [{"jump": {"target": "elsewhere"}}],
        [SSH, {"limit": {"rate": 10, "burst": 5, "per": "second", "inv": True}}, ACCEPT],
        [SSH, {"limit": {"rate": 10, "burst": 0, "per": "second", "rate_unit": "kbytes",
                         "burst_unit": "bytes"}}, ACCEPT],
        [SSH, {"counter": None}, {"log": {"prefix": "x"}}, {"reject": {"type": "tcp reset"}}],
    ],
    ids=lambda value: json.dumps(value)[:50],
)  # fmt: skip
def test_a_rule_nobody_declared_is_a_line_of_its_own_and_never_a_crash(parts: list[Any]) -> None:
    said = words(*parts)
    assert said
    params = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert said not in CHECKS.declared(params)


def test_a_limit_turned_round_does_not_read_as_the_limit() -> None:
    limit = {"rate": 10, "burst": 20, "per": "second"}
    assert words({"limit": limit}) == "limit 10/second"
    assert words({"limit": {**limit, "inv": True}}) != "limit 10/second"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_real_machine_lists_is_what_was_declared(version: str) -> None:
    params = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    params["firewall__ssh_from"] = ["192.168.0.0/24", "192.168.1.10/24", "2001:db8::/32"]
    params["firewall__open_ports"] = [
        {"port": 631, "from": ["10.0.0.0/8", "10.1.0.0/16"], "reason": "overlapping"},
        {"port": "5000-5010", "proto": "udp", "reason": "the telephones"},
    ]
    listing = (HERE / f"{version}.json").read_text(encoding="utf-8")
    answers = {CHECKS.LIVE: listing}
    host = SimpleNamespace(run=lambda command: SimpleNamespace(rc=0, stdout=answers[command]))
    CHECKS.test_what_nobody_asked_for_is_refused(host)
    CHECKS.test_only_the_declared_ports_are_open(host, params)
    CHECKS.test_the_rules_in_force_are_the_declared_ones(host, params)
    with pytest.raises(AssertionError):
        CHECKS.test_the_rules_in_force_are_the_declared_ones(
            host, {**params, "firewall__ssh_open": False}
        )
