"""Machines at the other end of a socket: real SSH by paramiko, and strangers that speak none."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko
import pytest

from kitsurvie.enroll.host_key import PublicKey

Handler = Callable[[socket.socket], None]


class Door(paramiko.ServerInterface):
    """Who comes in, and what they try."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def get_allowed_auths(self, username: str) -> str:
        return self.machine.takes

    def check_auth_password(self, username: str, password: str) -> int:
        self.machine.attempts.append((username, "password", password))
        good = self.machine.password is not None and password == self.machine.password
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.machine.attempts.append((username, "publickey", key.get_base64()))
        return paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self.machine.run, args=(channel, command), daemon=True).start()
        return True


@dataclass
class Machine:
    """An SSH server on loopback; `run` is what it does with a command."""

    key: paramiko.PKey
    password: str | None = "right"
    takes: str = "password,publickey"
    attempts: list[tuple[str, str, str]] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    answer: Callable[[paramiko.Channel, bytes], None] | None = None
    port: int = 0

    @property
    def public_key(self) -> PublicKey:
        return PublicKey(self.key.get_name(), self.key.get_base64())

    def run(self, channel: paramiko.Channel, command: bytes) -> None:
        self.commands.append(command)
        if self.answer is not None:
            self.answer(channel, command)
        # as sshd does, the channel is not closed before the request was confirmed: this thread may
        # be ahead of the one that confirms, so the other end closes first
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.send_exit_status(0)
            channel.shutdown_write()
            channel.settimeout(5)
            channel.recv(1)
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.close()

    def serve(self, link: socket.socket) -> None:
        transport = paramiko.Transport(link)
        transport.add_server_key(self.key)
        transport.start_server(server=Door(self), event=threading.Event())
        transport.join()


@pytest.fixture
def listen() -> Iterator[Callable[[Handler], int]]:
    """Answer each connection on a free port of loopback with a handler, in a thread."""
    sockets: list[socket.socket] = []

    def start(handler: Handler) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)

        def accept() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return
                sockets.append(link)
                threading.Thread(target=handler, args=(link,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    for one in sockets:
        one.close()


@pytest.fixture
def machine(listen: Callable[[Handler], int]) -> Machine:
    """A machine that shows an ECDSA key and takes the password `right`."""
    made = Machine(paramiko.ECDSAKey.generate())
    made.port = listen(made.serve)
    return made
