"""The plan: what applies where, what is due, when it may be touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kitsurvie import kit
from kitsurvie.model import Action, Host, Item, Measure, Mode, Profile, Status, Step, Text, Verdict
from kitsurvie.plan import Policy, due, lay_out, policy, restart, waves


def host(name: str, profile: Profile = Profile.SERVER, **more: Any) -> Host:
    return Host(
        name=name,
        address="198.18.0.9",
        port=22,
        user="admin1",
        key_file=None,
        member="215000027",
        epci=more.pop("epci", None),
        insee="50002",
        profile=profile,
        groups=(),
        jump=more.pop("jump", None),
        variables=more,
    )


def measure(name: str, profiles: frozenset[Profile] = frozenset(Profile)) -> Measure:
    text = Text("fr", "en")
    return Measure(
        id=name,
        step=Step.SECURE,
        title=text,
        why=text,
        changes=text,
        on_failure=text,
        absent=text,
        fallback=text,
        profiles=profiles,
        norms=(),
        lockout_risk=False,
        reboot=False,
        undo=False,
        path=Path("/nowhere"),
        defaults={f"{name}__level": 1},
    )


def items(a_host: Host, *measures: Measure) -> tuple[Item, ...]:
    def resolve(m: Measure, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**m.defaults, **{k: v for k, v in variables.items() if k in m.defaults}}

    plan = lay_out(
        [a_host],
        measures,
        mode=kit.mode,
        resolve=resolve,
        stamp=lambda m, p, _: f"{m.id}:{sorted(p)}",
    )
    return plan.items[a_host.name]


def test_the_stamp_is_of_the_measure_s_own_variables_and_of_those_it_reads_besides() -> None:
    page = replace(measure("support_contact"), reads=("*__mode",))
    laid = [
        lay_out(
            [host("srv", **variables)],
            [page],
            mode=kit.mode,
            resolve=kit.resolve,
            stamp=lambda m, p, v: kit.stamp("base", {**kit.read_besides(m, v), **p}),
        ).items["srv"][0]
        for variables in ({}, {"updates__mode": "off"}, {"updates__proxy": "x"})
    ]
    assert laid[0].stamp == laid[2].stamp != laid[1].stamp
    assert "updates__mode" not in laid[1].params


def test_a_measure_applies_to_its_profiles_only() -> None:
    pcs = measure("removable_media", frozenset({Profile.DESKTOP, Profile.LAPTOP}))
    assert items(host("srv"), pcs, measure("updates"))[0].measure == "updates"
    assert len(items(host("pc", Profile.LAPTOP), pcs, measure("updates"))) == 2


def test_a_machine_starts_in_observe_and_a_measure_can_be_enforced_alone() -> None:
    modes = {
        i.measure: i.mode
        for i in items(
            host("srv", updates__mode="enforce"), measure("updates"), measure("firewall")
        )
    }
    assert modes == {"updates": Mode.ENFORCE, "firewall": Mode.OBSERVE}


def test_a_measure_switched_off_keeps_its_reason() -> None:
    why = "the water board's modem is behind it"
    off = items(host("srv", firewall__mode="off", firewall__off_reason=why), measure("firewall"))
    assert (off[0].mode, off[0].reason) == (Mode.OFF, why)


def verdict(status: Status, check: str = "test_a") -> Verdict:
    return Verdict("updates", check, status)


@pytest.mark.parametrize(
    ("status", "stamp", "full", "why"),
    [
        (Status.COMPLIANT, "right", False, ""),
        (Status.COMPLIANT, "right", True, "asked for with --full"),
        (Status.COMPLIANT, None, False, "never applied here"),
        (
            Status.COMPLIANT,
            "old",
            False,
            "the measure or its variables changed since it was applied",
        ),
        (Status.DRIFT, "right", False, "test_a drifts"),
        (Status.NOT_APPLICABLE, "right", False, ""),
        (Status.ERROR, "right", False, ""),
    ],
)
def test_due_is_a_drift_or_a_change_since_it_was_applied(
    status: Status, stamp: str | None, full: bool, why: str
) -> None:
    item = Item("srv", "updates", Mode.ENFORCE, {}, "right")
    stamps = {"updates": stamp} if stamp else {}
    found = due([item], [verdict(status)], stamps, full=full)
    assert [d.why for d in found] == ([why] if why else [])


def test_what_is_only_observed_is_never_due() -> None:
    for mode in (Mode.OBSERVE, Mode.OFF):
        item = Item("srv", "updates", mode, {}, "right")
        assert due([item], [verdict(Status.DRIFT)], {}, full=True) == ()


def test_what_is_verified_only_is_never_due_however_it_stands() -> None:
    backup = replace(measure("updates"), applies=False)
    laid = items(host("srv", updates__mode="enforce"), backup)
    assert [i.applies for i in laid] == [False]
    for stamps in ({}, {"updates": "old"}):
        assert due(laid, [verdict(Status.DRIFT)], stamps, full=True) == ()


def test_canaries_are_spread_before_the_rest_goes() -> None:
    fleet = [host(f"a{i}", epci="e1") for i in range(4)] + [
        host("b0", Profile.LAPTOP, epci="e1"),
        host("c0", epci="e2"),
    ]
    first, *rest = waves(fleet, canaries=3, size=10, per_site=4, releases={})
    assert set(first) == {"a0", "b0", "c0"}
    assert rest == [("a1", "a2", "a3")]


def test_a_site_behind_one_line_is_never_flooded() -> None:
    behind = [host(f"p{i}", jump="j@198.18.0.1") for i in range(5)]
    laid = waves([*behind, host("free")], canaries=0, size=10, per_site=2, releases={})
    assert laid == (("p0", "p1", "free"), ("p2", "p3"), ("p4",))


def test_machines_of_one_named_site_are_never_all_at_work() -> None:
    school = [replace(host(f"p{i}"), variables={"kit__site": "school"}) for i in range(3)]
    laid = waves([*school, host("free")], canaries=0, size=10, per_site=2, releases={})
    assert laid == (("p0", "p1", "free"), ("p2",))


def test_canaries_meet_every_system_there_is() -> None:
    fleet = [host(f"a{i}") for i in range(4)]
    releases = {"a0": "debian 12", "a1": "debian 12", "a2": "debian 12", "a3": "debian 13"}
    first, *_ = waves(fleet, canaries=2, size=10, per_site=4, releases=releases)
    assert first == ("a0", "a3")


@pytest.mark.parametrize(
    ("undo", "action", "why"),
    [
        (True, Action.UNDO, "switched off, to be undone: the modem"),
        (False, Action.LEAVE, "switched off, left in place: the modem"),
    ],
)
def test_a_measure_that_is_off_is_due_while_the_host_carries_its_stamp(
    undo: bool, action: Action, why: str
) -> None:
    item = Item("srv", "firewall", Mode.OFF, {}, "right", reason="the modem", undo=undo)
    (found,) = due([item], [], {"firewall": "old"})
    assert (found.action, found.why) == (action, why)
    assert due([item], [], {}) == ()
    assert due([replace(item, mode=Mode.OBSERVE)], [], {"firewall": "old"}) == ()


def enforced(*names: str) -> list[Item]:
    return [Item("srv", name, Mode.ENFORCE, {}, "right") for name in names]


WINDOW = ["mon-fri 18:00-23:00"]


@pytest.mark.parametrize(
    ("profile", "variables", "expected"),
    [
        (Profile.SERVER, {}, Policy.ASK),
        (Profile.SERVER, {"kit__change_windows": WINDOW}, Policy.AUTO),
        (Profile.DESKTOP, {"kit__change_windows": WINDOW}, Policy.ASK),
        (Profile.DESKTOP, {"kit__reboot": "auto"}, Policy.AUTO),
        (Profile.SERVER, {"kit__change_windows": WINDOW, "kit__reboot": "never"}, Policy.NEVER),
    ],
)
def test_a_server_restarts_in_its_window_and_a_pc_when_its_user_likes(
    profile: Profile, variables: dict[str, Any], expected: Policy
) -> None:
    assert policy(host("a", profile, **variables)) is expected


@pytest.mark.parametrize(
    ("reboot", "asked", "left"),
    [
        ("auto", None, ""),
        ("auto", False, "--no-reboot was given"),
        ("ask", True, ""),
        (
            "ask",
            None,
            "left to the people there (deploy --reboot does it when nobody is logged in)",
        ),
        ("never", True, "kit__reboot is never here"),
    ],
)
def test_a_restart_is_given_where_it_was_agreed_on(
    reboot: str, asked: bool | None, left: str
) -> None:
    there = host("a", kit__reboot=reboot)
    found = restart(there, enforced("kernel"), {"kernel": 20.0, "debian": 10.0}, asked)
    assert found is not None
    assert (found.by, found.since, found.left) == (("debian", "kernel"), 10.0, left)


def test_what_is_only_observed_is_not_restarted() -> None:
    there = host("a", kit__reboot="auto")
    assert restart(there, [], {}, None) is None
    for items, wanted, left in (
        ([], "kernel", "nothing that asks for it is enforced here"),
        (enforced("firewall"), "debian", "nothing that asks for it is enforced here"),
        (enforced("updates"), "debian", ""),
    ):
        found = restart(there, items, {wanted: 1.0}, True)
        assert found is not None
        assert found.left == left
