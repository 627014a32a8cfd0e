"""Following Ansible: its events become one outcome for each host and measure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kitsurvie.converge import Job, Play, State, client, write_overlay
from kitsurvie.converge.__main__ import _told
from kitsurvie.converge.client import _Follower
from kitsurvie.errors import RunError


def outcomes(due: dict[str, list[str]], events: list[dict[str, str]]) -> dict[str, str]:
    follower = _Follower(due)
    plays = [play for event in events for play in follower.take(event)[1]]
    plays += follower.rest()
    found = {f"{p.host}/{p.measure}": p.state.value for p in plays}
    assert len(found) == len(plays), "an outcome was given twice"
    assert len(found) == sum(len(hosts) for hosts in due.values()), "an outcome was lost"
    return found


def event(kind: str, measure: str, host: str = "", task: str = "t", **more: str) -> dict[str, str]:
    return {"kind": kind, "measure": measure, "host": host, "task": task, **more}


def test_a_measure_is_done_on_a_host_when_its_stamp_is_written() -> None:
    follower = _Follower({"accounts": ["a", "b"]})
    follower.take(event("play", "accounts"))
    follower.take(event("changed", "accounts", "a", "Write sudoers"))
    _, over = follower.take(event("stamped", "accounts", "a"))
    assert [(p.host, p.state, p.changes) for p in over] == [
        ("a", State.CHANGED, ("Write sudoers",))
    ]
    _, over = follower.take(event("stamped", "accounts", "b"))
    assert [(p.host, p.state) for p in over] == [("b", State.UNCHANGED)]


def test_a_host_that_failed_is_not_taken_further_and_the_others_are() -> None:
    events = [
        event("play", "accounts"),
        event("failed", "accounts", "a"),
        event("stamped", "accounts", "b"),
        event("play", "updates"),
        event("changed", "updates", "b"),
        event("stamped", "updates", "b"),
    ]
    assert outcomes({"accounts": ["a", "b"], "updates": ["a", "b"]}, events) == {
        "a/accounts": "failed",
        "b/accounts": "unchanged",
        "b/updates": "changed",
        "a/updates": "not_reached",
    }


def test_the_last_task_to_fail_says_why() -> None:
    follower = _Follower({"firewall": ["a"]})
    follower.take(event("play", "firewall"))
    follower.take(event("unreachable", "firewall", "a", message="timed out"))
    follower.take(event("failed", "firewall", "a", message="the guard will restore"))
    (play,) = follower.rest()
    assert (play.state, play.message) == (State.FAILED, "the guard will restore")


def test_a_failure_that_was_rescued_is_no_failure() -> None:
    events = [
        event("play", "accounts"),
        event("failed", "accounts", "a"),
        event("stamped", "accounts", "a"),
    ]
    assert outcomes({"accounts": ["a"]}, events) == {"a/accounts": "unchanged"}


def test_when_ansible_dies_nothing_is_taken_for_done() -> None:
    events = [event("play", "accounts"), event("changed", "accounts", "a")]
    assert outcomes({"accounts": ["a", "b"]}, events) == {
        "a/accounts": "not_reached",
        "b/accounts": "not_reached",
    }


def job(folder: Path, due: dict[str, list[str]]) -> Job:
    return Job(due, {}, {}, folder, folder, (), folder / "wave-1", 1, 1.0)


def test_what_ansible_gave_up_for_another_host_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[dict[str, list[str]]] = []

    def once(job: Job, *_: object) -> Iterator[Play]:
        runs.append({measure: list(hosts) for measure, hosts in job.due.items()})
        if len(runs) == 1:
            yield Play("a", "accounts", State.FAILED)
            yield Play("a", "firewall", State.NOT_REACHED)
            yield Play("b", "firewall", State.NOT_REACHED)
        else:
            yield Play("b", "firewall", State.CHANGED)

    monkeypatch.setattr(client, "_once", once)
    plays = list(client.converge(job(tmp_path, {"accounts": ["a"], "firewall": ["a", "b"]})))
    assert runs == [{"accounts": ["a"], "firewall": ["a", "b"]}, {"firewall": ["b"]}]
    assert {(p.host, p.measure): p.state.value for p in plays} == {
        ("a", "accounts"): "failed",
        ("a", "firewall"): "not_reached",
        ("b", "firewall"): "changed",
    }


def test_ansible_is_not_started_again_when_nothing_explains_what_it_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def once(job: Job, *_: object) -> Iterator[Play]:
        runs.append(job)
        yield Play("b", "firewall", State.NOT_REACHED)

    monkeypatch.setattr(client, "_once", once)
    (play,) = client.converge(job(tmp_path, {"firewall": ["b"]}))
    assert (len(runs), play.state) == (1, State.NOT_REACHED)


def test_when_ansible_breaks_what_it_did_not_reach_is_told_before_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(*_: object) -> Iterator[Play]:
        yield Play("a", "firewall", State.CHANGED)
        yield Play("b", "firewall", State.NOT_REACHED)
        raise RunError("Ansible did not run through.", remedy="Read the log.")

    monkeypatch.setattr(client, "_once", once)
    plays = client.converge(job(tmp_path, {"firewall": ["a", "b"]}))
    assert next(plays).host == "a"
    assert next(plays) == Play("b", "firewall", State.NOT_REACHED)
    with pytest.raises(RunError):
        next(plays)


def test_the_overlay_groups_each_due_measure_and_carries_the_stamps(tmp_path: Path) -> None:
    path = tmp_path / "due.json"
    roads = {"a": ["-o", "HostKeyAlias=a"]}
    write_overlay(path, {"updates": ["a", "b"]}, {"a": {"updates": "0a1b"}}, roads)
    written = json.loads(path.read_text())["all"]
    assert written["children"]["due_updates"]["hosts"] == {"a": None, "b": None}
    assert written["hosts"]["a"]["kitsurvie_stamps"] == {"updates": "0a1b"}
    assert written["hosts"]["a"]["kitsurvie_road"] == "-o HostKeyAlias=a"
    assert written["hosts"]["a"]["ansible_ssh_args"].startswith("-o HostKeyAlias=a -C ")


def test_what_is_taken_away_goes_before_what_is_applied(tmp_path: Path) -> None:
    kit = tmp_path / "kit.yml"
    apart = replace(job(tmp_path, {}), playbook=kit, absent={"firewall": ["a"]}, folder=tmp_path)
    assert client._playbook(apart) == tmp_path / "absent.yml"
    assert client._playbook(replace(apart, due={"updates": ["a"]}, absent={})) == kit
    both = client._playbook(replace(apart, due={"updates": ["a"]}))
    assert [play["import_playbook"] for play in json.loads(both.read_text())] == [
        str(tmp_path / "absent.yml"),
        str(kit),
    ]


def test_the_overlay_groups_what_is_to_be_taken_away_apart(tmp_path: Path) -> None:
    path = tmp_path / "due.json"
    write_overlay(path, {}, {"a": {}}, {"a": []}, {"updates": ["a"]})
    assert json.loads(path.read_text())["all"]["children"] == {
        "absent_updates": {"hosts": {"a": None}}
    }


def test_a_measure_is_followed_whether_applied_or_taken_away() -> None:
    follower = _Follower({"updates": ["b"]}, {"firewall": ["a"], "updates": ["a"]})
    events = [
        event("play", "firewall"),
        event("stamped", "firewall", "a"),
        event("play", "updates"),
        event("failed", "updates", "a"),
        event("play", "updates"),
        event("stamped", "updates", "b"),
    ]
    plays = [play for one in events for play in follower.take(one)[1]] + follower.rest()
    assert {f"{p.host}/{p.measure}": p.state.value for p in plays} == {
        "a/firewall": "unchanged",
        "b/updates": "unchanged",
        "a/updates": "failed",
    }


def test_what_was_left_is_taken_up_again_as_it_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[tuple[object, object]] = []

    def once(job: Job, *_: object) -> Iterator[Play]:
        runs.append((job.due, job.absent))
        if len(runs) == 1:
            yield Play("a", "firewall", State.FAILED)
            yield Play("b", "accounts", State.NOT_REACHED)
            yield Play("b", "updates", State.NOT_REACHED)

    monkeypatch.setattr(client, "_once", once)
    asked = replace(
        job(tmp_path, {"updates": ["a", "b"]}), absent={"firewall": ["a"], "accounts": ["b"]}
    )
    list(client.converge(asked))
    assert runs[1] == ({"updates": ["b"]}, {"accounts": ["b"]})


def test_what_a_command_said_is_told_rather_than_its_status() -> None:
    event = {
        "event": "runner_on_failed",
        "event_data": {
            "play_pattern": "due_retire",
            "host": "a",
            "task": "t",
            "res": {"msg": "non-zero return code", "stderr": "nobody could administer it"},
        },
    }
    told = _told(event)
    assert told is not None
    assert told["message"] == "nobody could administer it"
