"""Whatever a host may answer: controls, direction marks, half characters, markup, formulas."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from tests.unit.formats import syndicate

KNOWN = (
    "\x00\x01\x1b[2J", "\ufffe\uffff", "\ud800", "\u202egnp.exe\u2066", "]]>", "<script>alert(1)",
    "</code></dd><img src=x onerror=alert(1)>", '"><b>', "&lt;&#0;", "=cmd|'/c calc'!A0",
    "x;=1+1;y", "a\n=1+1\r\n-2", "\t=1", "＝1+1", "@SUM(1)", '"",=1', "\x85\u2028\u2029", "é" * 900,
    "{{ 7 * 7 }}{% raw %}", "\\u0000", "'=1", "line\n\n\nline", "\u0627\u0644",
)  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(KNOWN),
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.lists(st.sampled_from(KNOWN), max_size=4).map("".join),
)
STATUSES = (
    "compliant", "drift", "not_applicable", "waived", "unreachable", "error", "unknown", "new one",
)  # fmt: skip
STATES = ("done", "drift", "failed", "held", "unreachable", "error", "pending", "new one")


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A run of a few hosts of which every text is hostile."""
    hosts = []
    for number in range(draw(st.integers(0, 3))):
        checks = [
            syndicate.verdict(
                draw(TEXT), draw(st.sampled_from(STATUSES)), found=draw(TEXT), expected=draw(TEXT),
                commands=draw(st.lists(TEXT, max_size=2)), message=draw(TEXT),
            )
            for _ in range(draw(st.integers(0, 3)))
        ]  # fmt: skip
        one = syndicate.measure(draw(st.sampled_from(("firewall", "updates"))), *checks)
        one["ansible"] = draw(st.sampled_from((None, {"state": "failed", "task": "t",
                                                      "message": draw(TEXT)})))  # fmt: skip
        hosts.append(
            syndicate.host(
                f"h{number}", draw(st.sampled_from(STATES)), detail=draw(TEXT), measures=[one],
                member={"siren": "215000027", "name": draw(TEXT)},
                acknowledged=[{"measure": "firewall", "check": draw(TEXT), "by": draw(TEXT),
                               "reason": draw(TEXT), "until": "2026-10-31"}],
                seen=draw(st.sampled_from((None, "2026-10-12T00:03:00+00:00", "never"))),
            )
        )  # fmt: skip
    ending = {"measure": draw(TEXT), "check": draw(TEXT), "for": draw(TEXT), "until": draw(TEXT),
              "owner": draw(TEXT)}  # fmt: skip
    return syndicate.document(*hosts, notes=[draw(TEXT)], waivers_ending=[ending])


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """What is new, of which every text is hostile."""
    one = {"host": draw(TEXT), "measure": draw(TEXT), "check": draw(TEXT), "times_lately": 2}
    return {
        "from": {"run": 411, "started": draw(TEXT)},
        "new_drift": [one],
        "newly_waived": [one],
        "waivers_over": [one],
        "newly_absent": [{"host": draw(TEXT), "detail": draw(TEXT), "last_judged": None}],
    }
