"""What day it is: asked here alone, so that a test can say."""

from __future__ import annotations

from datetime import date


def today() -> date:
    """The day of this machine."""
    return date.today()
