"""The proxy and the mirrors of `updates`: what moves, what stays, and what the checks say of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from .test_commands_of_checks import ROLES, checks

TASKS = ROLES / "updates" / "tasks"
MIRROR = "http://mirror.example.org/debian"
SECURITY = "http://mirror.example.org/debian-security"
NOTHING = {"updates__proxy": "", "updates__mirror": "", "updates__security_mirror": ""}


class Machine:
    """A host that answers the commands it knows, and fails at any other."""

    def __init__(self, **answers: str) -> None:
        module = checks("updates")
        self.known = {getattr(module, name): text for name, text in answers.items()}

    def run(self, command: str) -> Any:
        text = self.known.get(command)
        return SimpleNamespace(rc=0 if text is not None else 1, stdout=text or "", stderr="")


def holds(check: str, machine: Machine, params: Mapping[str, str]) -> bool:
    try:
        getattr(checks("updates"), check)(machine, {**NOTHING, **params})
    except AssertionError:
        return False
    return True


PROXY = "test_packages_are_fetched_through_the_declared_proxy"
FROM = "test_debian_is_fetched_from_the_declared_mirrors"
WANTED = {"updates__proxy": "http://proxy.example.org:3128"}


def test_the_proxy_in_force_is_the_declared_one_for_both_roads() -> None:
    both = "".join(
        f'Acquire::{road}::Proxy "http://proxy.example.org:3128";\n' for road in ("http", "https")
    )
    assert holds(PROXY, Machine(CONFIG=both), WANTED)
    assert not holds(PROXY, Machine(CONFIG=both.replace("https::", "ftp::")), WANTED)
    assert not holds(PROXY, Machine(CONFIG=both.replace("3128", "8080")), WANTED)
    assert not holds(PROXY, Machine(), WANTED)


def indexes(archive: str, security: str, other: str = "") -> str:
    return (
        f"Debian|Debian|{archive}/\nDebian Backports|Debian Backports|{archive}/\n"
        f"Debian|Debian-Security|{security}/\n{other}"
    )


def test_debian_and_its_security_updates_each_come_from_their_mirror() -> None:
    both = {"updates__mirror": MIRROR, "updates__security_mirror": f"{SECURITY}/"}
    supplier = "Supplier|Supplier|http://packages.example.org/debian/\n"
    assert holds(FROM, Machine(INDEXES=indexes(MIRROR, SECURITY, supplier)), both)
    elsewhere = "http://elsewhere.example.org/debian"
    assert not holds(FROM, Machine(INDEXES=indexes(elsewhere, SECURITY)), both)
    assert not holds(FROM, Machine(INDEXES=indexes(MIRROR, elsewhere)), both)
    also = f"Debian|Debian|{elsewhere}/\n"
    assert not holds(FROM, Machine(INDEXES=indexes(MIRROR, SECURITY, also)), both)
    assert not holds(FROM, Machine(), both)


def test_one_mirror_alone_says_nothing_of_the_other() -> None:
    elsewhere = "http://elsewhere.example.org/debian-security"
    machine = Machine(INDEXES=indexes(MIRROR, elsewhere))
    assert holds(FROM, machine, {"updates__mirror": MIRROR})


@pytest.mark.parametrize("check", [PROXY, FROM])
def test_what_is_not_declared_is_not_judged(check: str) -> None:
    with pytest.raises(pytest.skip.Exception):
        holds(check, Machine(), {})


def moved(text: str) -> str:
    """What the role makes of a list of sources when the archive moves to the mirror."""
    block = yaml.safe_load((TASKS / "mirror.yml").read_text(encoding="utf-8"))[1]["block"]
    move = next(task for task in block if "ansible.builtin.replace" in task)
    pattern = re.sub(
        r"\{\{.*?\}\}",
        lambda _: re.escape("http://archive.example/debian"),
        move["ansible.builtin.replace"]["regexp"],
    )
    return re.sub(pattern, rf"\g<1>{MIRROR}/", text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("URIs: http://archive.example/debian", f"URIs: {MIRROR}/"),
        ("URIs:http://archive.example/debian/", f"URIs:{MIRROR}/"),
        ("URIs: http://a.example/\n http://archive.example/debian/\nSuites: x",
         f"URIs: http://a.example/\n {MIRROR}/\nSuites: x"),
        ("deb http://archive.example/debian trixie main", f"deb {MIRROR}/ trixie main"),
        ("deb-src [signed-by=/k.gpg]\thttp://archive.example/debian/ trixie main",
         f"deb-src [signed-by=/k.gpg]\t{MIRROR}/ trixie main"),
    ],
)  # fmt: skip
def test_only_the_address_moves_in_both_formats(before: str, after: str) -> None:
    assert moved(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "# deb http://archive.example/debian trixie main",
        "URIs: http://archive.example/debian-security",
        "deb http://archive.example/debian-debug trixie-debug main",
        "URIs: http://notarchive.example/debian",
        "deb https://archive.example/debian trixie main",
    ],
)
def test_what_is_another_source_or_a_comment_stays(text: str) -> None:
    assert moved(text) == text


@pytest.mark.parametrize(
    ("proxy", "good"),
    [
        ("", True),
        ("http://proxy.example.org:3128", True),
        ("http://[2001:db8::1]:3128/", True),
        ("http://relay:hunter2@proxy.example.org:3128", False),
        ("http://relay@proxy.example.org:3128", False),
        ("proxy.example.org:3128", False),
        ('http://a"; DPkg::Pre-Invoke { "id"; };', False),
        ("socks5h://proxy.example.org", False),
    ],
)
def test_a_proxy_is_an_address_and_nothing_else(proxy: str, good: bool) -> None:
    tasks = yaml.safe_load((TASKS / "main.yml").read_text(encoding="utf-8"))
    said = next(t for t in tasks if "ansible.builtin.assert" in t)["ansible.builtin.assert"]
    assert "updates__proxy }}" not in said["fail_msg"]
    (pattern,) = re.findall(r"updates__proxy is match\('(.*)'\)", "\n".join(said["that"]))
    assert bool(re.match(pattern, proxy)) == good
