"""A verdict that stays the same is one interval; what any run saw can still be said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsurvie.ledger import Change, Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict

CHECKS = [("firewall", "test_a"), ("firewall", "test_b"), ("updates", "test_c"), ("kit", "release")]
STATUSES = [Status.COMPLIANT, Status.DRIFT, Status.UNKNOWN]
EVIDENCE = {"uname": Answer(0, b"Linux\n", b"")}

Look = tuple[str, tuple[Verdict, ...]]


def record(host: str, *verdicts: Verdict, answered: bool = True, at: float = 1.0) -> Record:
    evidence = Evidence(host, EVIDENCE) if answered else None
    return Record(host, at, verdicts, evidence, Outcome.DONE)


def night(ledger: Ledger, *records: Record, measures: tuple[str, ...] = ()) -> int:
    run = ledger.start_run("compliance", "admin1@desk", {"measures": list(measures)})
    ledger.record(run, records)
    ledger.end_run(run, RunState.ENDED)
    return run


def verdict(status: Status = Status.DRIFT, check: str = "test_a", found: str = "") -> Verdict:
    return Verdict("firewall", check, status, found)


@dataclass
class Model:
    """What the ledger must answer, kept the plain way."""

    stands: dict[tuple[str, str, str], Verdict] = field(default_factory=dict)
    after: dict[int, dict[tuple[str, str, str], Verdict]] = field(default_factory=dict)
    seen: dict[int, dict[str, tuple[Verdict, ...]]] = field(default_factory=dict)

    def take(self, run: int, whole: bool, looks: list[Look | str]) -> None:
        for look in looks:
            if isinstance(look, str):
                self.seen.setdefault(run, {})[look] = ()
                continue
            host, verdicts = look
            self.seen.setdefault(run, {})[host] = verdicts
            judged = {v.measure for v in verdicts} | {"kit"}
            for key in [k for k in self.stands if k[0] == host]:
                if whole or key[1] in judged:
                    del self.stands[key]
            self.stands.update({(host, v.measure, v.check): v for v in verdicts})
        self.after[run] = dict(self.stands)


verdicts = st.dictionaries(
    st.sampled_from(CHECKS), st.tuples(st.sampled_from(STATUSES), st.sampled_from(["", "x"]))
).map(lambda d: tuple(Verdict(*key, status, found) for key, (status, found) in d.items()))
looks = st.one_of(
    st.tuples(st.sampled_from(["a", "b", "c"]), verdicts), st.sampled_from(["a", "b", "c"])
)
nights = st.lists(st.tuples(st.booleans(), st.lists(looks, max_size=5)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(told=nights)
def test_any_nights_are_told_as_they_were(
    new_ledger_url: Callable[[], str], told: list[tuple[bool, list[Look | str]]]
) -> None:
    ledger = Ledger.open(new_ledger_url())
    compare(ledger, told)
    ledger.close()


def compare(ledger: Ledger, told: list[tuple[bool, list[Look | str]]]) -> None:
    model = Model()
    for whole, looked in told:
        records = [
            record(one, answered=False) if isinstance(one, str) else record(one[0], *one[1])
            for one in looked
        ]
        run = night(ledger, *records, measures=() if whole else ("some",))
        model.take(run, whole, looked)
    for run, hosts in model.seen.items():
        assert {n: one.verdicts for n, one in ledger.seen(run).items()} == hosts
    runs = sorted(model.after)
    for before in runs:
        for after in runs[runs.index(before) :]:
            assert differences(ledger.changes(before, after)) == {
                key: (model.after[before].get(key), model.after[after].get(key))
                for key in model.after[before].keys() | model.after[after].keys()
                if model.after[before].get(key) != model.after[after].get(key)
            }
    for host in "abc":
        stands = {
            (host, i.verdict.measure, i.verdict.check): i.verdict for i in ledger.standing(host)
        }
        assert stands == {k: v for k, v in model.stands.items() if k[0] == host}
    last = ledger.last_seen("abc")
    for host, known in last.items():
        assert {(host, p.verdict.measure, p.verdict.check): p.verdict for p in known.verdicts} == {
            k: v for k, v in model.stands.items() if k[0] == host
        }
    ledger.close()


def differences(
    changes: tuple[Change, ...],
) -> dict[tuple[str, str, str], tuple[Verdict | None, Verdict | None]]:
    """Those of which the verdict itself is another: one may have gone and come back meanwhile."""
    found = {
        (c.host, c.measure, c.check): (
            c.before.verdict if c.before else None, c.after.verdict if c.after else None,
        )
        for c in changes
    }  # fmt: skip
    return {key: pair for key, pair in found.items() if pair[0] != pair[1]}


def test_a_verdict_that_stays_is_one_interval_with_its_first_run(ledger: Ledger) -> None:
    first = night(ledger, record("a", verdict(), at=10.0))
    for at in (20.0, 30.0):
        night(ledger, record("a", verdict(), at=at))
    last = night(ledger, record("a", verdict(Status.COMPLIANT), at=40.0))
    (drift,) = ledger.intervals(Status.DRIFT)
    assert (drift.from_run, drift.from_at) == (first, 10.0)
    assert (drift.to_run, drift.to_at) == (last, 40.0)


def test_a_host_that_does_not_answer_keeps_what_is_known_of_it(ledger: Ledger) -> None:
    first = night(ledger, record("a", verdict()))
    second = night(ledger, record("a", answered=False))
    assert ledger.changes(first, second) == ()
    assert ledger.standing("a")[0].verdict == verdict()
    assert ledger.last_seen(["a"])["a"].run == first


def test_a_check_that_is_asked_no_more_stands_no_more(ledger: Ledger) -> None:
    first = night(ledger, record("a", verdict(), verdict(check="test_b")))
    second = night(ledger, record("a", verdict()))
    (gone,) = ledger.changes(first, second)
    assert (gone.check, gone.after) == ("test_b", None)


def test_a_run_of_one_measure_says_nothing_of_the_others(ledger: Ledger) -> None:
    other = Verdict("updates", "test_c", Status.DRIFT)
    first = night(ledger, record("a", verdict(), other))
    second = night(ledger, record("a", verdict(Status.COMPLIANT)), measures=("firewall",))
    (mended,) = ledger.changes(first, second)
    assert mended.measure == "firewall"
    assert {i.verdict for i in ledger.standing("a")} == {verdict(Status.COMPLIANT), other}
    known = ledger.last_seen(["a"])["a"]
    assert {(p.verdict.measure, p.run) for p in known.verdicts} == {
        ("firewall", second), ("updates", first),
    }  # fmt: skip


def test_two_processes_that_write_of_one_host_leave_one_verdict_standing(ledger_url: str) -> None:
    here, there = Ledger.open(ledger_url), Ledger.open(ledger_url)
    runs = [here.start_run("compliance", "x", {}), there.start_run("compliance", "x", {})]
    here.record(runs[0], [record("a", verdict(found="1"))])
    there.record(runs[1], [record("a", verdict(found="2"))])
    here.record(runs[0], [record("a", verdict(found="3"))])
    assert [i.verdict.found for i in here.standing("a")] == ["3"]
    assert [i.verdict.found for i in here.intervals(Status.DRIFT)] == ["1", "2", "3"]
    assert here.seen(runs[1])["a"].verdicts[0].found == "2"


def test_intervals_without_what_they_say_are_the_same_intervals(ledger: Ledger) -> None:
    first = night(ledger, record("a", verdict(found="1")), record("b", verdict(found="2")))
    night(ledger, record("a", verdict(found="3")), record("b", verdict(Status.COMPLIANT)))
    for until in (None, first):
        told = ledger.intervals(Status.DRIFT, until_run=until)
        bare = ledger.intervals(Status.DRIFT, until_run=until, said=False)
        assert len(bare) == (3 if until is None else 2)
        assert [one._replace(verdict=None) for one in bare] == [
            one._replace(verdict=None) for one in told
        ]  # fmt: skip
        assert {one.verdict for one in bare} == {Verdict("firewall", "test_a", Status.DRIFT)}
        assert {one.verdict.found for one in told} == (
            {"1", "2", "3"} if until is None else {"1", "2"}
        )
    assert {one.to_look for one in ledger.intervals(Status.DRIFT, until_run=first)} == {None}


def test_what_failed_to_be_written_is_written_again(tmp_path: Path) -> None:
    """After a refusal the same process must not take its contents for stored."""
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open(f"sqlite:///{path}")
    run = ledger.start_run("compliance", "x", {})
    with sqlite3.connect(path) as raw:
        raw.execute(
            "create trigger stop before insert on intervals begin select raise(abort, 'no'); end"
        )
    with pytest.raises(Exception, match="did not obey"):
        ledger.record(run, [record("a", verdict())])
    with sqlite3.connect(path) as raw:
        raw.execute("drop trigger stop")
    ledger.record(run, [record("a", verdict())])
    seen = ledger.seen(run)["a"]
    evidence = ledger.evidence(seen)
    assert evidence is not None
    assert (seen.verdicts, dict(evidence.answers)) == ((verdict(),), EVIDENCE)


def test_an_unchanged_night_costs_less_than_200_bytes_a_host(tmp_path: Path) -> None:
    """Of the file itself, indexes and all, with the names that hosts have in life."""
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open(f"sqlite:///{path}")
    hosts = [f"saint-jean-de-daye-pc-{n:04d}" for n in range(1000)]
    given = [Verdict(f"measure_{n // 10}", f"test_{n}", Status.COMPLIANT) for n in range(100)]
    # a first night, and one that fills the pages which it had left half empty
    for _ in range(2):
        spend(ledger, hosts, given)
    before = size(path)
    contents = blobs(path)
    for _ in range(4):
        spend(ledger, hosts, given)
    cost = (size(path) - before) / 4 / len(hosts)
    assert blobs(path) == contents
    assert 20 < cost < 200, f"{cost:.0f} bytes a host"
    print(f"{cost:.1f} bytes a host and night")


def spend(ledger: Ledger, hosts: list[str], given: list[Verdict]) -> None:
    run = ledger.start_run("compliance", "admin1@desk", {}, hosts)
    for start in range(0, len(hosts), 50):
        ledger.record(run, [record(h, *given) for h in hosts[start : start + 50]])
    ledger.end_run(run, RunState.ENDED)


def size(path: Path) -> int:
    with sqlite3.connect(path) as raw:
        raw.execute("pragma wal_checkpoint(truncate)").fetchall()
    return path.stat().st_size


def blobs(path: Path) -> int:
    with sqlite3.connect(path) as raw:
        return int(raw.execute("select count(*) from blobs").fetchone()[0])
