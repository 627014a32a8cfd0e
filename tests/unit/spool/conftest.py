"""A spool and a workspace in a folder, and machines that hand in."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from kitsurvie import workspace
from kitsurvie.cli.context import Context
from kitsurvie.cli.ingest import Ingest, Report
from kitsurvie.cli.survey import RELEASE, STAMPS
from kitsurvie.ledger import Ledger
from kitsurvie.model import Host, Inventory, Measure, Profile, Step, Text
from kitsurvie.observe.request import nonce

CHECKS = '''
def test_the_door_is_closed(host):
    """La porte est fermée."""
    found = host.run("door").stdout.strip()
    expected = "closed"
    assert found == expected


def test_the_light_is_off(host):
    """La lumière est éteinte."""
    found = host.run("light").stdout.strip()
    expected = "off"
    assert found == expected
'''
WELL = {STAMPS: b"", RELEASE: b"debian 12\n", "door": b"closed\n", "light": b"off\n"}


def answered(said: Mapping[str, bytes]) -> bytes:
    """What the runner writes for these commands and their standard output."""
    plain = b"".join(b"0 - %d 0\n" % len(out) + out for out in said.values())
    body = zlib.compress(plain)
    return b"\nkitsurvie-answers 1 %s %d\n" % (nonce(tuple(said)).encode(), len(body)) + body


def sealed(host: str, moment: int, commands: bytes, answers: bytes) -> bytes:
    """A hand-in of these parts, whatever they are, with the digest that belongs to them."""
    signed = f"{host} {moment} {len(commands)} {len(answers)}".encode()
    digest = sha256(signed + b"\n" + commands + answers).hexdigest()[:32].encode()
    return b"kitsurvie-hand-in 1 " + signed + b" " + digest + b"\n" + commands + answers


def handed(host: str, moment: int, said: Mapping[str, bytes] = WELL) -> bytes:
    """What a machine hands in."""
    return sealed(host, moment, zlib.compress("\0".join(said).encode()), answered(said))


@dataclass
class Desk:
    """A control node: `put` is what the spooler does, `ingest` what the sysadmin does."""

    place: workspace.Workspace
    world: Context
    ledger: Ledger
    files: int = 0

    def put(
        self, slot: str, data: bytes, *, arrived: float | None = None, address: str = "192.0.2.7"
    ) -> Path:
        folder = self.place.spool / "slots" / slot
        folder.mkdir(parents=True, exist_ok=True)
        self.files += 1
        path = folder / f"{self.files:020d}"
        moment = int(time.time() if arrived is None else arrived)
        path.write_bytes(b"kitsurvie-spooled 1 %d %s\n" % (moment, address.encode()) + data)
        return path

    def ingest(self) -> Report:
        return Ingest(self.world, self.ledger).run()

    def left(self) -> list[str]:
        return sorted(p.name for p in self.place.spool.glob("slots/*/*") if p.is_file())

    def log(self) -> list[str]:
        path = self.place.state / "refused" / "refused.log"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "kitsurvie.toml").write_text('spool = "spool"')
    (tmp_path / "role" / "checks").mkdir(parents=True)
    (tmp_path / "role" / "checks" / "test_demo.py").write_text(CHECKS)
    (tmp_path / "spool" / "slots").mkdir(parents=True)
    place = workspace.load(tmp_path)
    text = Text("fr", "en")
    measure = Measure(
        "demo", Step.SECURE, text, text, text, text, text, text, frozenset(Profile), (), False,
        False, False, tmp_path / "role", {},
    )  # fmt: skip
    hosts = {
        name: Host(name, "198.18.0.1", 22, "a", None, "1", None, "50002", Profile.LAPTOP, (), {})
        for name in ("pc-1", "pc-2", "pc-3")
    }
    world = Context(
        place, Inventory(hosts, {}, {}, ""), {"demo": measure}, tuple(hosts.values())
    )  # fmt: skip
    return Desk(place, world, Ledger.open(place.ledger_url))
