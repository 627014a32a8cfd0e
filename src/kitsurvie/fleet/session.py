"""One host: its connection, opened by pyinfra, and one command at a time on a channel of ours.

pyinfra's own way to run a command decodes text, keeps everything in memory and has no limits; a
town hall's machine may answer any bytes, without end or not at all. So pyinfra connects, and the
bytes are read here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
from pyinfra.api import Config, Inventory, State
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.ssh_util import get_private_key
from pyinfra.connectors.sshuserclient.client import get_host_keys

from kitsurvie.fleet import diagnosis, pinned
from kitsurvie.fleet.diagnosis import Refusal
from kitsurvie.fleet.jump import Jump, JumpRefused
from kitsurvie.fleet.target import Limits, Reply, Target, Trouble

_CHUNK = 1 << 16
_TASTE = 1024  # bytes of each stream that are kept of an answer that cannot be used


class Road:
    """What all sessions share: limits, the private folder, and pyinfra's state."""

    def __init__(self, limits: Limits, folder: Path, known_hosts_jump: str | None) -> None:
        self.limits = limits
        self.folder = folder
        self.known_hosts_jump = known_hosts_jump
        # hosts are added one by one as their turn comes: pyinfra needs 0.4 ms for each
        self.inventory = Inventory.empty()
        # our own clock bounds the whole handshake; pyinfra's must not ring first
        self.state = State()
        self.state.init(self.inventory, Config(PARALLEL=1, CONNECT_TIMEOUT=_later(limits)))
        self._opened = 0
        self._locked: dict[str, bool] = {}

    def is_locked(self, key_file: str) -> bool:
        """Whether the key has a passphrase, so that only an agent can use it.

        Raises Refusal when there is no agent, and PyinfraError when it cannot be read at all.
        """
        if key_file not in self._locked:
            try:
                get_private_key(self.state, key_file, "")  # kept by pyinfra for all connections
                self._locked[key_file] = False
            except PyinfraError as error:
                if "encrypted" not in str(error):
                    raise
                self._locked[key_file] = True
        if self._locked[key_file] and not os.environ.get("SSH_AUTH_SOCK"):
            words = f"{key_file} has a passphrase and no agent is running: ssh-add it"
            raise Refusal(Trouble.AUTHENTICATION, words)
        return self._locked[key_file]

    def number(self) -> int:
        """A number no other session of this worker has."""
        self._opened += 1
        return self._opened


def _later(limits: Limits) -> int:
    return int(limits.connect_s * 2) + 5


@dataclass(slots=True)
class _Gathered:
    """The bytes of one command so far."""

    limit: int
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)

    @property
    def full(self) -> bool:
        return len(self.stdout) + len(self.stderr) > self.limit


class Session:
    """The connection to one host, opened when it is first needed."""

    def __init__(self, target: Target, road: Road) -> None:
        self._target = target
        self._road = road
        self._host: Host | None = None
        self._jump: Jump | None = None

    def run(self, command: str, stdin: bytes, tell: Callable[[str], None]) -> Reply:
        """One command. Every failure of the host is a reply with a trouble, never an exception."""
        gathered = _Gathered(self._road.limits.max_bytes)
        code: int | None = None
        connect_s = 0.0
        logged_in = False
        started = time.monotonic()
        try:
            try:
                if not self._alive():
                    tell("connecting")
                    self._connect()
                    tell("connected")
            finally:
                connect_s = time.monotonic() - started
            logged_in = True
            tell("running")
            with _foreign_errors():
                code = self._execute(command, stdin, gathered)
            trouble, detail = diagnosis.of_exit(command, code, bytes(gathered.stderr))
        except Refusal as refusal:
            trouble, detail = refusal.trouble, refusal.detail
            self.close()
        kept = _TASTE if code is None else None
        return Reply(
            self._target.name,
            code,
            bytes(gathered.stdout[:kept]),
            bytes(gathered.stderr[:kept]),
            trouble,
            detail,
            connect_s=connect_s,
            command_s=time.monotonic() - started - connect_s,
            logged_in=logged_in,
        )

    def close(self) -> None:
        """Close the connection and its proxy, and take the host out of pyinfra's tables."""
        if self._host is not None:
            client = self._host.connector.client
            if client is not None:
                # the far end may be dead: closing must not wait for it
                with gevent.Timeout(1, False), _foreign_errors(quiet=True):
                    client.close()
            self._road.inventory.host_data.pop(self._host.name, None)
            self._road.inventory.hosts.pop(self._host.name, None)
            self._host = None
        if self._jump is not None:
            self._jump.close()
            self._jump = None

    def _transport(self) -> Any:
        client = self._host.connector.client if self._host is not None else None
        return client.get_transport() if client is not None else None

    def _alive(self) -> bool:
        transport = self._transport()
        return transport is not None and transport.is_active()

    def _connect(self) -> None:
        self.close()
        target = self._target
        keys = pinned.usable(target.host_keys)
        if not keys:
            raise Refusal(Trouble.NOT_ENROLLED, "")
        if not pinned.is_address(target.address):
            raise Refusal(Trouble.UNREACHABLE, f"{target.address!r} is not an address")
        number = self._road.number()
        known_hosts = self._road.folder / f"{number}.known_hosts"
        pinned.write(known_hosts, target.address, target.port, keys)
        try:
            with gevent.Timeout(self._road.limits.connect_s):
                self._open_jump(number)
                self._host = self._pyinfra_host(number, known_hosts, keys)
                self._host.connect(show_errors=False, raise_exceptions=True)
        except gevent.Timeout:
            raise self._late() from None
        except JumpRefused as error:
            raise Refusal(Trouble.JUMP, str(error)) from None
        except Refusal:
            raise
        except Exception as error:
            raise self._refused(error) from error
        finally:
            known_hosts.unlink(missing_ok=True)
            get_host_keys.cache.pop(f"{((str(known_hosts),),)}{{}}", None)

    def _open_jump(self, number: int) -> None:
        if self._target.jump is not None:
            log = self._road.folder / f"{number}.jump"
            limits = self._road.limits
            self._jump = Jump(self._target, self._road.known_hosts_jump, log, limits.connect_s)

    def _pyinfra_host(self, number: int, known_hosts: Path, keys: list[str]) -> Host:
        target = self._target
        later = _later(self._road.limits)
        connect: dict[str, Any] = {
            "banner_timeout": later,
            "auth_timeout": later,
            "channel_timeout": later,
            "disabled_algorithms": {"keys": pinned.other_algorithms(keys)},
        }
        if self._jump is not None:
            connect["sock"] = self._jump.sock
        by_agent = target.key_file is None or self._road.is_locked(target.key_file)
        # a name of our own: pyinfra reads a name that starts with @ as another kind of connection
        name = f"host{number}"
        data: dict[str, Any] = {
            "ssh_hostname": target.address,
            "ssh_port": target.port,
            "ssh_user": target.user,
            "ssh_forward_agent": False,
            "ssh_allow_agent": by_agent,
            "ssh_look_for_keys": target.key_file is None,
            "ssh_config_file": str(self._road.folder / "no-ssh-config"),
            "ssh_known_hosts_file": str(known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_paramiko_connect_kwargs": connect,
        }
        if not by_agent:
            data["ssh_key"] = target.key_file
        self._road.inventory.host_data[name] = data
        host = Host(name, inventory=self._road.inventory, groups=[], connector_cls=SSHConnector)
        self._road.inventory.hosts[name] = host
        host.init(self._road.state)
        return host

    def _late(self) -> Refusal:
        seconds = f"within {self._road.limits.connect_s:g} s"
        if self._jump is not None:
            fault = self._jump.fault()
            if fault is not None:
                return Refusal(Trouble.JUMP if fault[0] else Trouble.UNREACHABLE, fault[1])
            return Refusal(Trouble.TIMEOUT, f"no login through {self._target.jump} {seconds}")
        if self._transport() is None:
            return Refusal(Trouble.UNREACHABLE, f"no TCP connection {seconds}")
        return Refusal(Trouble.TIMEOUT, f"it accepted the connection, but no login {seconds}")

    def _refused(self, error: Exception) -> Refusal:
        if self._jump is not None:
            fault = self._jump.fault()
            if fault is not None:
                return Refusal(Trouble.JUMP if fault[0] else Trouble.UNREACHABLE, fault[1])
        return diagnosis.of_connection(error, tcp=self._transport() is not None)

    def _execute(self, command: str, stdin: bytes, gathered: _Gathered) -> int:
        limits = self._road.limits
        channel = None
        others: list[gevent.Greenlet] = []
        try:
            with gevent.Timeout(limits.command_s):
                channel = self._transport().open_session()
                channel.exec_command(command)
                # all three at once: the window is shared, so that whoever waits for one stream
                # while the other is full waits for ever
                others = [
                    gevent.spawn(_feed, channel, stdin),
                    gevent.spawn(_drain, channel, channel.recv_stderr, gathered.stderr, gathered),
                ]
                _drain(channel, channel.recv, gathered.stdout, gathered)
                others[1].join()
                if gathered.full:
                    raise Refusal(Trouble.TOO_LARGE, f"more than {limits.max_bytes} bytes")
                code = int(channel.recv_exit_status())
        except gevent.Timeout:
            raise Refusal(Trouble.TIMEOUT, f"no end within {limits.command_s:g} s") from None
        finally:
            gevent.killall(others, block=False)
            if channel is not None:
                channel.close()
        if code < 0:
            raise Refusal(Trouble.CLOSED, "no exit status came")
        return code


def _feed(channel: Any, stdin: bytes) -> None:
    try:
        channel.sendall(stdin)
        channel.shutdown_write()
    except OSError:
        return  # the command did not want all of it; its answer says the rest


def _drain(
    channel: Any, receive: Callable[[int], bytes], into: bytearray, gathered: _Gathered
) -> None:
    while not gathered.full:
        part = receive(_CHUNK)
        if not part:
            return
        into += part
    channel.close()


@contextmanager
def _foreign_errors(*, quiet: bool = False) -> Iterator[None]:
    """A peer can make the SSH library raise anything: whatever it is, it is that host's trouble."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        if not quiet:
            raise diagnosis.of_connection(error, tcp=True) from error
