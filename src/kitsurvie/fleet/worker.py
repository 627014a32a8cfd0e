"""The worker: reads messages on stdin, works on many hosts at once, writes replies on stdout.

One greenlet per host that is being worked on. It holds its place among the `parallel` until its
reply is written, so that a parent who reads slowly slows the fleet down instead of filling memory.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import signal
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import gevent
from gevent.lock import BoundedSemaphore
from gevent.os import make_nonblocking, nb_read, nb_write

from kitsurvie.fleet import wire
from kitsurvie.fleet.session import Road, Session
from kitsurvie.fleet.target import Limits, Target

_READ = 1 << 16


class Job(NamedTuple):
    """One command to run on one host."""

    number: int
    command: str
    stdin: bytes


@dataclass(slots=True)
class HostQueue:
    """What one host still has to do. `last` means that nothing more will be asked of it."""

    target: Target
    jobs: deque[Job] = field(default_factory=deque)
    session: Session | None = None
    busy: bool = False
    last: bool = False


class Worker:
    """The fleet's schedule: who runs now, who waits, and for which site."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.limits = Limits(**start["limits"])
        self.folder = Path(start["folder"])
        self._events = bool(start["events"])
        self._road = Road(self.limits, self.folder, start["known_hosts_jump"])
        self._hosts: dict[str, HostQueue] = {}
        self._blobs: dict[str, bytes] = {}
        self._output = BoundedSemaphore()
        self._running = 0
        # sites that have hosts waiting take turns, so that one long site does not hold the rest
        self._turns: deque[str] = deque()
        self._queues: dict[str, deque[HostQueue]] = {}
        self._at_site: dict[str, int] = {}

    def receive(self, message: dict[str, Any]) -> None:
        """Act on one message of the parent."""
        match message.pop("kind"):
            case "target":
                self._know(Target(**{**message, "host_keys": tuple(message["host_keys"])}))
            case "blob":
                self._blobs[message["id"]] = wire.data(message["data"])
            case "drop":
                self._blobs.pop(message["id"], None)
            case "run":
                host = self._hosts[message["host"]]
                stdin = self._blobs[message["blob"]]
                host.jobs.append(Job(message["job"], message["command"], stdin))
                host.last = bool(message["last"])
                if not host.busy:
                    self._wait(host)
            case "finish":
                host = self._hosts[message["host"]]
                host.last = True
                if not host.busy:
                    self._close(host)

    def _know(self, target: Target) -> None:
        known = self._hosts.get(target.name)
        if known is not None:
            self._close(known)
        self._hosts[target.name] = HostQueue(target)

    def _wait(self, host: HostQueue) -> None:
        host.busy = True
        site = host.target.site
        queue = self._queues.setdefault(site, deque())
        if not queue:
            self._turns.append(site)
        queue.append(host)
        self._pump()

    def _pump(self) -> None:
        """Start every waiting host for which there is room."""
        for _ in range(len(self._turns)):
            if self._running >= self.limits.parallel:
                return
            site = self._turns.popleft()
            queue = self._queues[site]
            while queue and self._running < self.limits.parallel and self._room(site):
                self._running += 1
                self._at_site[site] = self._at_site.get(site, 0) + 1
                # a fault of ours leaves a job without reply: better no worker than a parent waiting
                gevent.spawn(self._work, queue.popleft()).link_exception(fault)
                if len(self._turns) > 0:
                    break
            if queue:
                self._turns.append(site)
            else:
                del self._queues[site]

    def _room(self, site: str) -> bool:
        return not site or self._at_site.get(site, 0) < self.limits.parallel_per_site

    def _work(self, host: HostQueue) -> None:
        """Answer every job of one host, then give its place to another."""
        name = host.target.name
        try:
            while host.jobs:
                job = host.jobs.popleft()
                if host.session is None:
                    host.session = Session(host.target, self._road)
                reply = host.session.run(job.command, job.stdin, lambda s: self._tell(name, s))
                self._write(wire.reply_line(job.number, reply))
                self._tell(name, "done")
        finally:
            host.busy = False
            # "finish" may have come while the reply was being written
            if host.last:
                self._close(host)
            self._running -= 1
            self._at_site[host.target.site] -= 1
            self._pump()

    def _close(self, host: HostQueue) -> None:
        session, host.session = host.session, None
        if session is not None:
            # the SSH library takes a tenth of a second to close: neither the reader of messages
            # nor the next host should wait for it
            gevent.spawn(session.close)

    def _tell(self, host: str, state: str) -> None:
        if self._events:
            self._write(wire.line("state", host=host, state=state))

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        with self._output:
            while view:
                try:
                    view = view[nb_write(1, view) :]
                except OSError:
                    end(self.folder)


def lines() -> Iterator[bytes]:
    """Whole lines of stdin until it ends."""
    parts: list[bytes] = []
    while part := nb_read(0, _READ):
        head, *more = part.split(b"\n")
        parts.append(head)
        if more:
            yield b"".join(parts)
            yield from more[:-1]
            parts = [more[-1]]


def end(folder: Path) -> NoReturn:
    """Leave nothing behind, at once: the connections close with the process."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def fault(greenlet: gevent.Greenlet) -> NoReturn:
    """End with one line about what happened, which the parent quotes."""
    sys.stderr.write(f"{type(greenlet.exception).__name__}: {greenlet.exception}\n")
    sys.stderr.flush()
    os._exit(1)


def main() -> None:
    """Read the start message, then serve until stdin ends or a signal comes."""
    # pyinfra and paramiko report through logging what the reply already says
    logging.lastResort = None
    # one descriptor for each open connection, two for one through a jump host
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    make_nonblocking(0)
    make_nonblocking(1)
    messages = (json.loads(line) for line in lines())
    start = next(messages, None)
    if start is None:
        sys.exit(0)
    worker = Worker(start)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        gevent.signal_handler(number, end, worker.folder)
    for message in messages:
        worker.receive(message)
    end(worker.folder)
