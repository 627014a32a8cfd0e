"""Checks over evidence to verdicts. The only room that imports testinfra."""

from kitsurvie.judge.checks import Check, load, read_digest
from kitsurvie.judge.memory import Memory
from kitsurvie.judge.verdicts import Judgement, judge

__all__ = ["Check", "Judgement", "Memory", "judge", "load", "read_digest"]
