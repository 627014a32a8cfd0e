"""Hosts x measures, minus what is switched off; what is due, and in which order. Pure."""

from kitsurvie.plan.due import Due, due
from kitsurvie.plan.items import Plan, lay_out
from kitsurvie.plan.restart import Policy, Restart, policy, restart
from kitsurvie.plan.waves import waves

__all__ = [
    "Due",
    "Plan",
    "Policy",
    "Restart",
    "due",
    "lay_out",
    "policy",
    "restart",
    "waves",
]
