"""A real server on a real socket: what Prometheus gets, who gets in, what a bad client is worth."""

from __future__ import annotations

import base64
import gzip
import ipaddress
import json
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bcrypt
import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.exporter.conftest import SAINT_LO, equipped_twice, take

from kitsurvie import workspace
from kitsurvie.cli.exporter import (
    command,
    gathering,
    keeper,
    parts,
    reading,
    serving,
    web_config,
)
from kitsurvie.cli.exporter.keeper import Keeper
from kitsurvie.cli.exporter.reading import Reading
from kitsurvie.cli.exporter.serving import Server, Site
from kitsurvie.cli.exporter.web_config import Doorkeeper, WebConfig
from kitsurvie.errors import ExitCode, UsageError
from kitsurvie.ledger import Ledger, RunState, database

HTTP_SD = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["targets", "labels"],
        "additionalProperties": False,
        "properties": {
            "targets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}


class Here:
    """Reads in this process, and counts how often."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[set[str]] = []
        self.hold = threading.Event()
        self.hold.set()

    def read(self, names: set[str]) -> Reading:
        self.asked.append(names)
        self.hold.wait(20)
        return reading.read(workspace.load(self.root), names, None)

    def end(self) -> None:
        self.hold.set()


@dataclass
class Up:
    """A server that is up, and the keeper behind it."""

    keeper: Keeper
    reader: Here
    told: list[str]
    port: int
    tls: ssl.SSLContext | None = None

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
        scheme = "https" if self.tls else "http"
        request = urllib.request.Request(
            f"{scheme}://127.0.0.1:{self.port}{path}", headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.tls) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def values(self) -> dict[str, dict[tuple[str, ...], float]]:
        status, _, content = self.get("/metrics")
        assert status == 200
        return {
            family.name: {tuple(one.labels.values()): one.value for one in family.samples}
            for family in text_string_to_metric_families(content.decode())
        }


Serve = Callable[..., Up]


@pytest.fixture
def serve(root: Path) -> Iterator[Serve]:
    """Serves the workspace; the keeper looks for changes when the test says so."""
    running: list[Server] = []

    def up(web: WebConfig | None = None, *, began: bool = True, trust: Path | None = None) -> Up:
        web = web or WebConfig()
        reader, told = Here(root), []
        kept = Keeper(root, reader, 3600, told.append)
        if began:
            kept.refresh()
            kept._first.set()
        site = Site(kept.shown, kept.page)
        server = Server(socket.AF_INET, ("127.0.0.1", 0), site, Doorkeeper(web.users), web.tls)
        running.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        tls = ssl.create_default_context(cafile=str(trust)) if trust else None
        return Up(kept, reader, told, server.server_port, tls)

    yield up
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def filled(root: Path) -> Path:
    """The workspace with a register and a run."""
    ledger = Ledger.open(workspace.load(root).ledger_url)
    take(ledger, *equipped_twice(100, SAINT_LO, people=6, doubles=5))
    ledger.end_run(ledger.start_run("compliance", "me", {}), RunState.ENDED)
    ledger.close()
    return root


# -- what is served -------------------------------------------------------------------------------


def test_a_scrape_is_read_by_prometheus_in_either_format(filled: Path, serve: Serve) -> None:
    up = serve()
    found = up.values()
    assert found["kitsurvie_equipment_member_doubles"] == {(SAINT_LO, "dormant_second"): 5}
    assert found["kitsurvie_exporter_ledger_up"] == {(): 1}
    assert set(found["kitsurvie_exporter_part_up"].values()) == {1}
    status, headers, content = up.get(
        "/metrics", Accept="application/openmetrics-text;version=1.0.0"
    )
    assert (status, headers.get_content_type()) == (200, "application/openmetrics-text")
    families = {one.name for one in openmetrics.text_string_to_metric_families(content.decode())}
    assert families == set(found)
    _, headers, packed = up.get("/metrics", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == up.get("/metrics")[2]


def test_the_other_pages(filled: Path, serve: Serve) -> None:
    up = serve()
    assert up.get("/health")[::2] == (200, b"ok\n")
    assert b'href="metrics"' in up.get("/")[2]
    assert up.get("/etc/passwd")[0] == 404
    assert up.get("/metrics?name=x")[0] == 200
    status, headers, content = up.get("/metrics", "HEAD")
    assert (status, content) == (200, b"")
    assert int(headers["Content-Length"]) > 1000
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        status, headers, _ = up.get("/metrics", method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert headers["Server"] == "kitsurvie"


def test_what_stands_is_read_again_only_when_something_changed(filled: Path, serve: Serve) -> None:
    up = serve()
    quick = {"inventory", "targets", "compliance", "runs"}
    slow = {"equipment", "usage", "energy"}
    assert up.reader.asked == [quick, slow]
    up.keeper.refresh()
    assert len(up.reader.asked) == 2
    ledger = Ledger.open(workspace.load(filled).ledger_url)
    ledger.end_run(ledger.start_run("deploy", "me", {}), RunState.ENDED)
    up.keeper.refresh()
    assert up.reader.asked[2:] == [{"compliance", "runs"}]
    take(ledger, *equipped_twice(500, SAINT_LO, people=1, doubles=1))
    ledger.close()
    up.keeper.refresh()
    assert up.reader.asked[3:] == [slow]
    assert up.values()["kitsurvie_equipment_member_doubles"] == {(SAINT_LO, "dormant_second"): 6}


def test_many_scrapes_at_once_cost_one_reading_and_none_waits_for_the_next(
    filled: Path, serve: Serve
) -> None:
    up = serve(began=False)
    up.reader.hold.clear()
    up.keeper.start()
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(up.get("/metrics")[0])) for _ in range(8)
    ]
    for one in threads:
        one.start()
    time.sleep(0.2)
    assert found == []
    up.reader.hold.set()
    for one in threads:
        one.join(20)
    assert found == [200] * 8
    # the quick parts, then the slow one, each once
    assert len(up.reader.asked) <= 2
    up.keeper.end()
    up.keeper._ending.clear()
    up.reader.hold.clear()
    ledger = Ledger.open(workspace.load(filled).ledger_url)
    ledger.end_run(ledger.start_run("deploy", "me", {}), RunState.ENDED)
    ledger.close()
    again = threading.Thread(target=up.keeper.refresh)
    again.start()
    begun = time.monotonic()
    assert up.get("/metrics")[0] == 200
    assert time.monotonic() - begun < 2
    up.reader.hold.set()
    again.join(20)


# -- what is broken -------------------------------------------------------------------------------


def broken(root: Path, how: str) -> None:
    path = root / ".kitsurvie" / "ledger.sqlite"
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"this is no database, whatever it is called" * 100)


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_broken_ledger_is_a_number_and_no_dead_scrape(
    filled: Path, serve: Serve, how: str
) -> None:
    broken(filled, how)
    up = serve()
    found = up.values()
    assert found["kitsurvie_exporter_ledger_up"] == {(): 0}
    assert found["kitsurvie_exporter_part_up"] == {
        ("inventory",): 1, ("compliance",): 0, ("runs",): 0, ("equipment",): 0, ("usage",): 0,
        ("energy",): 0,
    }  # fmt: skip
    assert "kitsurvie_equipment_devices" not in found
    assert "kitsurvie_member_info" in found
    status, _, content = up.get("/health")
    assert status == 503
    assert b"ledger" in content
    told = len(up.told)
    up.keeper.refresh()
    # what goes on being wrong is said once
    assert len(up.told) == told
    assert not (how == "missing" and (filled / ".kitsurvie" / "ledger.sqlite").exists())


def test_a_ledger_that_another_process_holds_is_told_as_locked(
    filled: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 100)
    holder = sqlite3.connect(filled / ".kitsurvie" / "ledger.sqlite", isolation_level=None)
    holder.execute("PRAGMA journal_mode=DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    up = serve()
    assert up.values()["kitsurvie_exporter_ledger_up"] == {(): 0}
    assert b"locked by another process" in up.get("/health")[2]
    holder.execute("ROLLBACK")
    up.keeper.refresh()
    assert up.values()["kitsurvie_exporter_ledger_up"] == {(): 1}
    assert up.get("/health")[0] == 200
    holder.close()


def test_a_part_that_fails_by_a_fault_of_ours_takes_no_other_down(
    filled: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(sources: object) -> list[Any]:
        raise ZeroDivisionError("pc-of-the-mayor")

    monkeypatch.setitem(gathering.GATHERERS, "runs", fails)
    up = serve()
    assert up.values()["kitsurvie_exporter_part_up"] == {
        ("inventory",): 1, ("compliance",): 1, ("runs",): 0, ("equipment",): 1, ("usage",): 1,
        ("energy",): 1,
    }  # fmt: skip
    (said,) = up.told
    assert "The part runs cannot be read: a fault of kitsurvie itself (ZeroDivisionError)" in said
    assert "mayor" not in said


def test_every_part_is_made_of_something_and_gathered_by_something() -> None:
    assert set(gathering.GATHERERS) == set(parts.PARTS)
    assert set(parts.OF) >= parts.SLOW


def test_a_ledger_that_breaks_takes_its_numbers_away_and_one_that_is_mended_brings_them_back(
    filled: Path, serve: Serve
) -> None:
    kept = (filled / ".kitsurvie" / "ledger.sqlite").read_bytes()
    up = serve()
    broken(filled, "damaged")
    up.keeper.refresh()
    assert "kitsurvie_equipment_devices" not in up.values()
    path = filled / ".kitsurvie" / "ledger.sqlite"
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    path.write_bytes(kept)
    up.keeper.refresh()
    assert "kitsurvie_equipment_devices" in up.values()
    assert up.get("/health")[0] == 200


def test_a_broken_inventory_takes_down_what_needs_it_and_nothing_else(
    filled: Path, serve: Serve
) -> None:
    (filled / "inventory" / "hosts.yml").write_text("all: [")
    up = serve()
    assert up.values()["kitsurvie_exporter_part_up"] == {
        ("inventory",): 0, ("compliance",): 0, ("runs",): 1, ("equipment",): 0, ("usage",): 0,
        # no probe has counted anything yet, and so nothing is asked of whose machine it is
        ("energy",): 1,
    }  # fmt: skip
    assert up.values()["kitsurvie_exporter_ledger_up"] == {(): 1}
    # an empty list would take every target away
    assert up.get("/targets")[0] == 503


def test_a_reading_that_hangs_is_told_as_down(
    filled: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = serve()
    monkeypatch.setattr(keeper, "LATE_S", 0.0)
    up.keeper._began = time.monotonic() - 1
    found = up.values()
    assert found["kitsurvie_exporter_ledger_up"] == {(): 0}
    assert set(found["kitsurvie_exporter_part_up"].values()) == {0}


def test_a_reader_process_reads_the_same_and_its_end_is_a_sentence(filled: Path) -> None:
    reader = reading.Reader(filled, None)
    names = {"runs", "inventory", "equipment", "targets"}
    here, there = reading.read(workspace.load(filled), names, None), reader.read(names)
    assert {part.name for part in there.parts} == names - {"targets"}

    def told(found: Reading) -> list[Any]:
        return sorted(
            (one.metric, sorted(one.labels.items()), one.value)
            for part in found.parts
            for one in part.samples
        )

    assert told(here) == told(there)
    assert there.targets == []
    (filled / "kitsurvie.toml").write_text("nonsense = 1\n")
    with pytest.raises(Exception, match="setting kitsurvie does not know"):
        reader.read({"runs"})
    reader.end()
    with pytest.raises(Exception, match="The exporter ends"):
        reader.read({"runs"})


# -- targets --------------------------------------------------------------------------------------


def probe(root: Path) -> None:
    """The measure is in force, wherever nothing else is said of it."""
    with (root / "inventory" / "group_vars" / "all.yml").open("a") as everybody:
        everybody.write("metrics_probe__mode: enforce\n")


def test_the_targets_are_the_machines_with_a_probe_and_a_road_to_them(
    filled: Path, serve: Serve
) -> None:
    probe(filled)
    folder = filled / "inventory" / "group_vars"
    with (folder / "member_215000027.yml").open("a") as agneaux:
        agneaux.write("metrics_probe__port: 9200\n")
    with (folder / "member_215000340.yml").open("a") as baudre:
        baudre.write("metrics_probe__mode: off\n")
    with (folder / "epci_200042604.yml").open("a") as granville:
        granville.write("kit__jump: relay@192.0.2.99\n")
    with (folder / "member_225005024.yml").open("a") as manche:
        manche.write('ansible_host: "2001:db8::7"\n')
    hosts = filled / "inventory" / "hosts.yml"
    text = hosts.read_text().replace(
        "manche-srv-01: {ansible_host: 198.51.100.10, ", "manche-srv-01: {"
    )
    text = text.replace(
        "barfleur-pc-01: {", "barfleur-pc-01: {self_observation__server: 192.0.2.1, "
        "self_observation__mode: enforce, ",
    )  # fmt: skip
    hosts.write_text(text)
    up = serve()
    status, headers, content = up.get("/targets")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    found = json.loads(content)
    jsonschema.validate(found, HTTP_SD)
    targets = {one for group in found for one in group["targets"]}
    assert "192.0.2.20:9200" in targets
    assert "192.0.2.10:9100" in targets
    assert "[2001:db8::7]:9100" in targets
    for left_out in ("192.0.2.40", "192.0.2.50", "192.0.2.80"):
        assert not [one for one in targets if one.startswith(left_out)]
    first = next(group for group in found if "192.0.2.10:9100" in group["targets"])
    assert first["labels"] == {"member": SAINT_LO, "epci": "200066389", "profile": "server"}


def test_a_port_that_is_none_is_said_and_the_targets_are_kept(filled: Path, serve: Serve) -> None:
    probe(filled)
    with (filled / "inventory" / "group_vars" / "all.yml").open("a") as everybody:
        everybody.write("metrics_probe__port: 0\n")
    up = serve()
    assert up.get("/targets")[0] == 503
    assert b"metrics_probe__port" in up.get("/health")[2]


# -- who gets in ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a self-signed certificate of 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "exporter")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "exporter.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "exporter.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


def config(folder: Path, *, rounds: int = 4, prefix: bytes = b"2b", more: str = "") -> Path:
    hashed = bcrypt.hashpw(b"a long secret", bcrypt.gensalt(rounds)).decode()
    hashed = hashed.replace("$2b$", f"${prefix.decode()}$")
    path = folder / "web.yml"
    path.write_text(
        "tls_server_config: {cert_file: exporter.crt, key_file: exporter.key}\n"
        f'basic_auth_users: {{prometheus: "{hashed}"}}\n{more}'
    )
    return path


def basic(user: str, password: str) -> dict[str, str]:
    said = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


@pytest.mark.parametrize("prefix", [b"2b", b"2y"])
def test_by_tls_and_password_one_gets_in_and_by_any_other_nobody(
    filled: Path, serve: Serve, certificate: Path, prefix: bytes
) -> None:
    web = web_config.load(config(certificate, prefix=prefix))
    up = serve(web, trust=certificate / "exporter.crt")
    for path in ("/metrics", "/targets", "/health", "/"):
        assert up.get(path, **basic("prometheus", "a long secret"))[0] == 200
        assert up.get(path)[0] == 401
    for user, password in (
        ("prometheus", "another"), ("prometheus", ""), ("somebody", "a long secret"),
        ("prometheus", "a long secret" + "x" * 80),
    ):  # fmt: skip
        status, headers, _ = up.get("/metrics", **basic(user, password))
        assert status == 401
        assert headers["WWW-Authenticate"].startswith("Basic ")
    for nonsense in ("Basic %%%", "Bearer x", "Basic " + base64.b64encode(b"nocolon").decode()):
        assert up.get("/metrics", Authorization=nonsense)[0] == 401


def test_who_speaks_no_tls_hurts_nobody(filled: Path, serve: Serve, certificate: Path) -> None:
    up = serve(web_config.load(config(certificate)), trust=certificate / "exporter.crt")
    for said in (b"GET /metrics HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b""):
        with socket.create_connection(("127.0.0.1", up.port), timeout=5) as client:
            client.sendall(said)
            heard = b""
            # it may have hung up before we are done
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)
                heard = client.recv(4096)
            assert b"kitsurvie_" not in heard
    assert up.get("/metrics", **basic("prometheus", "a long secret"))[0] == 200


def test_a_password_is_hashed_once_and_not_for_each_scrape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed = {"prometheus": bcrypt.hashpw(b"secret", bcrypt.gensalt(4))}
    calls = []
    compare = bcrypt.checkpw

    def counted(*words: bytes) -> bool:
        calls.append(words)
        return compare(*words)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    door = Doorkeeper(hashed)
    assert [door.lets_in("prometheus", "secret") for _ in range(5)] == [True] * 5
    assert [door.lets_in("nobody", "secret") for _ in range(5)] == [False] * 5
    # who is unknown costs as much as who is not
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http_server_config: {http2: true}", "http_server_config"),
        ("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}", "client_ca_file"),
        ("tls_server_config: {cert_file: exporter.crt}", "no key_file"),
        ("tls_server_config: {cert_file: nowhere, key_file: exporter.key}", "cannot be used"),
        ("basic_auth_users: {me: secret}", "no user with a bcrypt hash"),
        ("basic_auth_users: {}", "names nobody"),
        ("basic_auth_users: {me: $2b$31$" + "a" * 53 + "}", "cost of 31"),
        ("- a list", "no mapping"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_setting_that_would_not_be_obeyed_is_refused(
    certificate: Path, tmp_path: Path, text: str, said: str
) -> None:
    for name in ("exporter.crt", "exporter.key"):
        (tmp_path / name).write_bytes((certificate / name).read_bytes())
    path = tmp_path / "web.yml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said) as told:
        web_config.load(path)
    assert "secret" not in str(told.value)


def test_beyond_this_machine_it_listens_with_tls_and_passwords_alone(
    filled: Path, certificate: Path, tmp_path: Path
) -> None:
    half = tmp_path / "web.yml"
    hashed = bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()
    half.write_text(f'basic_auth_users: {{me: "{hashed}"}}\n')
    for web in (None, half):
        with pytest.raises(UsageError, match="reached from other machines"):
            command.exporter(listen="0.0.0.0:0", web_config=web, workspace=filled)
    for wrong in ("9477", ":9477", "::1:9477", "127.0.0.1:x", "127.0.0.1:99999"):
        with pytest.raises(UsageError, match="no address and port"):
            command.address_of(wrong)
    assert command.address_of("[::1]:9477") == (socket.AF_INET6, ("::1", 9477))


# -- bad clients ----------------------------------------------------------------------------------


def test_a_slow_client_is_cut_off_and_a_large_one_not_read(
    filled: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "REQUEST_S", 0.6)
    up = serve()
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", up.port), timeout=5) as slow:
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")
        # a byte now and then does not put the end off
        with suppress(OSError):
            while time.monotonic() - begun < 5:
                slow.sendall(b"a")
                time.sleep(0.1)
    assert time.monotonic() - begun < 3
    with socket.create_connection(("127.0.0.1", up.port), timeout=5) as large:
        large.sendall(b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 4000 + b"\r\n")
        try:
            answer = large.recv(65536)
        except ConnectionError:
            answer = b""
        assert b"kitsurvie_exporter" not in answer
    assert up.get("/health")[0] == 200


def test_more_clients_than_threads_are_turned_away_and_those_after_them_served(
    filled: Path, serve: Serve
) -> None:
    up = serve()
    idle = [
        socket.create_connection(("127.0.0.1", up.port), timeout=5) for _ in range(serving.THREADS)
    ]
    time.sleep(0.3)
    with socket.create_connection(("127.0.0.1", up.port), timeout=5) as more:
        assert more.recv(1) == b""
    for one in idle:
        one.close()
    time.sleep(0.3)
    assert up.get("/health")[0] == 200


# -- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_ends_when_it_is_told_to(filled: Path, sent: signal.Signals, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "kitsurvie.cli.main", "exporter", "--listen", "127.0.0.1:0",
         "--workspace", str(filled)],
        stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    serving_at = process.stderr.readline()
    address = serving_at.split()[-1].removesuffix("/metrics")
    with urllib.request.urlopen(f"{address}/health", timeout=30) as answer:
        assert answer.read() == b"ok\n"
    process.send_signal(sent)
    assert process.wait(20) == code
    assert process.stderr.read() == ""


def test_a_file_for_node_exporter_is_written_once_and_whole(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kitsurvie.prom"
    assert command.exporter(textfile=path, workspace=filled) == ExitCode.COMPLIANT
    families = list(text_string_to_metric_families(path.read_text()))
    assert "kitsurvie_equipment_devices" in {one.name for one in families}
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []
    assert capsys.readouterr().err == ""


def test_a_file_is_written_of_a_ledger_that_is_down_and_the_exit_code_says_so(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(filled, "damaged")
    path = tmp_path / "kitsurvie.prom"
    assert command.exporter(textfile=path, workspace=filled) == ExitCode.HOSTS
    assert "kitsurvie_exporter_ledger_up 0.0" in path.read_text()
    assert "The ledger is damaged" in capsys.readouterr().err
    with pytest.raises(UsageError, match="cannot be written"):
        command.exporter(textfile=tmp_path / "nowhere" / "x.prom", workspace=filled)
    with pytest.raises(UsageError, match="serves nothing"):
        command.exporter(textfile=path, insecure=True, workspace=filled)
