"""The Ansible inventory as hosts with their member, place, EPCI and profile."""

from kitsurvie.inventory.checking import check
from kitsurvie.inventory.pinned import pinned
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.inventory.reading import load
from kitsurvie.inventory.selection import select

__all__ = ["Problem", "Severity", "check", "load", "pinned", "select"]
