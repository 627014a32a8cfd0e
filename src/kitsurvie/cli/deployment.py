"""Observe, judge, converge, prove, record: the whole of `kitsurvie deploy`, without its words."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kitsurvie import plan as planning
from kitsurvie.cli.context import Context
from kitsurvie.cli.progress import Progress
from kitsurvie.cli.recording import looks
from kitsurvie.cli.survey import Look, Survey
from kitsurvie.cli.view import HostView, state_of
from kitsurvie.converge import Job, Play, State, Step, converge
from kitsurvie.errors import RunError
from kitsurvie.inventory import road, windows
from kitsurvie.ledger import Ledger, Outcome
from kitsurvie.model import Status
from kitsurvie.plan import Due
from kitsurvie.workspace import Workspace

# a guard that fired needs its delay, then a moment for the services it brings back
GUARD_GRACE_S = 30.0
GUARD_POLL_S = 5.0
DEFAULT_GUARD_DELAY_S = 120.0
DEFAULT_WAVE = 50
BUDGETED_WAVE = 10


@dataclass(frozen=True, slots=True)
class Options:
    """How far a deployment may go.

    `canaries` hosts go first; no new wave begins once `max_failures` hosts have failed (None: no
    limit). `urgent` is the reason given for going on outside the change windows.
    """

    full: bool = False
    canaries: int = 0
    max_failures: int | None = None
    urgent: str = ""


class Deployment:
    """One deployment. What becomes known of a host is in the ledger before the next step."""

    def __init__(
        self,
        context: Context,
        ledger: Ledger,
        survey: Survey,
        progress: Progress,
        options: Options,
        run: int,
        lock: int,
    ) -> None:
        self.context = context
        self.ledger = ledger
        self.survey = survey
        self.progress = progress
        self.options = options
        self.run = run
        self.lock = lock
        self.plan = context.lay_out()
        self.notes: list[str] = []
        # set when Ansible itself broke: the report comes first, then this
        self.trouble: RunError | None = None
        self.views = {
            host.name: HostView(host, self.plan.items[host.name]) for host in context.hosts
        }

    # -- observe ------------------------------------------------------------------------------

    def observe(self) -> None:
        """See every host, and decide what is due on each."""
        with (
            self.progress.phase("Observe", len(self.views)),
            looks(self.ledger, self.run) as write,
        ):
            for look in self.survey.look(self.plan.items):
                view = self.views[look.host]
                view.take(look)
                if not look.trouble:
                    view.due = planning.due(
                        view.items, look.verdicts, look.stamps, full=self.options.full
                    )
                    if view.due:
                        self._hold(view)
                write(look.record(view.state, view.detail))

    def due_hosts(self) -> list[HostView]:
        """Hosts that something is to be done on now."""
        return [
            view for view in self.views.values() if view.ready and view.state is Outcome.PENDING
        ]

    def _hold(self, view: HostView) -> None:
        """Which of the due measures must wait now; a host none of whose may be applied is held."""
        # the syndicate's own clock: windows are written in local time
        now = datetime.now()
        view.held = {}
        if not self.options.urgent:
            whys = {d.measure: windows.shut(view.host.variables, now, d.measure) for d in view.due}
            view.held = {measure: why for measure, why in whys.items() if why}
        view.state = Outcome.PENDING if view.ready else Outcome.HELD
        view.detail = view.left_for_later

    def _settle(self, view: HostView) -> None:
        self.ledger.set_hosts(self.run, [view.host.name], view.state, view.detail)

    # -- converge and prove -------------------------------------------------------------------

    def converge(self) -> None:
        """Apply what is due, wave by wave, and prove each wave before the next."""
        due = {view.host.name: view for view in self.due_hosts()}
        size = DEFAULT_WAVE if self.options.max_failures is None else BUDGETED_WAVE
        laid = planning.waves(
            [view.host for view in due.values()],
            canaries=self.options.canaries,
            size=min(size, self.context.workspace.parallel),
            per_site=self.context.workspace.parallel_per_site,
            releases={name: view.release for name, view in due.items()},
        )
        canaries = set([name for wave in laid for name in wave][: self.options.canaries])
        for number, wave in enumerate(laid):
            views = self._still_open(due[name] for name in wave)
            if views:
                self._apply(views, number)
                self._prove(views)
            stop = self._stop_after([name for name in wave if name in canaries])
            if stop and number + 1 < len(laid):
                left = [name for later in laid[number + 1 :] for name in later]
                self.notes.append(f"{stop} Not begun: {', '.join(left)}.")
                self.ledger.set_hosts(self.run, left, Outcome.PENDING, stop)
                for name in left:
                    self.views[name].detail = stop
                return

    def _still_open(self, views: Iterable[HostView]) -> list[HostView]:
        """Those on which something may still be changed since they were looked at."""
        still = []
        for view in views:
            self._hold(view)
            if view.ready:
                still.append(view)
            else:
                self._settle(view)
        return still

    def _stop_after(self, canaries: Sequence[str]) -> str:
        """Why no other wave may begin after one with these canaries in it; empty when it may."""
        if self.trouble is not None:
            return "Stopped: Ansible did not run through."
        # drift is what is only observed: what was enforced and is not in place has failed
        bad = [name for name in canaries if not _proved_well(self.views[name])]
        if bad:
            return f"Stopped after the canaries: {', '.join(bad)} not proved compliant."
        # a host that this run touched and that no longer answers is the worst of failures
        failed = [v for v in self.views.values() if _touched(v) and v.state in _LOST]
        limit = self.options.max_failures
        if limit is not None and len(failed) >= limit:
            return f"Stopped: {len(failed)} hosts failed, the limit given is {limit}."
        return ""

    def _apply(self, views: Sequence[HostView], number: int) -> None:
        folder = self.context.workspace.state / "runs" / str(self.run) / f"wave-{number + 1}"
        job = job_of(self.context.workspace, views, folder)
        waiting = {view.host.name: len(view.ready) for view in views}
        try:
            with self.progress.phase("Deploy", len(views)):
                for play in converge(job, lock=self.lock, on_step=self._step):
                    self._played(play, waiting)
        except RunError as error:
            self.trouble = error

    def _step(self, step: Step) -> None:
        self.progress.host(step.host, f"{step.measure}: {step.task}")

    def _played(self, play: Play, waiting: dict[str, int]) -> None:
        view = self.views[play.host]
        view.plays[play.measure] = play
        detail = f"{play.task}: {play.message}" if play.message else ""
        self.ledger.set_outcome(self.run, play.host, play.measure, play.state.value, detail)
        waiting[play.host] -= 1
        if not waiting[play.host]:
            self.progress.done(play.host, _status(view.plays))

    def _prove(self, views: Sequence[HostView]) -> None:
        """See the hosts again; a guarded measure that failed is given time to be put back."""
        waiting = {view.host.name: self._guard_delay(view) for view in views}
        begun = time.monotonic()
        while waiting:
            with self.progress.phase("Prove", len(waiting)):
                looks = list(self.survey.look(self.context.lay_out(waiting).items))
            for look in looks:
                over = time.monotonic() - begun >= waiting[look.host]
                if look.trouble and not over:
                    continue
                del waiting[look.host]
                self._proved(self.views[look.host], look)
            if waiting:
                time.sleep(GUARD_POLL_S)

    def _guard_delay(self, view: HostView) -> float:
        """Seconds to wait for this host's guard: 0 unless a guarded measure may have failed there.

        A play that was not reached armed nothing, unless Ansible itself broke in the middle of it.
        """
        armed = any(
            self.context.measures[play.measure].lockout_risk
            and (
                play.state is State.FAILED
                or (play.state is State.UNREACHABLE and play.changes)
                or (play.state is State.NOT_REACHED and self.trouble is not None)
            )
            for play in view.plays.values()
        )
        if not armed:
            return 0.0
        delay = view.host.variables.get("kit__guard_delay_s", DEFAULT_GUARD_DELAY_S)
        return float(delay) + GUARD_GRACE_S

    def _proved(self, view: HostView, look: Look) -> None:
        view.take(look)
        failed = [p.measure for p in view.plays.values() if p.state in _NOT_APPLIED]
        if not look.trouble:
            still = planning.due(view.items, look.verdicts, look.stamps)
            tried = {one.measure for one in view.ready}
            failed = list(
                dict.fromkeys([*failed, *(d.measure for d in still if d.measure in tried)])
            )
            view.state = Outcome.FAILED if failed else state_of(look.verdicts, ())
            came = [d.measure for d in still if d.measure not in tried | view.held.keys()]
            view.held = {d.measure: view.held[d.measure] for d in still if d.measure in view.held}
            if came and not failed:
                # --resume takes it: it is work that this run had no time to see
                view.state = Outcome.PENDING
                view.detail = f"due since this run looked: {', '.join(came)}"
            elif view.held and not failed:
                view.state, view.detail = Outcome.HELD, view.left_for_later
        if failed:
            said = f"not in place: {', '.join(failed)}"
            view.detail = f"{view.detail} {said}".strip() if look.trouble else said
        self.ledger.record(self.run, [look.record(view.state, view.detail)])


_PROVED = frozenset({Outcome.DONE, Outcome.DRIFT})
_LOST = frozenset({Outcome.FAILED, Outcome.UNREACHABLE, Outcome.ERROR})
_NOT_APPLIED = frozenset({State.FAILED, State.UNREACHABLE, State.NOT_REACHED})


def _proved_well(view: HostView) -> bool:
    """Whether what was applied is in place, though other measures of the host have to wait."""
    return view.state in _PROVED or (view.state is Outcome.HELD and bool(view.plays))


def _touched(view: HostView) -> bool:
    """Whether Ansible did anything there; a host that had gone before it began never counts."""
    began = {State.CHANGED, State.UNCHANGED, State.FAILED}
    return any(play.state in began or play.changes for play in view.plays.values())


def _status(plays: Mapping[str, Play]) -> Status:
    bad = any(play.state in _NOT_APPLIED for play in plays.values())
    return Status.ERROR if bad else Status.COMPLIANT


def job_of(
    workspace: Workspace, views: Iterable[HostView], folder: Path, *, check: bool = False
) -> Job:
    """The Ansible run that applies what is due on these hosts and has not to wait."""
    due: dict[str, list[str]] = {}
    stamps: dict[str, dict[str, str]] = {}
    chosen = list(views)
    for view in chosen:
        digests = {item.measure: item.stamp for item in view.items}
        for one in view.ready:
            due.setdefault(one.measure, []).append(view.host.name)
            stamps.setdefault(view.host.name, {})[one.measure] = digests[one.measure]
    return Job(
        due=due,
        stamps=stamps,
        roads={v.host.name: road.options(v.host, workspace.known_hosts) for v in chosen},
        inventory=workspace.inventory,
        playbook=workspace.playbooks / "kit.yml",
        roles=workspace.roles,
        folder=folder,
        forks=min(len(chosen), workspace.parallel) or 1,
        connect_timeout_s=workspace.connect_timeout_s,
        check=check,
    )


def preview(workspace: Workspace, views: Iterable[HostView]) -> str:
    """What Ansible's check mode says it would change on these hosts: never a verdict."""
    with tempfile.TemporaryDirectory(prefix="kitsurvie-preview-") as folder:
        job = job_of(workspace, views, Path(folder) / "preview", check=True)
        for _ in converge(job):
            pass
        return job.log.read_text(encoding="utf-8") if job.log.exists() else ""


def what_is_due(views: Iterable[HostView]) -> list[Due]:
    """Everything to apply now, in the order of hosts."""
    return [one for view in views for one in view.ready]
