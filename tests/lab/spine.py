"""The command line run as a user runs it, on a lab's workspace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kitsurvie.lab import Machine

ROLES = Path(__file__).parents[2] / "roles"
# enough to prove what is the same for every measure: a file, packages, the three behind the guard
SPINE = ("accounts", "firewall", "ssh_hardening", "support_contact", "updates")


def enforced() -> dict[str, str]:
    """Variables that enforce those measures and leave the others out: each has tests of its own."""
    others = sorted({path.parent.name for path in ROLES.glob("*/measure.yml")} - set(SPINE))
    left_out = {f"{measure}__mode": "off" for measure in others}
    why = {f"{measure}__off_reason": "proved elsewhere" for measure in others}
    return {"kit__mode": "enforce", **left_out, **why}


@contextmanager
def silent(machine: Machine, asker: str = "") -> Iterator[None]:
    """What comes from that address, or from a desk, is never answered: it waits all it may."""
    desk = machine.run(["ip", "route", "show", "default"]).stdout.decode().split()[2]
    road = ["ip", "route", "{}", "blackhole", asker or desk]
    done = machine.run([word.format("add") for word in road])
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        machine.run([word.format("del") for word in road])


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))

    def host(self, name: str) -> dict[str, Any]:
        return next(h for h in self.document["hosts"] if h["name"] == name)

    def measure(self, host: str, measure: str) -> dict[str, Any]:
        return next(m for m in self.host(host)["measures"] if m["id"] == measure)

    def why(self) -> str:
        """What to show when a test fails: short, since a whole document hides it."""
        if not self.out.startswith("{"):
            return f"exit {self.code}: {(self.out + self.err)[-1500:]}"
        lines = [f"exit {self.code} {self.err[-500:]}", str(self.document.get("notes"))]
        for host in self.document["hosts"]:
            lines.append(f"{host['name']}: {host['state']} {host['detail']}")
            for measure in host["measures"]:
                if measure["ansible"]:
                    lines.append(f"  {measure['id']}: {measure['ansible']}")
        return "\n".join([*lines, *sorted(self.drifts())])

    def ran(self) -> set[str]:
        """`host/measure` for everything Ansible was asked to do."""
        return {
            f"{host['name']}/{measure['id']}"
            for host in self.document["hosts"]
            for measure in host["measures"]
            if measure["ansible"] is not None
        }

    def drifts(self) -> set[str]:
        return {
            f"{host['name']}/{measure['id']}/{check['name']}"
            for host in self.document["hosts"]
            for measure in host["measures"]
            for check in measure["checks"]
            if check["status"] == "drift"
        }


@dataclass
class Desk:
    """A sysadmin's desk: one workspace, and the words typed there."""

    workspace: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "kitsurvie.cli.main", *words],
            cwd=self.workspace,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, *words: str, timeout_s: float = 900) -> Said:
        process = self.start(*words)
        out, err = process.communicate(timeout=timeout_s)
        assert "Traceback" not in err + out, err
        return Said(process.returncode, out, err)

    @contextmanager
    def variables(self, group: str, **values: Any) -> Iterator[None]:
        """Variables of a group (or `host:NAME`), for a while, beside what is already there."""
        kind, _, name = group.rpartition(":")
        folder = self.workspace / "inventory" / ("host_vars" if kind == "host" else "group_vars")
        path = folder / f"{name}.yml"
        if (folder / name).is_dir():
            path = folder / name / "zz_test.yml"
        before = path.read_text() if path.exists() else None
        written = {**(yaml.safe_load(before or "") or {}), **values}
        folder.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(written, allow_unicode=True, explicit_start=True))
        try:
            yield
        finally:
            if before is None:
                path.unlink()
            else:
                path.write_text(before)
