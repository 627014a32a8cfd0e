"""The day on which a machine is so many years old."""

from __future__ import annotations

from datetime import date


def anniversary(day: date, years: int) -> date:
    """The same day so many years later; 28 February where that year has no 29.

    A term in years ends on the day of the same number or, where there is none, on the last of the
    month: article 641 of the Code de procédure civile.
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)
