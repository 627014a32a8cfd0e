"""What was handed in: taken once, with its own moment, for the machine whose key it came with."""

from __future__ import annotations

import errno
import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from kitsurvie.cli import ingest as module
from kitsurvie.cli.survey import Look, Survey
from kitsurvie.cli.told import NOT_LISTED
from kitsurvie.errors import WorkspaceError
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict
from kitsurvie.spool import Unreadable

from .conftest import CHECKS, WELL, Desk, answered, handed, sealed

NOW = int(time.time())


def test_a_look_is_recorded_with_the_moment_it_was_made(desk: Desk) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 7200), arrived=NOW - 60)
    report = desk.ingest()
    assert report.run is not None
    run = desk.ledger.run(report.run)
    assert (run.kind, run.state) == ("ingest", RunState.ENDED)
    seen = desk.ledger.seen(report.run)["pc-1"]
    assert seen.at == NOW - 7200
    assert {v.check: v.status for v in seen.verdicts} == {
        "test_the_door_is_closed": Status.COMPLIANT,
        "test_the_light_is_off": Status.COMPLIANT,
    }
    assert desk.ledger.hosts(report.run) == {"pc-1": (Outcome.DONE, "")}
    last = desk.ledger.hand_ins()["pc-1"]
    assert (last.moment, last.arrived, last.address) == (NOW - 7200, NOW - 60, "192.0.2.7")
    assert desk.left() == []


def test_a_drift_is_a_drift_whoever_tells_it(desk: Desk) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10, {**WELL, "door": b"open\n"}))
    report = desk.ingest()
    (taken,) = report.taken
    assert taken.one.state is Outcome.DRIFT
    assert desk.ledger.seen(report.run or 0)["pc-1"].verdicts[0].found == "open"


def test_nothing_waiting_makes_no_run(desk: Desk) -> None:
    assert desk.ingest().run is None
    assert desk.ledger.runs() == ()


def test_what_was_stored_while_the_control_node_was_away_comes_in_order(desk: Desk) -> None:
    for days in (3, 2, 1):
        door = b"open\n" if days == 2 else b"closed\n"
        desk.put("pc-1", handed("pc-1", NOW - days * 86400, {**WELL, "door": door}))
    report = desk.ingest()
    assert [one.last.at for one in report.taken] == [NOW - days * 86400 for days in (3, 2, 1)]
    states = [one.one.state for one in report.taken]
    assert states == [Outcome.DONE, Outcome.DRIFT, Outcome.DONE]
    assert desk.ledger.seen(report.run or 0)["pc-1"].at == NOW - 86400


def test_the_same_look_is_taken_once(desk: Desk) -> None:
    data = handed("pc-1", NOW - 10)
    desk.put("pc-1", data)
    desk.put("pc-1", data)
    first = desk.ingest()
    assert (len(first.taken), first.again, first.refused) == (1, 1, [])
    desk.put("pc-1", data)
    second = desk.ingest()
    assert (second.run, second.again, second.refused) == (None, 1, [])
    assert desk.left() == []


def test_an_older_look_than_the_last_is_a_replay(desk: Desk) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10))
    desk.ingest()
    desk.put("pc-1", handed("pc-1", NOW - 3600))
    desk.put("pc-1", handed("pc-1", NOW - 10, {**WELL, "door": b"open\n"}))
    report = desk.ingest()
    assert report.taken == []
    assert all("not after the last one taken" in why for _, why in report.refused)
    assert desk.ledger.hand_ins()["pc-1"].at == NOW - 10


def test_a_machine_speaks_for_itself_alone(desk: Desk) -> None:
    desk.put("pc-1", handed("pc-2", NOW - 10))
    report = desk.ingest()
    ((_, why),) = report.refused
    assert why == "it speaks for pc-2, and the key is that of pc-1"
    assert desk.ledger.hand_ins() == {}


def test_a_machine_that_has_left_the_inventory_is_not_heard(desk: Desk) -> None:
    desk.put("retired", handed("retired", NOW - 10))
    ((_, why),) = desk.ingest().refused
    assert "no machine of that name" in why


@pytest.mark.parametrize(
    ("moment", "arrived", "at"),
    [(NOW - 50, NOW - 100, NOW - 100), (NOW - 100, NOW - 100, NOW - 100), (NOW, NOW + 9999, NOW)],
)
def test_the_clock_of_a_machine_is_never_believed_past_its_arrival(
    desk: Desk, moment: int, arrived: int, at: int
) -> None:
    desk.put("pc-1", handed("pc-1", moment), arrived=arrived)
    (taken,) = desk.ingest().taken
    assert taken.last.moment == moment
    assert taken.last.at == pytest.approx(at, abs=30)
    assert taken.last.at <= time.time()


@pytest.mark.parametrize(
    ("moment", "says"),
    [
        (NOW + 36_000, "10 h after it came"),
        (NOW + 10 * 86400, "10 days after it came"),
        (99_999_999_999, "after it came"),
        (NOW - 40 * 86400, "40 days before it came"),
        (0, "too old"),
    ],
)
def test_a_clock_that_is_far_off_is_told(desk: Desk, moment: int, says: str) -> None:
    desk.put("pc-1", handed("pc-1", moment), arrived=NOW)
    ((_, why),) = desk.ingest().refused
    assert says in why


def test_a_list_older_than_the_checks_is_judged_for_what_it_holds(desk: Desk) -> None:
    old = {command: said for command, said in WELL.items() if command != "light"}
    desk.put("pc-1", handed("pc-1", NOW - 10, old))
    report = desk.ingest()
    (taken,) = report.taken
    assert taken.one.state is Outcome.DONE
    assert "1 check is newer than its list" in taken.one.detail
    statuses = {v.check: (v.status, v.message) for v in taken.one.verdicts}
    assert statuses["test_the_light_is_off"] == (Status.UNKNOWN, NOT_LISTED)
    assert statuses["test_the_door_is_closed"][0] is Status.COMPLIANT
    assert module.document(report)["taken"][0]["unknown"] == ["demo/test_the_light_is_off"]


def test_an_old_list_hides_no_drift(desk: Desk) -> None:
    old = {c: b"open" if c == "door" else s for c, s in WELL.items() if c != "light"}
    desk.put("pc-1", handed("pc-1", NOW - 10, old))
    (taken,) = desk.ingest().taken
    assert taken.one.state is Outcome.DRIFT


def test_only_the_answers_that_were_read_are_kept(desk: Desk) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10, {**WELL, "whatever it likes": b"x" * 1000}))
    report = desk.ingest()
    kept = desk.ledger.evidence(desk.ledger.seen(report.run or 0)["pc-1"])
    assert kept is not None
    assert set(kept.answers) == set(WELL)


def test_a_machine_that_does_not_say_what_it_is_is_in_error_and_not_in_drift(desk: Desk) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10, {"door": b"open\n"}))
    (taken,) = desk.ingest().taken
    assert taken.one.state is Outcome.ERROR
    assert taken.one.verdicts == ()


MANY = b"\0".join(b"%d" % number for number in range(5000))
COMMANDS = zlib.compress("\0".join(WELL).encode())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "does not begin"),
        (b"\x00\xff" * 500, "does not begin"),
        (handed("pc-1", NOW - 10)[:-1], "stops at"),
        (handed("pc-1", NOW - 10) + b"x", "goes on after"),
        (handed("pc-1", NOW - 10) * 2, "goes on after"),
        (handed("pc-1", NOW - 10)[:-1] + b"\x00", "damaged"),
        (handed("pc-1", NOW - 10).replace(b"hand-in 1", b"hand-in 2"), "does not begin"),
        (sealed("pc-1", NOW - 10, COMMANDS, handed("pc-1", NOW - 10)), "something else"),
        (sealed("pc-1", NOW - 10, COMMANDS, answered({"door": b""})), "another request"),
        (sealed("pc-1", NOW - 10, b"plain", answered(WELL)), "list of commands is damaged"),
        (
            sealed("pc-1", NOW - 10, zlib.compress(b"a\0a"), answered(WELL)),
            "names a command twice",
        ),
        (sealed("pc-1", NOW - 10, zlib.compress(b"\xff"), answered(WELL)), "no text"),
        (sealed("pc-1", NOW - 10, zlib.compress(MANY), answered(WELL)), "more than 4096 commands"),
        (sealed("pc-1", NOW - 10, zlib.compress(b"x" * (2 << 20)), answered(WELL)), "too long"),
        (handed("pc-1", NOW - 10, {**WELL, "bomb": b"\0" * (5 << 20)}), "over 4 MB"),
        (handed("pc-1", NOW - 10, {**WELL, "long": b"\0" * (1 << 19)}), "larger than 256 KB"),
        (b"kitsurvie-hand-in 1 " + b"9" * (1 << 20), "larger than 1024 KB"),
        (sealed("../pc-1", NOW - 10, COMMANDS, answered(WELL)), "does not begin"),
        (sealed("pc-1", -5, COMMANDS, answered(WELL)), "does not begin"),
    ],
)  # fmt: skip
def test_what_is_no_hand_in_is_refused_once_with_its_reason(
    desk: Desk, capsys: pytest.CaptureFixture[str], data: bytes, says: str
) -> None:
    desk.put("pc-1", data)
    desk.put("pc-2", handed("pc-2", NOW - 10))
    report = desk.ingest()
    ((_, why),) = report.refused
    assert says in why
    assert [one.last.host for one in report.taken] == ["pc-2"]
    assert capsys.readouterr().err.count("Refused what pc-1 handed in from 192.0.2.7") == 1
    assert len(desk.log()) == 1
    assert (desk.ingest().refused, desk.left(), len(desk.log())) == ([], [], 1)


def test_what_the_spooler_did_not_write_is_refused(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"kitsurvie-spooled 1 1 -\n" + handed("pc-1", NOW - 10))
    slot = desk.put("pc-1", b"x").parent
    (slot / "00000000000000000002").symlink_to(secret)
    os.mkfifo(slot / "00000000000000000003")
    (slot / "00000000000000000004").mkdir()
    (slot / "00000000000000000005").write_bytes(b"no line of the spooler's")
    (slot / "name of its own").write_bytes(b"")
    (slot.parent / "pc-2").symlink_to(slot)
    report = desk.ingest()
    assert report.taken == []
    assert len(report.refused) == len(desk.log()) == 6
    assert secret.exists()
    assert desk.ingest().refused == []


def closed(monkeypatch: pytest.MonkeyPatch, host: str, error: OSError) -> None:
    """The files of one slot cannot be read (root may read all, and tests may be root)."""
    whole = os.open

    def refuse(path: Any, *rest: Any, **more: Any) -> int:
        if f"/slots/{host}/" in str(path):
            raise error
        return whole(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize(
    ("number", "says"), [(errno.EACCES, "must be in the group"), (errno.EIO, "mend the disk")]
)
def test_what_we_may_not_read_is_refused_to_nobody_and_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    for name in ("pc-1", "pc-2", "pc-3"):
        desk.put(name, handed(name, NOW - 10))
    with monkeypatch.context() as patch:
        closed(patch, "pc-2", OSError(number, os.strerror(number)))
        with pytest.raises(Unreadable) as stopped:
            desk.ingest()
    assert stopped.value.what.startswith("What pc-2 handed in cannot be read: ")
    assert says in stopped.value.remedy
    assert (len(desk.left()), desk.log()) == (1, [])
    assert set(desk.ledger.hand_ins()) == {"pc-1", "pc-3"}
    assert [one.last.host for one in desk.ingest().taken] == ["pc-2"]


def test_who_may_not_read_is_told_the_group_of_the_slots(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10))
    closed(monkeypatch, "pc-1", PermissionError(errno.EACCES, "Permission denied"))
    with pytest.raises(Unreadable) as stopped:
        desk.ingest()
    group = (desk.place.spool / "slots").group()
    assert f"must be in the group {group} " in stopped.value.remedy


def test_what_the_spooler_took_away_meanwhile_is_nothing_to_refuse(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10))
    closed(monkeypatch, "pc-1", FileNotFoundError(errno.ENOENT, "gone"))
    assert (desk.ingest().refused, desk.log()) == ([], [])


@pytest.mark.parametrize("name", ["refused.log", f"pc-1-{sha256(b'x').hexdigest()[:16]}.bin"])
def test_what_is_refused_is_written_through_no_link(desk: Desk, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (desk.place.make_state() / "refused").mkdir()
    (desk.place.state / "refused" / name).symlink_to(victim)
    desk.put("pc-1", b"x")
    with pytest.raises(WorkspaceError, match="cannot be put aside") as stopped:
        desk.ingest()
    assert stopped.value.where == str(desk.place.state / "refused" / name)
    assert (victim.read_text(), len(desk.left())) == ("kept", 1)


def test_what_is_put_aside_is_bounded(desk: Desk) -> None:
    for number in range(130):
        desk.put("pc-1", b"%d" % number + b"\xff" * 100_000)
        if number % 50 == 0:
            desk.ingest()
    desk.ingest()
    desk.ingest()
    kept = list((desk.place.state / "refused").glob("*.bin"))
    assert len(kept) == 100
    assert max(path.stat().st_size for path in kept) <= 64 << 10
    assert len(desk.log()) == 130


def test_a_power_cut_between_ledger_and_spool_loses_and_doubles_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10))

    def cut(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "take_away", cut)
        with pytest.raises(KeyboardInterrupt):
            desk.ingest()
    assert len(desk.left()) == 1
    (run,) = desk.ledger.runs()
    assert run.state is RunState.INTERRUPTED
    report = desk.ingest()
    assert (report.taken, report.again, desk.left()) == ([], 1, [])
    assert desk.ledger.seen(run.id)["pc-1"].at == NOW - 10


def test_yesterday_s_word_does_not_stand_over_what_was_seen_since(desk: Desk) -> None:
    run = desk.ledger.start_run("compliance", "x", {})
    seen = Evidence("pc-1", {})
    desk.ledger.record(run, [Record("pc-1", NOW - 100, (), seen, Outcome.DONE)])
    # away is not seen
    desk.ledger.record(run, [Record("pc-2", NOW - 100, (), None, Outcome.UNREACHABLE)])
    desk.ledger.end_run(run, RunState.ENDED)
    for name in ("pc-1", "pc-2"):
        desk.put(name, handed(name, NOW - 200, {**WELL, "door": b"open\n"}))
    report = desk.ingest()
    assert [one.last.host for one in report.taken] == ["pc-2"]
    assert (report.overtaken, report.refused, desk.left()) == (1, [], [])
    # where it came from is known all the same, and it is taken once
    assert desk.ledger.hand_ins()["pc-1"].at == NOW - 200
    desk.put("pc-1", handed("pc-1", NOW - 50))
    assert [one.last.host for one in desk.ingest().taken] == ["pc-1"]


def test_what_a_run_sees_while_we_judge_stands(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 200, {**WELL, "door": b"open\n"}))
    desk.put("pc-2", handed("pc-2", NOW - 200))
    night = Ledger.open(desk.place.ledger_url)
    run = night.start_run("compliance", "night", {})
    judge = Survey.judge_handed_in

    def meanwhile(self: Survey, host: str, *rest: Any) -> Look:
        if host == "pc-1":
            night.record(run, [Record(host, NOW - 5, (), Evidence(host, {}), Outcome.DONE)])
        return judge(self, host, *rest)

    monkeypatch.setattr(Survey, "judge_handed_in", meanwhile)
    report = desk.ingest()
    assert [one.last.host for one in report.taken] == ["pc-2"]
    assert (report.overtaken, report.refused, desk.left()) == (1, [], [])
    assert desk.ledger.last_seen(["pc-1"])["pc-1"].at == NOW - 5
    assert desk.ledger.hosts(report.run or 0) == {"pc-2": (Outcome.DONE, "")}
    assert desk.ledger.hand_ins()["pc-1"].at == NOW - 200
    night.close()


def test_a_night_and_an_ingest_write_at_once_and_nothing_is_lost(desk: Desk) -> None:
    """Two connections, as two processes have: neither waits for the other's end."""
    machines = [f"server-{number}" for number in range(7)]
    begun, enough = Event(), Event()

    def night() -> tuple[int, int]:
        rounds = 0
        with closing(Ledger.open(desk.place.ledger_url)) as ledger:
            run = ledger.start_run("compliance", "night", {}, machines)
            while not (enough.is_set() and rounds > 10):
                for host in machines:
                    said = Verdict("demo", "x", Status.DRIFT, f"{rounds}")
                    seen = Evidence(host, {"door": Answer(0, f"{rounds}\n".encode(), b"")})
                    look = Record(host, NOW + rounds, (said,), seen, Outcome.DRIFT)
                    ledger.record(run, [look])
                    begun.set()
                    time.sleep(0.002)
                rounds += 1
            ledger.end_run(run, RunState.ENDED)
        return run, rounds

    taken, count = 0, 30
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(night)
        try:
            assert begun.wait(30)
            for number in range(count):
                door = b"open\n" if number % 2 else b"closed\n"
                desk.put("pc-1", handed("pc-1", NOW - 1000 + number, {**WELL, "door": door}))
                report = desk.ingest()
                taken += len(report.taken)
                assert report.refused == []
            assert not running.done()
        finally:
            enough.set()
        run, rounds = running.result(60)
    assert taken == count
    assert desk.ledger.run(run).state is RunState.ENDED
    seen = desk.ledger.seen(run)
    assert set(seen) == set(machines)
    for one in seen.values():
        assert (one.at, one.verdicts[0].found) == (NOW + rounds - 1, f"{rounds - 1}")
        assert desk.ledger.evidence(one) is not None
    # each look of each was another verdict
    assert len(desk.ledger.intervals(Status.DRIFT, hosts=machines)) == rounds * len(machines)
    assert len(desk.ledger.intervals(Status.DRIFT, hosts=["pc-1"])) == count // 2
    assert desk.ledger.hand_ins()["pc-1"].at == NOW - 1000 + count - 1


def test_today_s_checks_judge(desk: Desk, tmp_path: Path) -> None:
    desk.put("pc-1", handed("pc-1", NOW - 10))
    code = CHECKS.replace('"closed"', '"ajar"')
    (tmp_path / "role" / "checks" / "test_demo.py").write_text(code)
    (taken,) = desk.ingest().taken
    assert taken.one.state is Outcome.DRIFT
