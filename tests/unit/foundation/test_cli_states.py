"""`compliance show` keeps the states apart: waived, over, absent, unseen, each with its age."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from kitsurvie import inventory, workspace
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict

from .conftest import FILES, Run, syndicate

CHECK = "test_what_nobody_asked_for_is_refused"
PC = "agneaux-pc-01"
PLAIN = {name: said.split("firewall__")[0] for name, said in FILES.items()}
PLAIN["hosts.yml"] = FILES["hosts.yml"].replace(
    "kit__profile: desktop", "kit__profile: desktop, kit__expected_up: false"
)


def waivers(until: date, **changes: str) -> str:
    told = {
        "host": "agneaux-srv-01", "check": f"firewall/{CHECK}", "reason": "a supplier",
        "owner": "the director", "until": f'"{until}"', "ticket": "GLPI 12", **changes,
    }  # fmt: skip
    return "waivers:\n  - {" + ", ".join(f"{k}: {v}" for k, v in told.items()) + "}\n"


def firewall(status: Status) -> tuple[Verdict, ...]:
    return (
        Verdict("firewall", CHECK, status, "accept", "drop", ("nft",)),
        Verdict("updates", "test_x", Status.COMPLIANT),
    )


Night = Callable[..., int]


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The syndicate with Ansible's answer in its cache, which no statement changes."""
    made = syndicate(tmp_path_factory.mktemp("once") / "syndicate", PLAIN)
    inventory.load(made)
    return made.root


@pytest.fixture
def place(read_once: Path, tmp_path: Path) -> workspace.Workspace:
    return workspace.load(shutil.copytree(read_once, tmp_path / "syndicate"))


@pytest.fixture
def night(place: workspace.Workspace) -> Night:
    """Record a run made so many days ago; hosts map to a firewall status, or None: no answer."""

    def record(days_ago: float, said: Mapping[str, Status | None]) -> int:
        ledger = Ledger.open(place.ledger_url)
        at = time.time() - days_ago * 86_400
        run = ledger.start_run("compliance", "admin1@desk", {"measures": []}, said)
        for host, status in said.items():
            silent = status is None
            ledger.record(
                run,
                [
                    Record(
                        host, at, () if status is None else firewall(status),
                        None if silent else Evidence(host, {"nft": Answer(0, b"", b"")}),
                        Outcome.UNREACHABLE if silent else
                        Outcome.DRIFT if status is Status.DRIFT else Outcome.DONE,
                        "it cannot be reached" if silent else "",
                    )
                ],
            )  # fmt: skip
        ledger.end_run(run, RunState.ENDED)
        ledger.close()
        with create_engine(place.ledger_url).begin() as connection:
            connection.execute(
                text("update runs set started_at = :at, ended_at = :at where id = :run"),
                {"at": at, "run": run},
            )
        return run

    return record


@pytest.fixture
def show(place: workspace.Workspace, kitsurvie: Run) -> Callable[..., Any]:
    def run(*words: object) -> Any:
        told = kitsurvie("compliance", "show", "--json", "--workspace", place.root, *words)
        assert told.out, told.err
        assert told.code == told.document["exit_code"]
        plain = kitsurvie("compliance", "show", "--workspace", place.root, *words)
        assert plain.code == told.code
        return told.document, plain.out

    return run


def write(place: workspace.Workspace, content: str) -> None:
    (place.inventory / "waivers.yml").write_text(content, encoding="utf-8")


def check_of(document: Any, host: str) -> Any:
    [one] = [h for h in document["hosts"] if h["name"] == host]
    [found] = [c for m in one["measures"] for c in m["checks"] if c["name"] == CHECK]
    return one, found


def test_a_waived_drift_counts_no_more_and_says_whose_it_is(
    place: workspace.Workspace, night: Night, show: Callable[..., Any]
) -> None:
    night(0, {"agneaux-srv-01": Status.DRIFT, "saint-lo-srv-01": Status.COMPLIANT})
    until = date.today() + timedelta(days=5)
    write(place, waivers(until))
    document, table = show()
    host, check = check_of(document, "agneaux-srv-01")
    assert (document["exit_code"], host["standing"], host["state"]) == (0, "waived", "done")
    assert check["status"] == "waived"
    assert check["waiver"] == {
        "measure": "firewall", "check": CHECK, "scope": "host", "for": "agneaux-srv-01",
        "reason": "a supplier", "owner": "the director", "until": str(until),
        "ticket": "GLPI 12", "where": "inventory/waivers.yml:2", "days_left": 5,
    }  # fmt: skip
    assert document["waivers_ending"] == [check["waiver"]]
    assert document["standings"]["waived"] == document["standings"]["compliant"] == 1
    score = document["score"]
    assert (score["with_waivers"], score["without_waivers"]) == (1.0, 0.75)
    by_member = {m["name"]: m["score"]["without_waivers"] for m in document["members"]}
    assert by_member == {"Agneaux": 0.5, "Saint-Lô": 1.0}
    assert (
        f"Waived   firewall/{CHECK}: agneaux-srv-01: waived until {until} by the director "
        "(a supplier, GLPI 12)"
    ) in table
    assert "the waiver ends in 5 days" in table
    assert "Score: 100 % with waivers, 75 % without (3 of 4 checks compliant, 1 waived)." in table


def test_a_waiver_that_ended_is_drift_again_and_says_for_how_long(
    place: workspace.Workspace, night: Night, show: Callable[..., Any]
) -> None:
    night(0, {"agneaux-srv-01": Status.DRIFT})
    until = date.today() - timedelta(days=5)
    write(place, waivers(until))
    document, table = show()
    host, check = check_of(document, "agneaux-srv-01")
    assert (document["exit_code"], host["standing"], check["status"]) == (1, "drift", "drift")
    assert check["waiver"]["days_left"] == -5
    assert f"waived until {until} by the director, over for 5 days (a supplier, GLPI 12)" in table
    assert "Waived " not in table


@pytest.mark.parametrize("status", [Status.ERROR, Status.UNKNOWN, Status.COMPLIANT])
def test_only_a_drift_is_ever_waived(
    place: workspace.Workspace, night: Night, show: Callable[..., Any], status: Status
) -> None:
    night(0, {"agneaux-srv-01": status})
    write(place, waivers(date.today()))
    document, _ = show()
    host, check = check_of(document, "agneaux-srv-01")
    assert (check["status"], check["waiver"]) == (status.value, None)
    assert host["standing"] == status.value
    assert document["exit_code"] == (0 if status is Status.COMPLIANT else 3)


def test_a_past_run_is_read_with_the_waivers_of_today_for_its_own_day(
    place: workspace.Workspace, night: Night, show: Callable[..., Any]
) -> None:
    past = night(10, {"agneaux-srv-01": Status.DRIFT})
    night(0, {"agneaux-srv-01": Status.DRIFT})
    write(place, waivers(date.today() - timedelta(days=5)))
    assert show()[0]["exit_code"] == 1
    document, table = show("--run", past)
    assert document["exit_code"] == 0
    assert check_of(document, "agneaux-srv-01")[1]["waiver"]["days_left"] == 5
    assert f"Run {past} was made 10 days ago" in table
    ledger = Ledger.open(place.ledger_url)
    assert ledger.seen(past)["agneaux-srv-01"].verdicts[0].status is Status.DRIFT


def test_a_pc_asleep_is_absent_with_its_last_verdicts_and_their_age(
    night: Night, show: Callable[..., Any]
) -> None:
    before = night(3, {PC: Status.DRIFT, "agneaux-srv-01": Status.COMPLIANT})
    night(0, {PC: None, "agneaux-srv-01": Status.COMPLIANT})
    document, table = show()
    assert document["exit_code"] == 0
    [pc] = [h for h in document["hosts"] if h["name"] == PC]
    assert (pc["state"], pc["standing"], pc["expected_up"]) == ("unreachable", "absent", False)
    assert pc["seen"] is None
    assert all(measure["checks"] == [] for measure in pc["measures"])
    last = pc["last_seen"]
    assert (last["run"], last["days"]) == (before, 3)
    assert [(c["measure"], c["status"]) for c in last["checks"]] == [
        ("firewall", "drift"), ("updates", "compliant"),
    ]  # fmt: skip
    assert document["score"]["drift"] == 0
    assert (document["score"]["hosts"], document["score"]["hosts_judged"]) == (2, 1)
    assert f"Absent   {PC} (Agneaux): last seen 3 days ago" in table
    # a narrow terminal breaks the line
    assert f"then 1 compliant, 1 drift (firewall/{CHECK})" in " ".join(table.split())
    assert "1 host without a verdict in it." in table


def test_one_unseen_for_long_is_named_so_whoever_expected_it(
    place: workspace.Workspace, night: Night, show: Callable[..., Any]
) -> None:
    night(45, {PC: Status.COMPLIANT, "agneaux-srv-01": Status.COMPLIANT})
    night(0, {PC: None, "agneaux-srv-01": None, "saint-lo-srv-01": Status.COMPLIANT})
    document, table = show()
    stands = {h["name"]: h["standing"] for h in document["hosts"]}
    assert stands == {PC: "unseen", "agneaux-srv-01": "unseen", "saint-lo-srv-01": "compliant"}
    # the server was to be up
    assert document["exit_code"] == 3
    assert f"Unseen   {PC} (Agneaux): unseen for 45 days, since" in table
    assert "agneaux-srv-01  Agneaux  unseen: it cannot be reached" in table
    (place.root / "kitsurvie.toml").write_text("unseen_days = 60\n")
    document, _ = show()
    stands = {h["name"]: h["standing"] for h in document["hosts"]}
    assert (stands[PC], stands["agneaux-srv-01"]) == ("absent", "unreachable")


def test_a_machine_that_was_never_seen_is_no_compliant_one(
    night: Night, show: Callable[..., Any]
) -> None:
    night(0, {PC: None, "saint-lo-srv-01": Status.COMPLIANT})
    document, table = show()
    assert document["standings"]["unseen"] == 1
    assert f"Unseen   {PC} (Agneaux): never seen in the runs on record" in table


def test_attestations_count_apart_from_the_score(
    place: workspace.Workspace, night: Night, show: Callable[..., Any]
) -> None:
    night(0, {"agneaux-srv-01": Status.COMPLIANT, "saint-lo-srv-01": Status.COMPLIANT})
    assert [m["attestations"] for m in show()[0]["members"]] == [None, None]
    today = date.today()
    (place.inventory / "attestations.yml").write_text(
        f'attestations:\n  - {{rule: GH-42/2017/39, member: "215000027", by: a, on: "{today}", '
        f'until: "{today + timedelta(days=300)}", evidence: a document}}\n'
    )
    document, table = show()
    by_member = {m["name"]: m["attestations"] for m in document["members"]}
    assert (by_member["Agneaux"]["attested"], by_member["Saint-Lô"]["attested"]) == (1, 0)
    assert document["score"]["with_waivers"] == 1.0
    assert f"1 of {sum(by_member['Agneaux'].values())}" in table


def test_a_broken_file_is_refused_where_a_past_run_is_shown_too(
    place: workspace.Workspace, night: Night, kitsurvie: Run
) -> None:
    night(0, {"agneaux-srv-01": Status.DRIFT})
    write(place, waivers(date.today(), host="nobody"))
    said = kitsurvie("compliance", "show", "--workspace", place.root)
    assert (said.code, said.out) == (2, "")
    assert "holds no host named 'nobody'" in said.err
