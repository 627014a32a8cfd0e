"""Observe, judge, converge, prove, record: the whole of `kitsurvie deploy`, without its words."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kitsurvie import plan as planning
from kitsurvie.cli import observer, self_observation
from kitsurvie.cli.context import Context
from kitsurvie.cli.progress import Progress
from kitsurvie.cli.recording import looks
from kitsurvie.cli.survey import Look, Survey
from kitsurvie.cli.view import HostView, state_of
from kitsurvie.converge import Job, Play, State, Step, converge
from kitsurvie.errors import RunError
from kitsurvie.inventory import road, windows
from kitsurvie.ledger import Ledger, Outcome
from kitsurvie.model import Action, Host, Mode, Status
from kitsurvie.plan import Due
from kitsurvie.workspace import Workspace

# a guard that fired needs its delay, then a moment for the services it brings back
GUARD_GRACE_S = 30.0
GUARD_POLL_S = 5.0
DEFAULT_GUARD_DELAY_S = 120.0
# what the ledger calls a restart, among what Ansible did; and the task of playbooks/reboot.yml that
# leaves a machine to whoever works on it
REBOOT = "reboot"
REBOOT_TASK = "Restart the machine and wait until it is back"
SOMEBODY_TASK = "Leave the machine to whoever is logged in"
# how roles/observer is told what the machine may be asked
LIST_VARIABLE = "kitsurvie_commands"
DEFAULT_WAVE = 50
BUDGETED_WAVE = 10


@dataclass(frozen=True, slots=True)
class Options:
    """How far a deployment may go.

    `canaries` hosts go first; no new wave begins once `max_failures` hosts have failed (None: no
    limit). `urgent` is the reason given for going on outside the change windows. `reboot` restarts
    also those that are to be asked (True), none at all (False), or as `kit__reboot` has it (None).
    """

    full: bool = False
    canaries: int = 0
    max_failures: int | None = None
    urgent: str = ""
    reboot: bool | None = None


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
        # the keys that machines hand in with, as they were seen
        self.keys: dict[str, str] = {}
        self._old_list: dict[str, tuple[str, ...]] = {}
        self.views = {
            host.name: HostView(
                host,
                self.plan.items[host.name],
                waivers=context.statements.waivers.of(host.name),
            )
            for host in context.hosts
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
                    self._collect(view, look)
                    due = planning.due(
                        view.items, view.verdicts, look.stamps, full=self.options.full
                    )
                    view.due = self._with_list(view, look, due)
                    view.restart = self._restart_of(view, look)
                    if view.due or view.restarts:
                        self._hold(view)
                write(look.record(view.recorded, view.detail))

    def _collect(self, view: HostView, look: Look) -> None:
        if look.evidence is not None and self_observation.wanted(view.items):
            key = self_observation.key_of(look.evidence.answers)
            if key:
                self.keys[view.host.name] = key

    def due_hosts(self) -> list[HostView]:
        """Hosts that something is to be done on now."""
        return [
            view
            for view in self.views.values()
            if (view.ready or self._may_restart(view)) and view.state is Outcome.PENDING
        ]

    def _with_list(self, view: HostView, look: Look, due: tuple[Due, ...]) -> tuple[Due, ...]:
        """The same, and the measures whose list lacks what the checks ask by now."""
        already = {one.measure for one in due}
        old = [measure for measure in self._old_lists(view, look) if measure not in already]
        why = "the checks ask more than its list allows"
        return (*due, *(Due(view.host.name, measure, why) for measure in old))

    def _old_lists(self, view: HostView, look: Look) -> tuple[str, ...]:
        # what was asked for a few measures alone says nothing of the others' commands
        if not self.context.whole:
            return ()
        observed = any(i.measure == observer.MEASURE and i.mode is Mode.ENFORCE for i in view.items)
        found = {
            observer.MEASURE: look.listed if observed else None,
            self_observation.MEASURE: look.listed_own
            if self_observation.wanted(view.items)
            else None,
        }
        return tuple(
            measure
            for measure, digest in found.items()
            if digest is not None and self.survey.lists.old(view.host.name, digest)
        )

    def _lists(self, views: Iterable[HostView]) -> dict[str, dict[str, Any]]:
        """What the measures that keep a list are told on each of these hosts."""
        if not self.context.whole:
            return {}
        found: dict[str, dict[str, Any]] = {}
        for view in views:
            name = view.host.name
            ready = {one.measure for one in view.ready if one.action is Action.APPLY}
            own: dict[str, Any] = {}
            if observer.MEASURE in ready:
                own[LIST_VARIABLE] = list(self.survey.lists.of(name))
            if self_observation.MEASURE in ready:
                own |= self_observation.told(self.survey.lists.commands_of(name))
            if own:
                found[name] = own
        return found

    def _restart_of(self, view: HostView, look: Look) -> planning.Restart | None:
        return planning.restart(view.host, view.items, look.restart, self.options.reboot)

    def _may_restart(self, view: HostView) -> bool:
        return view.restarts and not self._restart_held(view)

    def _restart_held(self, view: HostView) -> str:
        if self.options.urgent:
            return ""
        return windows.shut(view.host.variables, datetime.now())

    def _hold(self, view: HostView) -> None:
        """Which of the due measures must wait now; a host none of whose may be applied is held."""
        # the syndicate's own clock: windows are written in local time
        now = datetime.now()
        view.held = {}
        if not self.options.urgent:
            whys = {d.measure: windows.shut(view.host.variables, now, d.measure) for d in view.due}
            view.held = {measure: why for measure, why in whys.items() if why}
        open_now = view.ready or self._may_restart(view)
        view.state = Outcome.PENDING if open_now else Outcome.HELD
        view.detail = view.left_for_later
        if not view.due and not open_now:
            view.detail = f"left for later: {self._restart_held(view)}"

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
            if changed := [view for view in views if view.ready]:
                self._apply(changed, number)
                self._prove(changed)
                self._renew_lists(changed, number)
            if self.trouble is None:
                self._restart(views, number)
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
            if view.ready or self._may_restart(view):
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
        job = job_of(self.context.workspace, views, folder, own=self._lists(views))
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
        view.restart = self._restart_of(view, look)
        failed = [p.measure for p in view.plays.values() if p.state in _NOT_APPLIED]
        if not look.trouble:
            self._collect(view, look)
            still = planning.due(view.items, view.verdicts, look.stamps)
            tried = {one.measure for one in view.ready}
            failed = list(
                dict.fromkeys([*failed, *(d.measure for d in still if d.measure in tried)])
            )
            view.state = Outcome.FAILED if failed else state_of(view.verdicts, ())
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
        self._old_list[view.host.name] = () if look.trouble else self._old_lists(view, look)
        self.ledger.record(self.run, [look.record(view.recorded, view.detail)])

    def _renew_lists(self, views: Sequence[HostView], number: int) -> None:
        """A machine that was changed may be asked more than before: tell its list so."""
        now = datetime.now()
        late: dict[str, list[str]] = {}
        for view in views:
            for measure in self._old_list.get(view.host.name, ()):
                shut = windows.shut(view.host.variables, now, measure)
                if view.state in _SETTLED and (self.options.urgent or not shut):
                    late.setdefault(measure, []).append(view.host.name)
        if not late or self.trouble is not None:
            return
        workspace = self.context.workspace
        why = "the checks ask more since this run's changes"
        chosen = [v for v in views if any(v.host.name in names for names in late.values())]
        stamps: dict[str, dict[str, str]] = {}
        waiting: dict[str, int] = {}
        for view in chosen:
            name = view.host.name
            mine = [measure for measure, names in late.items() if name in names]
            known = {one.measure for one in view.due}
            view.due = (*view.due, *(Due(name, m, why) for m in mine if m not in known))
            stamps[name] = {i.measure: i.stamp for i in view.items if i.measure in mine}
            waiting[name] = len(mine)
        job = _job(
            workspace, chosen, workspace.state / "runs" / str(self.run) / f"list-{number + 1}",
            late, stamps, own=self._lists(chosen),
        )  # fmt: skip
        try:
            with self.progress.phase("Deploy", len(chosen)):
                for play in converge(job, lock=self.lock, on_step=self._step):
                    self._played(play, waiting)
        except RunError as error:
            self.trouble = error
        self._prove(chosen)

    # -- restart ------------------------------------------------------------------------------

    def _restart(self, views: Iterable[HostView], number: int) -> None:
        """Restart those that ask for it and may be, and prove each; what failed is left alone."""
        asking = [v for v in views if v.restarts and v.state in (_PROVED if v.ready else _SEEN)]
        for view in asking:
            if held := self._restart_held(view):
                view.state, view.detail = Outcome.HELD, f"its restart is left for later: {held}"
                self._settle(view)
        asking = [view for view in asking if not self._restart_held(view)]
        if not asking:
            return
        for view in asking:
            # --resume takes what a power cut leaves here
            view.state, view.detail = Outcome.PENDING, "being restarted"
            self._settle(view)
        folder = self.context.workspace.state / "runs" / str(self.run) / f"restart-{number + 1}"
        names = [view.host.name for view in asking]
        stamps: dict[str, dict[str, str]] = {name: {} for name in names}
        job = _job(self.context.workspace, asking, folder, {REBOOT: names}, stamps, "reboot.yml")
        try:
            with self.progress.phase("Restart", len(asking)):
                for play in converge(job, lock=self.lock, on_step=self._step):
                    self._went_down(self.views[play.host], play)
        except RunError as error:
            self.trouble = error
        gone = {view.host.name for view in asking if view.restarted}
        if gone:
            with self.progress.phase("Prove", len(gone)):
                for look in self.survey.look(self.context.lay_out(gone).items):
                    self._came_back(self.views[look.host], look)

    def _went_down(self, view: HostView, play: Play) -> None:
        said = play.message or play.state.value
        self.ledger.set_outcome(self.run, view.host.name, REBOOT, play.state.value, play.message)
        self.progress.done(view.host.name, _status({REBOOT: play}))
        if play.state in {State.CHANGED, State.UNCHANGED}:
            view.restarted = True
        elif play.state is State.FAILED and play.task == SOMEBODY_TASK:
            view.state, view.detail = Outcome.HELD, f"its restart is left for later: {said}"
        elif play.task == REBOOT_TASK:
            view.restarted = True
            view.state, view.detail = Outcome.FAILED, f"did not come back from its restart: {said}"
        else:
            view.state, view.detail = Outcome.FAILED, f"could not be restarted: {said}"
        self._settle(view)

    def _came_back(self, view: HostView, look: Look) -> None:
        lost = view.detail if view.state is Outcome.FAILED else ""
        view.take(look)
        view.restart = self._restart_of(view, look)
        if look.trouble:
            view.state = Outcome.FAILED
            view.detail = lost or f"could not be seen again after its restart: {look.trouble}"
        else:
            still = planning.due(view.items, view.verdicts, look.stamps)
            lost = ", ".join(one.measure for one in still if one.measure not in view.held)
            if lost:
                view.state = Outcome.FAILED
                view.detail = f"not in place after its restart: {lost}"
            elif view.held:
                view.state, view.detail = Outcome.HELD, view.left_for_later
        self.ledger.record(self.run, [look.record(view.recorded, view.detail)])


_SETTLED = frozenset({Outcome.DONE, Outcome.DRIFT, Outcome.HELD})
_PROVED = frozenset({Outcome.DONE, Outcome.DRIFT})
# a host on which nothing was due waits for its restart alone
_SEEN = frozenset({*_PROVED, Outcome.PENDING})
_LOST = frozenset({Outcome.FAILED, Outcome.UNREACHABLE, Outcome.ERROR})
_NOT_APPLIED = frozenset({State.FAILED, State.UNREACHABLE, State.NOT_REACHED})


def _proved_well(view: HostView) -> bool:
    """Whether what was applied is in place, though other work, or its restart, has to wait."""
    waits = bool(view.plays) or (view.restarts and not view.due)
    return view.state in _PROVED or (view.state is Outcome.HELD and waits)


def _touched(view: HostView) -> bool:
    """Whether Ansible did anything there; a host that had gone before it began never counts."""
    began = {State.CHANGED, State.UNCHANGED, State.FAILED}
    return view.restarted or any(
        play.state in began or play.changes for play in view.plays.values()
    )


def _status(plays: Mapping[str, Play]) -> Status:
    bad = any(play.state in _NOT_APPLIED for play in plays.values())
    return Status.ERROR if bad else Status.COMPLIANT


def job_of(
    workspace: Workspace,
    views: Iterable[HostView],
    folder: Path,
    *,
    check: bool = False,
    own: Mapping[str, Mapping[str, Any]] | None = None,
) -> Job:
    """The Ansible run that applies what is due on these hosts and has not to wait."""
    due: dict[str, list[str]] = {}
    absent: dict[str, list[str]] = {}
    stamps: dict[str, dict[str, str]] = {}
    chosen = list(views)
    for view in chosen:
        digests = {item.measure: item.stamp for item in view.items}
        for one in view.ready:
            told = stamps.setdefault(view.host.name, {})
            if one.action is Action.APPLY:
                due.setdefault(one.measure, []).append(view.host.name)
                told[one.measure] = digests[one.measure]
            else:
                absent.setdefault(one.measure, []).append(view.host.name)
    return _job(workspace, chosen, folder, due, stamps, absent=absent, check=check, own=own or {})


def _job(
    workspace: Workspace,
    chosen: Sequence[HostView],
    folder: Path,
    due: Mapping[str, Sequence[str]],
    stamps: Mapping[str, Mapping[str, str]],
    playbook: str = "kit.yml",
    **more: Any,
) -> Job:
    return Job(
        due=due,
        stamps=stamps,
        roads={v.host.name: _road(v.host, workspace) for v in chosen},
        inventory=workspace.inventory,
        playbook=workspace.playbooks / playbook,
        roles=workspace.roles,
        folder=folder,
        forks=min(len(chosen), workspace.parallel) or 1,
        connect_timeout_s=workspace.connect_timeout_s,
        **more,
    )


def _road(host: Host, workspace: Workspace) -> list[str]:
    """The words of ssh: to where this run means the host to be, wherever the inventory has it."""
    return [*road.options(host, workspace.known_hosts), "-o", f"HostName={host.address}"]


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
