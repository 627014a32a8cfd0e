"""The Ansible inventory as hosts with their member, place, EPCI and profile."""

from kitsurvie.inventory.checking import check
from kitsurvie.inventory.pinned import pinned
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.inventory.reading import load
from kitsurvie.inventory.selection import select
from kitsurvie.inventory.statements import Known, Statements
from kitsurvie.inventory.statements import load as load_statements

__all__ = [
    "Known",
    "Problem",
    "Severity",
    "Statements",
    "check",
    "load",
    "load_statements",
    "pinned",
    "select",
]
