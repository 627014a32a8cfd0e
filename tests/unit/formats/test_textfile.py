"""Prometheus: counts that promtool accepts, and nobody's name."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.formats import syndicate
from tests.unit.formats.hostile import documents
from tests.unit.formats.syndicate import ENDED, document, host, measure, verdict

from kitsurvie.cli.formats import textfile

PROMTOOL = shutil.which("promtool")


def samples(content: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    }


def lone(content: bytes) -> dict[str, float]:
    return {name: value for (name, labels), value in samples(content).items() if not labels}


@settings(max_examples=100, deadline=None)
@given(documents())
def test_every_file_can_be_read_whatever_hosts_answered(of: dict[str, Any]) -> None:
    found = samples(textfile.render(of))
    counted = [v for (name, _), v in found.items() if name == "kitsurvie_compliance_hosts"]
    assert sum(counted) == len(of["hosts"])


def test_hosts_are_counted_by_member_profile_and_state_and_checks_by_measure() -> None:
    drift = measure("firewall", verdict("test_x", "drift"), verdict("test_y", "drift"))
    found = samples(
        textfile.render(
            document(
                host("a", "drift", measures=[drift]),
                host("b", "drift", measures=[drift]),
                host("c", measures=[measure("firewall", verdict("test_x"))], profile="desktop"),
            )
        )
    )
    hosts = {labels: v for (name, labels), v in found.items() if name.endswith("_hosts") and labels}
    member = ("member", "215000027")
    assert hosts == {
        (member, ("profile", "server"), ("state", "drift")): 2,
        (member, ("profile", "server"), ("state", "compliant")): 0,
        (member, ("profile", "desktop"), ("state", "drift")): 0,
        (member, ("profile", "desktop"), ("state", "compliant")): 1,
        (("measure", "firewall"),): 2,
    }
    key = (("measure", "firewall"), ("status", "drift"))
    assert found["kitsurvie_compliance_checks", key] == 4


def test_a_run_in_which_nobody_answered_does_not_count_as_a_success() -> None:
    silent = document(host("a", "unreachable", seen=None))
    fine = document(host("a", measures=[measure("m", verdict("t"))]))
    assert textfile.LAST_SUCCESS not in lone(textfile.render(silent))
    first = textfile.render(fine)
    assert lone(first)[textfile.LAST_SUCCESS] == ENDED.timestamp()
    then = textfile.render(silent, textfile.success(first.decode()))
    assert lone(then)[textfile.LAST_SUCCESS] == ENDED.timestamp()
    assert lone(then)["kitsurvie_compliance_last_run_timestamp_seconds"] == ENDED.timestamp()


@pytest.mark.parametrize(
    "text", ["", "{", "garbage {", "a b c\n", textfile.LAST_SUCCESS + " NaN\n", 'x{a="\n']
)
def test_a_file_that_says_nothing_of_use_is_no_success(text: str) -> None:
    assert textfile.success(text) is None


def test_no_name_of_a_host_address_or_login_is_in_the_file() -> None:
    night = syndicate.night()
    content = textfile.render(night).decode()
    lines = content.splitlines()
    words = {word for line in lines for word in line.replace('"', " ").replace("=", " ").split()}
    named = {value for one in night["hosts"] for value in (one["name"], one["address"])}
    assert len(named) > 1000
    assert not named & words
    assert night["by"] not in content
    assert len([line for line in lines if not line.startswith("#")]) < 6000


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not here")
def test_promtool_finds_nothing_to_say() -> None:
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=textfile.render(syndicate.night()), capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
