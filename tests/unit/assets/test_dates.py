"""Dates as exports write them, and none where they do not say enough."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kitsurvie.assets.readers import dates

PARIS = dates.paris()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-29 08:10", datetime(2026, 10, 29, 7, 10)),
        ("2026-07-29 08:10:30", datetime(2026, 7, 29, 6, 10, 30)),
        ("2026-10-29T08:10:30Z", datetime(2026, 10, 29, 8, 10, 30)),
        ("2026-10-29T08:10:30.123+02:00", datetime(2026, 10, 29, 6, 10, 30)),
        ("2026-10-29", datetime(2026, 10, 29, 11, 0)),
        ("29/10/2026", datetime(2026, 10, 29, 11, 0)),
        ("29/10/2026 08:10", datetime(2026, 10, 29, 7, 10)),
        ("29-10-2026 8:10", datetime(2026, 10, 29, 7, 10)),
        ("9/2/2026 à 8h05", datetime(2026, 2, 9, 7, 5)),
    ],
)
def test_a_moment_is_read_as_it_is_written_and_told_in_utc(text: str, expected: datetime) -> None:
    assert dates.moment(text, PARIS) == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "0000-00-00", "0000-00-00 00:00:00", "Never", "jamais"])
def test_no_date_is_no_error(text: str) -> None:
    assert dates.moment(text, PARIS) is None


@pytest.mark.parametrize(
    "text",
    [
        *("31/02/2026", "2026-13-01", "10/29/2026", "2026-10-29 25:00", "29/10/26", "hier", "-1"),
        *("0001-01-01", "9999-12-31", "２０２６-10-29", "2026-10-29 08:10 +99:99", "1" * 5000),
    ],
)
def test_what_is_no_date_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(dates.NoDate):
        dates.moment(text, PARIS)


def test_a_reason_quotes_digits_and_never_a_word_that_may_be_a_name() -> None:
    with pytest.raises(dates.NoDate, match=r"\(31/02/2026\)"):
        dates.moment("31/02/2026", PARIS)
    with pytest.raises(dates.NoDate) as caught:
        dates.moment("Marie Dupont", PARIS)
    assert "Marie" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-29 23:59", date(2026, 10, 29)),
        ("29/10/2026 00:01:00", date(2026, 10, 29)),
        ("20261029081500.0Z", date(2026, 10, 29)),
        ("134062107000000000", date(2025, 10, 29)),
        ("0", None),
        ("9223372036854775807", None),
    ],
)
def test_a_day_is_the_day_written_also_as_a_directory_writes_it(
    text: str, expected: date | None
) -> None:
    assert dates.day(text) == expected


def test_a_number_of_a_directory_that_is_too_large_is_no_date() -> None:
    with pytest.raises(dates.NoDate):
        dates.day("9223372036854775806")


def test_the_identifier_of_the_agent_gives_a_year_that_the_weekday_must_bear_out() -> None:
    installed = dates.install_day("PC-1-2026-10-29-09-00-00#7")
    assert installed == date(2026, 10, 29)
    assert dates.logon("Thu Oct 29 08:15", PARIS, installed) is not None
    assert dates.logon("Fri Oct 29 08:15", PARIS, installed) is None


@pytest.mark.parametrize("deviceid", ["PC-1", "PC-2026-10-29", "PC-2026-99-99-00-00-00", ""])
def test_an_identifier_without_a_day_gives_none(deviceid: str) -> None:
    assert dates.install_day(deviceid) is None


def test_a_logon_without_any_year_stays_unknown() -> None:
    assert dates.logon("Thu Oct 29 08:15", PARIS, None) is None
    assert dates.logon("Thu Feb 30 08:15", PARIS, date(2026, 1, 1)) is None
    assert dates.logon("Thu Oct 29 08:15:00 2026", PARIS, None) is not None
    assert dates.logon("whenever", PARIS, date(2026, 1, 1)) is None
