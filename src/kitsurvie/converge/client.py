"""Start Ansible in its own process and follow what it does, host by host."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

from kitsurvie.converge.overlay import write_overlay
from kitsurvie.errors import RunError
from kitsurvie.workspace import make_private


class State(StrEnum):
    """What became of one measure on one host, in Ansible's words."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NOT_REACHED = "not_reached"


# done, some hosts failed, some unreachable, both: with any other status it did not run through
ANSIBLE_ENDED = frozenset({0, 2, 4, 6})


@dataclass(frozen=True, slots=True)
class Job:
    """One Ansible run. Paths are absolute.

    `due` maps each measure, in the order of the kit, to the hosts it is due on; `absent` maps each
    that is to be taken away to its hosts: this goes first, so that what is applied has the last
    word. `stamps` maps a host, any host of the job, to the digests to leave there, `roads` to the
    words of ssh that pin its key. `playbook` lies beside `absent.yml`. `folder` is private to this
    job and keeps Ansible's log. `variables` are given to every host, `own` to one.
    """

    due: Mapping[str, Sequence[str]]
    stamps: Mapping[str, Mapping[str, str]]
    roads: Mapping[str, Sequence[str]]
    inventory: Path
    playbook: Path
    roles: Sequence[Path]
    folder: Path
    forks: int
    connect_timeout_s: float
    check: bool = False
    absent: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """Ansible's own output, for whoever must look deeper."""
        return self.folder / "ansible.log"


@dataclass(frozen=True, slots=True)
class Step:
    """Something Ansible is doing now: for progress only."""

    host: str
    measure: str
    task: str


@dataclass(frozen=True, slots=True)
class Play:
    """One measure is over on one host: its state and, when it failed, the task and why."""

    host: str
    measure: str
    state: State
    task: str = ""
    message: str = ""
    changes: tuple[str, ...] = ()


def converge(
    job: Job, *, lock: int | None = None, on_step: Callable[[Step], None] | None = None
) -> Iterator[Play]:
    """Run Ansible; gives each host's outcome for each measure as soon as it is known.

    `lock` is the file descriptor of the run's lock, which the process inherits. A host that
    failed is not taken further: its later measures are NOT_REACHED. Raises RunError, after the last
    outcome, when Ansible could not start or did not run through.

    Ansible gives up a whole playbook when every host of one play has failed, be they one host in
    fifty: what it left of the other hosts is taken up again.
    """
    failed: set[str] = set()
    left: list[Play] = []
    for number in count(1):
        before = len(failed)
        left = []
        try:
            for play in _once(job, lock, on_step):
                if play.state is State.NOT_REACHED and play.host not in failed:
                    left.append(play)
                    continue
                if play.state in {State.FAILED, State.UNREACHABLE}:
                    failed.add(play.host)
                yield play
        except RunError:
            yield from left
            raise
        if not left or len(failed) == before:
            break
        again = {(play.host, play.measure) for play in left}
        job = replace(
            job,
            due=_only(job.due, again),
            absent=_only(job.absent, again),
            folder=job.folder / f"again-{number}",
        )
    yield from left


def _only(
    asked: Mapping[str, Sequence[str]], which: Container[tuple[str, str]]
) -> dict[str, list[str]]:
    kept = {m: [host for host in hosts if (host, m) in which] for m, hosts in asked.items()}
    return {measure: hosts for measure, hosts in kept.items() if hosts}


def _once(job: Job, lock: int | None, on_step: Callable[[Step], None] | None) -> Iterator[Play]:
    """One run of Ansible, every outcome told; raises RunError at its end when it broke."""
    make_private(job.folder)
    overlay = job.folder / "due.json"
    write_overlay(overlay, job.due, job.stamps, job.roads, job.absent, job.variables, job.own)
    process = _start(job, overlay, lock)
    follower = _Follower(job.due, job.absent)
    fatal = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["kind"] == "fatal":
                fatal = event["message"]
                continue
            step, over = follower.take(event)
            if step is not None and on_step is not None:
                on_step(step)
            yield from over
        status = process.wait()
        yield from follower.rest()
        if fatal or status not in ANSIBLE_ENDED:
            raise RunError(
                f"Ansible did not run through: {fatal or f'it ended with status {status}'}.",
                where=f"{job.log} and {job.folder / 'process.log'}",
                remedy="Read them; then go on with: kitsurvie deploy --resume",
            )
    finally:
        _stop(process)


def _start(job: Job, overlay: Path, lock: int | None) -> subprocess.Popen[str]:
    apart = {"due", "absent", "stamps", "roads", "playbook", "variables", "own"}
    described = {name: value for name, value in asdict(job).items() if name not in apart}
    errors = (job.folder / "process.log").open("wb")
    process = subprocess.Popen(
        # -P: nothing is imported from the folder the command was typed in
        [sys.executable, "-P", "-m", "kitsurvie.converge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        # a session of its own: a closed terminal or a killed command line does not cut Ansible
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )
    errors.close()
    assert process.stdin is not None
    json.dump(
        {
            **described,
            "playbook": _playbook(job),
            "overlay": str(overlay),
            "log": str(job.log),
        },
        process.stdin,
        default=str,
    )
    process.stdin.close()
    return process


def _playbook(job: Job) -> Path:
    """The playbook of the job; of both, when something is taken away and something applied."""
    undoing = job.playbook.with_name("absent.yml")
    if not job.absent:
        return job.playbook
    if not job.due:
        return undoing
    both = job.folder / "both.yml"
    plays = [{"import_playbook": str(path)} for path in (undoing, job.playbook)]
    both.write_text(json.dumps(plays, indent=1), encoding="utf-8")
    return both


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask a process that is still at work to stop Ansible, and wait for it."""
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Follower:
    """Turns Ansible's events into outcomes.

    Success is the stamp, written or removed: it is the last thing a play does on a host. Failure is
    known when the play is over, since a failed task may be rescued, and the last one to fail says
    it best.
    """

    def __init__(self, *asked: Mapping[str, Sequence[str]]) -> None:
        self._open = {
            (h, measure) for one in asked for measure, hosts in one.items() for h in hosts
        }
        self._current: str | None = None
        self._changes: dict[tuple[str, str], list[str]] = {}
        self._failures: dict[tuple[str, str], tuple[State, str, str]] = {}

    def take(self, event: Mapping[str, str]) -> tuple[Step | None, list[Play]]:
        kind, measure = event["kind"], event.get("measure", "")
        if kind == "play":
            before, self._current = self._current, measure
            return None, self._close(before) if before and before != measure else []
        host, task = event.get("host", ""), event.get("task", "")
        key = (host, measure)
        if kind == "begin":
            return Step(host, measure, task), []
        if kind == "changed":
            self._changes.setdefault(key, []).append(task)
        elif kind in {"failed", "unreachable"}:
            state = State.FAILED if kind == "failed" else State.UNREACHABLE
            self._failures[key] = (state, task, event.get("message", ""))
        elif kind == "stamped" and key in self._open:
            self._open.discard(key)
            changes = self._made(key)
            return None, [
                Play(*key, State.CHANGED if changes else State.UNCHANGED, changes=changes)
            ]
        return None, []

    def rest(self) -> list[Play]:
        """What is left once Ansible has ended: nothing is taken for done without its stamp."""
        over = self._close(self._current) if self._current else []
        return over + [
            Play(host, measure, State.NOT_REACHED) for host, measure in sorted(self._open)
        ]

    def _close(self, measure: str) -> list[Play]:
        over = []
        for key in sorted(key for key in self._open if key[1] == measure):
            if key not in self._failures:
                continue
            self._open.discard(key)
            state, task, message = self._failures[key]
            over.append(Play(*key, state, task, message, self._made(key)))
        return over

    def _made(self, key: tuple[str, str]) -> tuple[str, ...]:
        return tuple(self._changes.get(key, ()))
