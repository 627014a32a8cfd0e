"""Small workspaces and roles, written afresh for each test."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kitsurvie import workspace
from kitsurvie.cli import main

HOSTS = """\
---
all:
  children:
    epci_200066389:
      children:
        member_215000027:
          hosts:
            agneaux-srv-01: {ansible_host: 192.0.2.10, kit__profile: server}
            agneaux-pc-01: {ansible_host: 192.0.2.11, kit__profile: desktop}
        member_215005026:
          hosts:
            saint-lo-srv-01: {ansible_host: 192.0.2.20, kit__profile: server}
    member_225005024:
      hosts:
        manche-srv-01: {ansible_host: 198.51.100.5, kit__profile: server}
"""
FILES = {
    "hosts.yml": HOSTS,
    "group_vars/all.yml": "kit__mode: observe\nansible_user: admin1\n",
    "group_vars/epci_200066389.yml": (
        'kit__epci: {siren: "200066389", name: CA Saint-Lô Agglo}\nfirewall__level: epci\n'
    ),
    "group_vars/member_215000027.yml": (
        'kit__member: {siren: "215000027", name: Agneaux, kind: commune, insee: "50002"}\n'
        "firewall__level: member\n"
    ),
    "group_vars/member_215005026.yml": (
        'kit__member: {siren: "215005026", name: Saint-Lô, kind: commune, insee: "50502"}\n'
    ),
    "group_vars/member_225005024.yml": (
        'kit__member: {siren: "225005024", name: Département de la Manche, '
        'kind: departement, insee: "50502"}\n'
    ),
}
Make = Callable[..., workspace.Workspace]


def syndicate(
    root: Path, changes: dict[str, str | bytes | None] | None = None
) -> workspace.Workspace:
    """Write a small syndicate; `changes` by file name replace or add a file, None leaves it out."""
    files: dict[str, str | bytes | None] = {**FILES, **(changes or {})}
    for name, content in files.items():
        if content is None:
            continue
        path = root / "inventory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (root / workspace.CONFIG_NAME).write_text("", encoding="utf-8")
    return workspace.load(root)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """`syndicate` in a folder of the test's own."""
    return lambda changes=None: syndicate(tmp_path / "syndicate", changes)


MEASURE = """\
---
id: {id}
step: {step}
title: {{fr: Un pare-feu, en: A firewall}}
why: {{fr: Pour fermer., en: To close doors.}}
changes: {{fr: Rien., en: Nothing you would see.}}
on_failure: {{fr: Appelez., en: Call us.}}
fallback: {{fr: Notez., en: Write it down.}}
absent: {{fr: Retiré., en: Undone.}}
profiles: [server, desktop]
norms: [BP-028/v2.0/R33, GH-42/2017/17]
lockout_risk: true
reboot: false
undo: false
footprint: {{}}
budget: {{disk_mb: 1, memory_mb: 1, cpu_s_per_day: 1, network_kb_per_day: 1}}
"""
DEFAULTS = """\
---
# What is let in.
# One port per line.
{id}__ports: [22]

# How strict it is.
{id}__level: kit
"""


@pytest.fixture
def role(tmp_path: Path) -> Callable[..., Path]:
    """Write a small role folder `roles/<id>` and give its path."""

    def write(
        identity: str = "firewall",
        *,
        measure: str = MEASURE,
        defaults: str = DEFAULTS,
        step: str = "secure",
        under: str = "roles",
    ) -> Path:
        folder = tmp_path / under / identity
        for part in ("tasks", "defaults", "checks"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "measure.yml").write_text(measure.format(id=identity, step=step), "utf-8")
        (folder / "defaults/main.yml").write_text(defaults.format(id=identity), "utf-8")
        (folder / "tasks/main.yml").write_text("---\n[]\n", "utf-8")
        return folder

    return write


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Run = Callable[..., Said]


@pytest.fixture
def kitsurvie(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Run:
    """Type a command line, in a folder that is no workspace."""
    monkeypatch.delenv("KITSURVIE_WORKSPACE", raising=False)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["kitsurvie", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return run
