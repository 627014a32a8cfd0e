"""What happened, when, on which host: runs, outcomes, verdicts and the evidence behind them."""

from kitsurvie.ledger.book import Ledger, Outcome, Record, Run, RunState, Seen
from kitsurvie.ledger.copy import copy
from kitsurvie.ledger.hand_ins import LastHandIn
from kitsurvie.ledger.schema import SCHEMA_VERSION

__all__ = [
    "SCHEMA_VERSION",
    "LastHandIn",
    "Ledger",
    "Outcome",
    "Record",
    "Run",
    "RunState",
    "Seen",
    "copy",
]
