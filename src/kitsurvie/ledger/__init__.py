"""What happened, when, on which host: runs, outcomes, verdicts and the evidence behind them."""

from kitsurvie.ledger.book import Ledger
from kitsurvie.ledger.copy import copy
from kitsurvie.ledger.hand_ins import LastHandIn
from kitsurvie.ledger.schema import SCHEMA_VERSION
from kitsurvie.ledger.words import (
    Acknowledgement,
    Change,
    Ended,
    Interval,
    LastLook,
    LastSeen,
    Marks,
    Outcome,
    Past,
    Pruned,
    Record,
    Retention,
    Run,
    RunState,
    Seen,
    Tally,
)

__all__ = [
    "SCHEMA_VERSION",
    "Acknowledgement",
    "Change",
    "Ended",
    "Interval",
    "LastHandIn",
    "LastLook",
    "LastSeen",
    "Ledger",
    "Marks",
    "Outcome",
    "Past",
    "Pruned",
    "Record",
    "Retention",
    "Run",
    "RunState",
    "Seen",
    "Tally",
    "copy",
]
