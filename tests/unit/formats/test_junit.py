"""JUnit: what CI tools accept, whatever hosts answered."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from tests.unit.formats.hostile import documents
from tests.unit.formats.syndicate import document, host, measure, verdict

from kitsurvie.cli.formats import junit

# the elements and attributes of the schema that CI tools share (that of Jenkins' xUnit plugin)
MAY_HOLD = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out", "system-err"},
    "properties": {"property"},
    "property": set(),
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
    "skipped": set(),
    "error": set(),
    "failure": set(),
}
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors", "disabled"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp",
                  "hostname", "id", "package"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time", "status"},
    "skipped": {"message", "type"},
    "error": {"message", "type"},
    "failure": {"message", "type"},
}  # fmt: skip
NEEDED = {"testsuite": {"name", "tests"}, "testcase": {"name", "classname"},
          "property": {"name", "value"}}  # fmt: skip


def opened(of: dict[str, Any]) -> ET.Element:
    """The file as a CI tool opens it, held against the schema."""
    root = ET.fromstring(junit.render(of))
    assert root.tag == "testsuites"
    for element in root.iter():
        assert {child.tag for child in element} <= MAY_HOLD[element.tag]
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        assert set(element.attrib) >= NEEDED.get(element.tag, set())
    for suite in root:
        order = [child.tag for child in suite]
        assert order == sorted(order, key=["properties", "testcase"].index)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        cases = suite.findall("testcase")
        assert all(len(case) <= 1 for case in cases)
        assert int(suite.attrib["tests"]) == len(cases) > 0
        for attribute, tag in (("failures", "failure"), ("errors", "error"),
                               ("skipped", "skipped")):  # fmt: skip
            assert int(suite.attrib[attribute]) == len(suite.findall(f"testcase/{tag}"))
    for attribute in ("tests", "failures", "errors"):
        total = sum(int(suite.attrib[attribute]) for suite in root)
        assert int(root.attrib[attribute]) == total
    return root


@settings(max_examples=100, deadline=None)
@given(documents())
def test_every_file_can_be_opened_whatever_hosts_answered(of: dict[str, Any]) -> None:
    opened(of)


def one_case(check: dict[str, Any]) -> ET.Element:
    root = opened(document(host("agn-srv", measures=[measure("firewall", check)])))
    (case,) = root.iter("testcase")
    return case


def test_a_drift_is_a_failure_that_says_what_was_found_and_expected_and_where_the_proof_is() -> (
    None
):
    case = one_case(
        verdict("test_x", "drift", found="<accept>", expected="drop", commands=["nft -j list"])
    )
    assert (case.get("classname"), case.get("name")) == ("firewall", "test_x[agn-srv]")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "expected drop, found <accept>"
    assert (failure.text or "").splitlines() == [
        "expected: drop", "found: <accept>", "command: nft -j list",
        "evidence: kitsurvie compliance evidence agn-srv firewall/test_x --run 412",
    ]  # fmt: skip


def test_what_could_not_be_judged_is_an_error_and_never_a_success() -> None:
    for status in ("error", "unknown", "unreachable"):
        case = one_case(verdict("test_x", status, message="it did not answer"))
        assert [(e.tag, e.get("message")) for e in case] == [("error", "it did not answer")]


def test_what_does_not_apply_or_is_answered_for_is_skipped_with_its_reason() -> None:
    waiver = {"until": "2027-01-31", "owner": "B. Lecomte", "reason": "new printer in January"}
    case = one_case(verdict("test_x", "waived", waiver=waiver))
    assert [(e.tag, e.get("message")) for e in case] == [
        ("skipped", "waived until 2027-01-31 by B. Lecomte: new printer in January")
    ]
    case = one_case(verdict("test_x", "not_applicable", message="no printer here"))
    assert [(e.tag, e.get("message")) for e in case] == [("skipped", "no printer here")]


def test_a_host_without_a_verdict_has_one_case_that_says_why() -> None:
    gone = host("a", "unreachable", detail="a does not answer", seen=None)
    away = host(
        "b", "unreachable", standing="absent", seen=None, last_seen={"at": "2026-10-09T00:00:00Z"}
    )
    root = opened(document(gone, away))
    told = [(c.get("name"), c[0].tag, c[0].get("message")) for c in root.iter("testcase")]
    assert told == [
        ("reachable[a]", "error", "a does not answer"),
        ("reachable[b]", "skipped", "last seen 2026-10-09T00:00:00Z"),
    ]


def test_an_answer_of_two_megabytes_is_cut_and_says_so() -> None:
    case = one_case(verdict("test_x", "drift", found="\x00" * 2_000_000, expected="short"))
    assert "[... cut]" in (case[0].text or "")
    assert len(ET.tostring(case)) < 20_000
