"""The catalogue: what each measure is, what it is given on a host, and its stamp."""

from kitsurvie.kit.covered import Covered, How, Rule, coverage, rules
from kitsurvie.kit.documented import Variable, variables
from kitsurvie.kit.measures import load
from kitsurvie.kit.parameters import (
    Value,
    mode,
    mode_of,
    off_until,
    read_besides,
    resolve,
    values,
)
from kitsurvie.kit.plays import played
from kitsurvie.kit.stamps import stamp, stamp_base

__all__ = [
    "Covered",
    "How",
    "Rule",
    "Value",
    "Variable",
    "coverage",
    "load",
    "mode",
    "mode_of",
    "off_until",
    "played",
    "read_besides",
    "resolve",
    "rules",
    "stamp",
    "stamp_base",
    "values",
    "variables",
]
