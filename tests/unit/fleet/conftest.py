"""SSH servers on loopback that behave as machines in the field do, and worse."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
import pytest

from kitsurvie.fleet.client import Limits, Target

Script = Callable[["Server", paramiko.Channel, str], None]
LIMITS = Limits(connect_s=5, command_s=5, max_bytes=1_000_000, parallel=20, parallel_per_site=4)


@dataclass
class Server:
    """A paramiko server that runs `script` for each command and counts what it is asked."""

    script: Script
    key: paramiko.PKey
    port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    transports: list[paramiko.Transport] = field(default_factory=list)

    @property
    def open(self) -> int:
        return sum(transport.is_active() for transport in self.transports)

    def target(self, name: str, key_file: str | None, **changes: object) -> Target:
        values: dict[str, object] = {
            "name": name,
            "address": "127.0.0.1",
            "port": self.port,
            "user": "admin1",
            "key_file": key_file,
            "host_keys": (public(self.key),),
            **changes,
        }
        return Target(**values)  # type: ignore[arg-type]

    def run(self, channel: paramiko.Channel, command: str) -> None:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.02)  # paramiko says yes to the request after this thread was started
        # the fleet hangs up, as it should, in many of these tests
        with suppress(OSError, EOFError, paramiko.SSHException):
            self.script(self, channel, command)
        with self.lock:
            self.at_once -= 1
        with suppress(OSError, EOFError):
            channel.close()


class Door(paramiko.ServerInterface):
    def __init__(self, server: Server) -> None:
        self.server = server

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.server.seen["offered key"] += 1
        good = username == "admin1"
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self.server.seen["password"] += 1
        return paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.server.seen[kind] += 1
        return paramiko.OPEN_SUCCEEDED

    def check_channel_forward_agent_request(self, channel: paramiko.Channel) -> bool:
        self.server.seen["agent forwarding"] += 1
        return False

    def check_channel_pty_request(self, channel: paramiko.Channel, *rest: object) -> bool:
        self.server.seen["terminal"] += 1
        return False

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.server.seen["exec"] += 1
        arguments = (channel, command.decode())
        threading.Thread(target=self.server.run, args=arguments, daemon=True).start()
        return True


def public(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def listen(talk: Callable[[socket.socket], None]) -> tuple[socket.socket, int]:
    """A loopback port where `talk` gets each connection in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener, listener.getsockname()[1]


@pytest.fixture(scope="session")
def host_key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("keys") / "admin1"
    paramiko.ECDSAKey.generate().write_private_key_file(str(path))
    return str(path)


@pytest.fixture
def serve(host_key: paramiko.PKey) -> Iterator[Callable[[Script], Server]]:
    """Starts servers that run the given script; they end with the test."""
    listeners: list[socket.socket] = []
    servers: list[Server] = []

    def start(script: Script) -> Server:
        server = Server(script, host_key)
        servers.append(server)

        def talk(connection: socket.socket) -> None:
            server.seen["connection"] += 1
            transport = paramiko.Transport(connection)
            server.transports.append(transport)
            transport.add_server_key(server.key)
            try:
                transport.start_server(server=Door(server))
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()

        listener, server.port = listen(talk)
        listeners.append(listener)
        return server

    yield start
    for listener in listeners:
        listener.close()
    for server in servers:
        for transport in server.transports:
            transport.close()


@pytest.fixture
def speak(host_key: paramiko.PKey) -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    """Starts bare TCP servers that know no SSH; they end with the test."""
    listeners: list[socket.socket] = []

    def start(talk: Callable[[socket.socket], None]) -> Server:
        listener, port = listen(talk)
        listeners.append(listener)
        return Server(lambda *_: None, host_key, port)

    yield start
    for listener in listeners:
        listener.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, without agent."""
    (tmp_path / "home" / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path / "home"
