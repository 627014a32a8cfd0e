"""What a waiver or an attestation may be about, read from the kit when one asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from kitsurvie import kit
from kitsurvie.cli.told import SUPPORTED_RELEASE
from kitsurvie.inventory import Known
from kitsurvie.kit import How
from kitsurvie.model import Measure


def known(measures: Mapping[str, Measure], roles: Sequence[Path]) -> Known:
    """The checks of each measure, and of each rule of the norms why it is not to be attested."""

    def checks(measure: str) -> Collection[str]:
        # read when a waiver names a check: a quarter of a second that most commands need not wait
        from kitsurvie import judge

        if measure not in measures:
            return (SUPPORTED_RELEASE,)
        return [check.name for check in judge.load(measures[measure])]

    def rules() -> Mapping[str, str]:
        return {one.rule.id: _why_not(one) for one in kit.coverage(measures.values(), roles)}

    return Known(checks, rules)


def to_attest(what: Known) -> tuple[str, ...]:
    """The rules that somebody has to state, in the order of their norm."""
    return tuple(rule for rule, why_not in what.rules().items() if not why_not)


def _why_not(one: kit.Covered) -> str:
    if one.how is How.ATTESTED:
        return ""
    if one.how is How.LEFT_OUT:
        return "the kit leaves it out, with a reason"
    return f"it is verified by {', '.join(one.measures) or 'the kit as a whole'}"
