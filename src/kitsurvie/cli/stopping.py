"""A run that nobody sits in front of is stopped by SIGTERM: as politely as by Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def politely() -> Iterator[None]:
    """SIGTERM ends what is inside as Ctrl-C does: what is known is written down first.

    Around a whole command, the writing of its report too: a night must not pass for a good one.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
