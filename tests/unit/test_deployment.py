"""What a deployment does with what it learns, Ansible and the road replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kitsurvie import workspace
from kitsurvie.cli import deployment, view
from kitsurvie.cli.context import Context
from kitsurvie.cli.deploy import left_undone
from kitsurvie.cli.deployment import REBOOT, Deployment, Options
from kitsurvie.cli.progress import Progress
from kitsurvie.cli.survey import Look
from kitsurvie.converge import Job, Play, State
from kitsurvie.errors import ExitCode, RunError
from kitsurvie.inventory import Statements
from kitsurvie.inventory.waivers import Waivers
from kitsurvie.ledger import Ledger, Outcome
from kitsurvie.model import (
    Host,
    Inventory,
    Item,
    Measure,
    Mode,
    Profile,
    Status,
    Step,
    Text,
    Verdict,
    Waiver,
)
from kitsurvie.plan import Plan


class Field:
    """The hosts as they are: which measures drift there, who is away, what Ansible will do."""

    def __init__(self) -> None:
        self.drifting: dict[str, set[str]] = {}
        self.stamped: dict[str, set[str]] = {}
        self.away: set[str] = set()
        self.outcomes: dict[str, State] = {}
        self.lost_by_ansible: set[str] = set()
        self.waves: list[list[str]] = []
        self.breaks = False
        # hosts where the second measure begins to drift while the first is applied
        self.came_due: set[str] = set()
        # who asks for a restart there; where somebody is logged in; what does not come back
        self.asking: dict[str, dict[str, float]] = {}
        self.busy: set[str] = set()
        self.lost_by_restart: set[str] = set()
        self.restarted: list[str] = []
        self.undone: list[str] = []
        self.breaks_at_start: set[str] = set()

    def look(self, plan: Mapping[str, tuple[Item, ...]]) -> Iterator[Look]:
        for name, items in plan.items():
            if name in self.away:
                yield Look(name, 1.0, Status.UNREACHABLE, trouble=f"{name} cannot be reached")
                continue
            verdicts = tuple(
                Verdict(
                    item.measure,
                    "test_it",
                    Status.DRIFT
                    if item.measure in self.drifting.get(name, ())
                    else Status.COMPLIANT,
                )
                for item in items
            )
            stamps = dict.fromkeys(self.stamped.get(name, ()), "stamp")
            wanted = self.asking.get(name, {})
            yield Look(name, 1.0, Status.COMPLIANT, verdicts, None, stamps, restart=wanted)

    def restart(self, names: Iterable[str]) -> Iterator[Play]:
        for name in names:
            if name in self.busy:
                who = "logged in there: admin2"
                yield Play(name, REBOOT, State.FAILED, deployment.SOMEBODY_TASK, who)
                continue
            self.restarted.append(name)
            if name in self.lost_by_restart:
                self.away.add(name)
                late = "Timed out waiting for last boot time check (timeout=600)"
                yield Play(name, REBOOT, State.FAILED, deployment.REBOOT_TASK, late)
                continue
            del self.asking[name]
            if name in self.breaks_at_start:
                self.drifting[name] = {"firewall"}
            yield Play(name, REBOOT, State.UNCHANGED)

    def converge(self, job: Job, **_: Any) -> Iterator[Play]:
        if REBOOT in job.due:
            yield from self.restart(job.due[REBOOT])
            return
        for measure, hosts in job.absent.items():
            for name in hosts:
                self.undone.append(f"{name}/{measure}")
                if self.outcomes.get(name, State.CHANGED) is State.CHANGED:
                    self.stamped[name].discard(measure)
                yield Play(name, measure, self.outcomes.get(name, State.CHANGED))
        self.waves.append(sorted({name for hosts in job.due.values() for name in hosts}))
        for measure, hosts in job.due.items():
            for name in hosts:
                state = self.outcomes.get(name, State.CHANGED)
                if state is State.CHANGED:
                    self.drifting.get(name, set()).discard(measure)
                    self.stamped.setdefault(name, set()).add(measure)
                if name in self.lost_by_ansible:
                    self.away.add(name)
                if name in self.came_due:
                    self.drifting[name] = {"updates"}
                yield Play(name, measure, state)
        if self.breaks:
            raise RunError("Ansible did not run through.", remedy="Read the log.")


@pytest.fixture
def field(monkeypatch: pytest.MonkeyPatch) -> Field:
    there = Field()
    monkeypatch.setattr(deployment, "converge", there.converge)
    monkeypatch.setattr(deployment, "GUARD_POLL_S", 0.0)
    monkeypatch.setattr(deployment, "GUARD_GRACE_S", 0.0)
    return there


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(tmp_path: Path, field: Field) -> Deploy:
    """Deploy one enforced and one observed measure to hosts: `deploy("a", "b", canaries=1)`."""
    (tmp_path / "kitsurvie.toml").write_text("")
    place = workspace.load(tmp_path)
    ledger = Ledger.open(place.ledger_url)
    text = Text("fr", "en")
    measures = {
        name: Measure(
            name, Step.SECURE, text, text, text, text, text, text, frozenset(Profile), (), risk,
            False, True, tmp_path, {},
        )
        for name, risk in (("firewall", True), ("updates", False))
    }  # fmt: skip

    modes: dict[str, Mode] = {}

    class World(Context):
        def lay_out(self, names: Any = None) -> Plan:
            wanted = [h.name for h in self.hosts if names is None or h.name in names]
            return Plan(
                {
                    name: tuple(
                        Item(name, m, mode, {}, "stamp", undo=True) for m, mode in modes.items()
                    )
                    for name in wanted
                }
            )

    def run(
        *names: str,
        enforced: tuple[str, ...] = ("firewall",),
        off: tuple[str, ...] = (),
        **options: Any,
    ) -> Deployment:
        modes.update({m: Mode.ENFORCE if m in enforced else Mode.OBSERVE for m in measures})
        modes.update(dict.fromkeys(off, Mode.OFF))
        for name in names:
            # nothing but the first measure is due before the run
            field.stamped.setdefault(name, set()).add("updates")
        variables = {"kit__guard_delay_s": 0, **options.pop("variables", {})}
        statements = Statements(Waivers(options.pop("waivers", ())))
        hosts = tuple(
            Host(
                name, "198.18.0.1", 22, "a", None, "1", None, "50002", Profile.SERVER, (), variables
            )
            for name in names
        )
        inventory = Inventory({h.name: h for h in hosts}, {}, {}, "")
        world = World(place, inventory, measures, hosts, statements)
        number = ledger.start_run("deploy", "x", {}, names)
        made = Deployment(
            world, ledger, field, Progress(), Options(**options), number, -1,  # type: ignore[arg-type]
        )  # fmt: skip
        made.observe()
        made.converge()
        return made

    return run


def states(made: Deployment) -> dict[str, str]:
    written = made.ledger.hosts(made.run)
    assert {n: s for n, (s, _) in written.items()} == {n: v.state for n, v in made.views.items()}
    return {name: one.state.value for name, one in made.views.items()}


def code(made: Deployment) -> ExitCode:
    hosts = tuple(made.views.values())
    return view.exit_code(view.RunView(1, "deploy", 0, 0, "", hosts, made.context.inventory))


def test_what_is_due_is_applied_and_proved(deploy: Deploy, field: Field) -> None:
    made = deploy("a", "b")
    assert (states(made), code(made)) == ({"a": "done", "b": "done"}, ExitCode.COMPLIANT)
    assert field.waves == [["a", "b"]]


def test_a_measure_that_still_drifts_has_failed_whatever_ansible_said(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    field.drifting["a"] = {"firewall"}

    def says_changed(job: Job, **_: Any) -> Iterator[Play]:
        yield from (Play(n, m, State.CHANGED) for m, hosts in job.due.items() for n in hosts)

    monkeypatch.setattr(deployment, "converge", says_changed)
    made = deploy("a")
    assert (states(made), code(made)) == ({"a": "failed"}, ExitCode.DRIFT)
    assert made.views["a"].detail == "not in place: firewall"


def test_the_budget_stops_before_the_next_wave_and_names_who_was_not_begun(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "BUDGETED_WAVE", 1)
    field.outcomes = {"b": State.FAILED}
    made = deploy("a", "b", "c", "d", max_failures=1)
    assert field.waves == [["a"], ["b"]]
    assert states(made) == {"a": "done", "b": "failed", "c": "pending", "d": "pending"}
    assert "Not begun: c, d" in made.notes[0]


def test_a_host_that_this_run_cut_off_counts_against_the_budget(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "BUDGETED_WAVE", 1)
    field.lost_by_ansible = {"a"}
    made = deploy("a", "b", max_failures=1)
    assert field.waves == [["a"]]
    assert (states(made), code(made)) == ({"a": "unreachable", "b": "pending"}, ExitCode.HOSTS)


def test_a_host_away_before_the_run_never_stops_it(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "BUDGETED_WAVE", 1)
    field.away = {"a"}
    made = deploy("a", "b", "c", max_failures=1)
    assert states(made) == {"a": "unreachable", "b": "done", "c": "done"}


def test_canaries_that_prove_well_let_the_rest_go_though_something_observed_drifts(
    deploy: Deploy, field: Field
) -> None:
    field.drifting = {"a": {"updates"}}
    made = deploy("a", "b", "c", canaries=1)
    assert field.waves == [["a"], ["b", "c"]]
    assert (states(made)["a"], made.notes) == ("drift", [])


def test_canaries_that_fail_keep_the_rest_from_being_begun(deploy: Deploy, field: Field) -> None:
    field.outcomes = {"a": State.FAILED}
    made = deploy("a", "b", "c", canaries=1)
    assert field.waves == [["a"]]
    assert states(made) == {"a": "failed", "b": "pending", "c": "pending"}


def test_a_window_that_closes_between_two_waves_holds_the_rest(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "BUDGETED_WAVE", 1)
    shut = iter(["", "", "", *["closed"] * 3])
    monkeypatch.setattr(deployment.windows, "shut", lambda *_: next(shut))
    made = deploy("a", "b", max_failures=9)
    assert field.waves == [["a"]]
    assert states(made) == {"a": "done", "b": "held"}


ALWAYS_SHUT = [{"from": "2000-01-01", "until": "2999-12-31", "reason": "elections"}]


def test_a_measure_outside_its_own_windows_is_held_and_the_others_are_applied(
    deploy: Deploy, field: Field
) -> None:
    field.drifting = {"a": {"updates"}}
    frozen = {"updates__freezes": ALWAYS_SHUT}
    made = deploy("a", enforced=("firewall", "updates"), variables=frozen)
    assert field.waves == [["a"]]
    assert list(made.views["a"].plays) == ["firewall"]
    assert (states(made), code(made)) == ({"a": "held"}, ExitCode.DRIFT)
    assert made.views["a"].held == {"updates": "frozen until 2999-12-31 (elections)"}
    said = "left for later: updates: frozen until 2999-12-31 (elections)"
    assert made.ledger.hosts(made.run)["a"] == (Outcome.HELD, said)


def test_a_held_measure_never_hides_that_another_failed(deploy: Deploy, field: Field) -> None:
    field.drifting = {"a": {"updates"}}
    field.outcomes = {"a": State.FAILED}
    frozen = {"updates__freezes": ALWAYS_SHUT}
    made = deploy("a", enforced=("firewall", "updates"), variables=frozen)
    assert states(made) == {"a": "failed"}
    assert made.views["a"].detail == "not in place: firewall"


def test_a_measure_may_be_exempt_from_what_holds_all_the_others(
    deploy: Deploy, field: Field
) -> None:
    field.drifting = {"a": {"updates"}}
    frozen = {"kit__freezes": ALWAYS_SHUT, "updates__freezes": []}
    made = deploy("a", enforced=("firewall", "updates"), variables=frozen)
    assert list(made.views["a"].plays) == ["updates"]
    assert (states(made), list(made.views["a"].held)) == ({"a": "held"}, ["firewall"])


def test_an_urgency_goes_on_outside_every_window(deploy: Deploy, field: Field) -> None:
    made = deploy("a", variables={"firewall__freezes": ALWAYS_SHUT}, urgent="an attack")
    assert (states(made), field.waves) == ({"a": "done"}, [["a"]])


def test_a_canary_that_proved_what_was_not_held_lets_the_rest_go(
    deploy: Deploy, field: Field
) -> None:
    field.drifting = {"a": {"updates"}}
    frozen = {"updates__freezes": ALWAYS_SHUT}
    made = deploy("a", "b", canaries=1, enforced=("firewall", "updates"), variables=frozen)
    assert field.waves == [["a"], ["b"]]
    assert states(made) == {"a": "held", "b": "done"}


def test_when_ansible_itself_breaks_the_wave_is_proved_and_no_other_begun(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "BUDGETED_WAVE", 1)
    field.breaks = True
    made = deploy("a", "b", max_failures=9)
    assert states(made) == {"a": "done", "b": "pending"}
    assert made.trouble is not None


def test_a_canary_whose_window_closed_proves_nothing_and_the_rest_is_not_begun(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = iter(["", "", "", "closed"])
    monkeypatch.setattr(deployment.windows, "shut", lambda *_: next(shut))
    made = deploy("a", "b", "c", canaries=1)
    assert field.waves == []
    assert states(made) == {"a": "held", "b": "pending", "c": "pending"}
    assert "a not proved" in made.notes[0]


def test_what_came_due_meanwhile_is_left_for_resume_and_no_canary_proves_it(
    deploy: Deploy, field: Field
) -> None:
    field.came_due = {"a"}
    made = deploy("a", "b", canaries=1, enforced=("firewall", "updates"))
    assert field.waves == [["a"]]
    assert states(made) == {"a": "pending", "b": "pending"}
    assert made.views["a"].detail == "due since this run looked: updates"


def test_a_host_switched_off_before_it_was_begun_neither_counts_nor_is_waited_for(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "BUDGETED_WAVE", 1)
    monkeypatch.setattr(deployment, "GUARD_GRACE_S", 60.0)
    monkeypatch.setattr(deployment.time, "sleep", lambda _: pytest.fail("waited for no guard"))
    field.outcomes = {"a": State.UNREACHABLE}
    field.lost_by_ansible = {"a"}
    made = deploy("a", "b", max_failures=1)
    assert states(made) == {"a": "unreachable", "b": "done"}


def test_when_ansible_breaks_in_the_middle_the_guard_is_waited_for(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    field.outcomes = {"a": State.NOT_REACHED}
    field.lost_by_ansible = {"a"}
    field.breaks = True
    monkeypatch.setattr(deployment, "GUARD_GRACE_S", 60.0)
    monkeypatch.setattr(deployment.time, "sleep", lambda _: field.away.discard("a"))
    made = deploy("a")
    assert states(made) == {"a": "failed"}


def test_a_guarded_measure_that_failed_is_waited_for(
    deploy: Deploy, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    field.outcomes = {"a": State.FAILED}
    field.lost_by_ansible = {"a"}
    monkeypatch.setattr(deployment, "GUARD_GRACE_S", 60.0)
    looks: list[int] = []

    def comes_back(_: float) -> None:
        looks.append(1)
        field.away.discard("a")

    monkeypatch.setattr(deployment.time, "sleep", comes_back)
    made = deploy("a")
    assert looks == [1]
    assert states(made) == {"a": "failed"}
    assert made.ledger.hosts(made.run)["a"] == (Outcome.FAILED, "not in place: firewall")


def test_a_run_cut_short_before_its_first_look_still_says_whom_it_was_for(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ledger.start_run("deploy", "x", {"limit": "srv-1"}, ["srv-1"])
    ledger.start_run("deploy", "x", {"limit": None, "resumes": 1}, ["srv-1"])
    last, names = left_undone(ledger)
    assert (last.id, names) == (2, ("srv-1",))


def test_resume_takes_all_but_what_is_done_or_only_observed(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with pytest.raises(RunError, match="no deployment to resume"):
        left_undone(ledger)
    run = ledger.start_run("deploy", "x", {}, [state.value for state in Outcome])
    for state in Outcome:
        ledger.set_hosts(run, [state.value], state)
    ledger.start_run("compliance", "x", {}, ["other"])
    _, names = left_undone(ledger)
    assert set(names) == {"pending", "failed", "unreachable", "error", "held"}


def test_a_measure_switched_off_is_undone_once_and_proved(deploy: Deploy, field: Field) -> None:
    made = deploy("a", off=("updates",))
    assert field.undone == ["a/updates"]
    assert states(made) == {"a": "done"}
    assert field.stamped["a"] == {"firewall"}
    again = deploy("a", off=("firewall",), enforced=())
    assert field.undone == ["a/updates", "a/firewall"]
    assert states(again) == {"a": "done"}


def test_a_measure_that_could_not_be_undone_has_failed(deploy: Deploy, field: Field) -> None:
    field.outcomes["a"] = State.FAILED
    field.stamped["a"] = {"firewall"}
    made = deploy("a", off=("firewall",), enforced=())
    assert states(made) == {"a": "failed"}
    assert made.views["a"].detail == "not in place: firewall"


AUTO = {"kit__reboot": "auto"}
WANTED = {"firewall": 1000.0}


def test_a_machine_that_asks_for_it_is_restarted_and_proved(deploy: Deploy, field: Field) -> None:
    field.asking = {"a": dict(WANTED), "b": dict(WANTED)}
    field.stamped["b"] = {"firewall"}
    made = deploy("a", "b", variables=AUTO)
    assert field.waves == [["a"]], "on b nothing is due but its restart"
    assert field.restarted == ["a", "b"]
    assert states(made) == {"a": "done", "b": "done"}
    assert [v.restart for v in made.views.values()] == [None, None]
    assert made.ledger.outcomes(made.run)["b", "reboot"][0] == "unchanged"


@pytest.mark.parametrize(
    ("variables", "options"),
    [({}, {}), ({"kit__reboot": "never"}, {"reboot": True}), (AUTO, {"reboot": False})],
)
def test_a_restart_that_is_not_to_be_given_leaves_the_machine_compliant(
    deploy: Deploy, field: Field, variables: dict[str, str], options: dict[str, bool]
) -> None:
    field.asking = {"a": dict(WANTED)}
    made = deploy("a", variables=variables, **options)
    assert field.restarted == []
    assert states(made) == {"a": "done"}
    asked = made.views["a"].restart
    assert asked is not None
    assert asked.left


def test_nobody_is_cut_off_by_a_restart(deploy: Deploy, field: Field) -> None:
    field.asking = {"a": dict(WANTED), "b": dict(WANTED)}
    field.busy = {"a"}
    made = deploy("a", "b", variables=AUTO, canaries=1)
    assert field.restarted == ["b"], "what was applied to the canary holds: the others go on"
    assert states(made) == {"a": "held", "b": "done"}
    assert made.views["a"].detail == "its restart is left for later: logged in there: admin2"


def test_a_machine_that_does_not_come_back_has_failed_and_stops_the_others(
    deploy: Deploy, field: Field
) -> None:
    field.asking = {"a": dict(WANTED), "b": dict(WANTED)}
    field.lost_by_restart = {"a"}
    made = deploy("a", "b", variables=AUTO, canaries=1)
    assert states(made) == {"a": "failed", "b": "pending"}
    assert made.views["a"].detail.startswith("did not come back from its restart: Timed out")
    assert field.restarted == ["a"]


def test_what_a_restart_takes_away_is_seen(deploy: Deploy, field: Field) -> None:
    field.asking = {"a": dict(WANTED)}
    field.breaks_at_start = {"a"}
    made = deploy("a", variables=AUTO)
    assert states(made) == {"a": "failed"}
    assert made.views["a"].detail == "not in place after its restart: firewall"


def test_a_machine_on_which_a_measure_failed_is_not_restarted(deploy: Deploy, field: Field) -> None:
    field.asking = {"a": dict(WANTED)}
    field.outcomes["a"] = State.FAILED
    made = deploy("a", variables=AUTO)
    assert field.restarted == []
    assert states(made) == {"a": "failed"}


def test_a_restart_waits_for_the_change_window(deploy: Deploy, field: Field) -> None:
    field.asking = {"a": dict(WANTED)}
    field.stamped["a"] = {"firewall"}
    frozen = {"from": "2000-01-01", "until": "2999-01-01", "reason": "elections"}
    made = deploy("a", variables={**AUTO, "kit__freezes": [frozen]})
    assert field.restarted == []
    assert states(made) == {"a": "held"}


def waiver(measure: str, days_left: int) -> Waiver:
    until = date.today() + timedelta(days=days_left)
    return Waiver("f:1", "host", "a", frozenset({"a"}), measure, "", "why", "who", until)


def test_a_waived_drift_is_not_due_and_stays_drift_in_the_ledger(
    deploy: Deploy, field: Field
) -> None:
    field.drifting = {"a": {"firewall"}, "b": {"firewall"}}
    field.stamped = {"a": {"firewall"}, "b": {"firewall"}}
    made = deploy("a", "b", waivers=(waiver("firewall", 0),))
    assert field.waves == [["b"]]
    assert made.views["a"].state is Outcome.DONE
    assert (code(made), made.ledger.hosts(made.run)["a"][0]) == (0, Outcome.DRIFT)
    assert made.ledger.seen(made.run)["a"].verdicts[0].status is Status.DRIFT


def test_a_waiver_that_is_over_holds_nothing_back(deploy: Deploy, field: Field) -> None:
    field.drifting, field.stamped = {"a": {"firewall"}}, {"a": {"firewall"}}
    made = deploy("a", waivers=(waiver("firewall", -1),))
    assert (field.waves, states(made)) == ([["a"]], {"a": "done"})


def test_what_changed_in_the_kit_is_applied_though_its_drift_is_waived(
    deploy: Deploy, field: Field
) -> None:
    field.drifting = {"a": {"firewall"}}
    field.outcomes = {"a": State.UNCHANGED}
    made = deploy("a", waivers=(waiver("firewall", 9),))
    assert field.waves == [["a"]]
    # never stamped there: what is not in place has failed, whatever is waived of it
    assert states(made) == {"a": "failed"}
