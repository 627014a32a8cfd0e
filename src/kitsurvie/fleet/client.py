"""The parent's side: start the worker, hand it commands, read replies. Standard library only."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kitsurvie.fleet import wire
from kitsurvie.fleet.target import Limits, Reply, Target, Trouble

__all__ = ["Fleet", "Limits", "Reply", "Target", "Trouble"]

# Beyond the limits of one connection and one command, the worker itself must be at fault.
_GRACE_S = 30.0
_READ = 1 << 20


class Fleet:
    """A worker process and the connections it holds; a context manager.

    `known_hosts_jump` is the file where jump hosts are pinned as `jump:<address>:<port>`.
    `on_event(host, state)` is called from `replies()` with connecting, connected, running, done.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        limits: Limits,
        known_hosts_jump: Path | None,
        on_event: Callable[[str, str], None] | None = None,
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._limits = limits
        self._known_hosts_jump = known_hosts_jump
        self._on_event = on_event
        self._waiting: dict[int, tuple[str, bytes]] = {}
        self._jobs = 0
        self._told: set[str] = set()
        self._blobs: Counter[bytes] = Counter()
        self._lock = threading.RLock()
        self._lines: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._death = ""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="kitsurvie-fleet-"))
        self._errors = (self._folder / "worker.log").open("wb")
        # a session of its own: Ctrl-C reaches the parent, which ends the worker in __exit__; when
        # the parent is killed instead, the worker sees the end of its stdin and ends
        self._worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "kitsurvie.fleet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            start_new_session=True,
        )
        jump_file = self._known_hosts_jump
        self._send(
            wire.line(
                "start",
                limits=asdict(self._limits),
                folder=str(self._folder),
                known_hosts_jump=str(jump_file.resolve()) if jump_file else None,
                events=self._on_event is not None,
            )
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_worker()
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, targets: Iterable[Target]) -> None:
        """Know more targets, or the same with another address, port, user or key.

        The worker needs a third of a second to start: enter the fleet first, find out whom to
        call meanwhile, and keep it for everything a run does. A target may only change while
        nothing is asked of it.
        """
        with self._lock:
            for target in targets:
                if self._targets.get(target.name) != target:
                    self._targets[target.name] = target
                    self._told.discard(target.name)

    def submit(self, host: str, command: str, stdin: bytes, *, last: bool = False) -> None:
        """Ask `host` to run `command` with `stdin`; the reply comes from `replies()`.

        Jobs of one host run in order over one connection, which stays open until `finish(host)`,
        or closes after this job if it is the `last`. Raises KeyError for a host not in targets.
        """
        target = self._targets[host]
        digest = sha256(stdin).digest()
        with self._lock:
            self._jobs += 1
            job = self._jobs
            self._waiting[job] = (host, digest)
            lines = []
            if host not in self._told:
                self._told.add(host)
                lines.append(wire.line("target", **asdict(target)))
            if not self._blobs[digest]:
                lines.append(wire.line("blob", id=digest.hex(), data=wire.text(stdin)))
            self._blobs[digest] += 1
            lines.append(
                wire.line("run", job=job, host=host, command=command, blob=digest.hex(), last=last)
            )
            self._send(b"".join(lines))

    def finish(self, host: str) -> None:
        """Nothing more will be asked of `host`: close its connection once it has answered."""
        with self._lock:
            if host in self._told:
                self._send(wire.line("finish", host=host))

    def replies(self) -> Iterator[Reply]:
        """Every reply as it arrives, until each submitted job has one. More may be submitted."""
        while self._waiting:
            message = self._receive()
            if message is None:
                yield from self._orphans()
            elif message["kind"] == "state":
                if self._on_event is not None:
                    self._on_event(message["host"], message["state"])
            else:
                self._settle(message["job"])
                yield wire.reply(message)

    def _settle(self, job: int) -> None:
        with self._lock:
            _, digest = self._waiting.pop(job)
            self._blobs[digest] -= 1
            if not self._blobs[digest]:
                del self._blobs[digest]
                self._send(wire.line("drop", id=digest.hex()))

    def _orphans(self) -> Iterator[Reply]:
        with self._lock:
            orphans = [host for host, _ in self._waiting.values()]
            self._waiting.clear()
        for host in orphans:
            yield Reply(host, None, b"", b"", Trouble.WORKER, self._death)

    def _send(self, lines: bytes) -> None:
        if self._death:
            return
        stdin = self._worker.stdin
        assert stdin is not None
        view = memoryview(lines)
        try:
            while view:
                view = view[stdin.write(view) or 0 :]
        except OSError:
            self._mourn("it closed its input")

    def _receive(self) -> dict[str, Any] | None:
        """The next message, or None when the worker is gone."""
        while not self._lines:
            if self._death or not self._read_lines():
                return None
        message = json.loads(self._lines.popleft())
        assert isinstance(message, dict)
        return message

    def _read_lines(self) -> bool:
        """Wait for at least one whole line; False when the worker ended or fell silent."""
        assert self._worker.stdout is not None
        fd = self._worker.stdout.fileno()
        ready = select.poll()
        ready.register(fd, select.POLLIN)
        patience = self._limits.connect_s + self._limits.command_s + _GRACE_S
        while not self._lines:
            if not ready.poll(patience * 1000):
                self._mourn(f"it said nothing for {patience:.0f} s")
                return False
            part = os.read(fd, _READ)
            if not part:
                self._mourn("it ended")
                return False
            head, *more = part.split(b"\n")
            self._parts.append(head)
            if more:
                self._lines.append(b"".join(self._parts))
                self._lines.extend(more[:-1])
                self._parts = [more[-1]]
        return True

    def _mourn(self, how: str) -> None:
        """The worker is lost: note why, with the last words it wrote."""
        self._end_worker()
        log = self._folder / "worker.log"
        # a worker that was told to end by a signal has taken the folder with it
        words = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        last = words.strip().splitlines()[-1:] or [f"exit status {self._worker.returncode}"]
        self._death = f"{how} ({last[0]})"

    def _end_worker(self) -> None:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.close()
        try:
            self._worker.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()
        self._worker.stdout.close()
