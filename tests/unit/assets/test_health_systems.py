"""Which system an agent means, and until when it is supported."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from kitsurvie.assets.support import FREE, PAID, extendable, judge_system, table
from kitsurvie.assets.systems import Family, recognise
from kitsurvie.model import Status

TODAY = date(2026, 11, 26)
NONE: frozenset[str] = frozenset()


def status(
    system: str, version: str = "", today: date = TODAY, extended: frozenset[str] = NONE
) -> Status:
    return judge_system(recognise(system, version), today, extended).status


@pytest.mark.parametrize(
    ("system", "version", "name", "edition", "release", "build"),
    [
        ("Microsoft Windows 10 Professionnel", "22H2", "windows-10", "pro", "22H2", None),
        ("Microsoft Windows 10 Pro", "10.0.19045.2006", "windows-10", "pro", "", 19045),
        ("Microsoft Windows 10 Professionnel", "2009", "windows-10", "pro", "", None),
        ("Windows 11 Famille", "23h2", "windows-11", "home", "23H2", None),
        ("Microsoft Windows 11 Home Single Language", "", "windows-11", "home", "", None),
        ("Microsoft Windows 10 Entreprise LTSC", "21H2", "windows-10", "ltsc", "21H2", None),
        ("Microsoft Windows 10 Entreprise 2016 LTSB", "", "windows-10", "ltsc", "1607", None),
        ("Windows 10 Enterprise LTSC 2019", "1809", "windows-10", "ltsc", "1809", None),
        ("Windows 10 IoT Enterprise LTSC", "21H2", "windows-10", "iot-ltsc", "21H2", None),
        ("Microsoft Windows 11 Éducation", "24H2", "windows-11", "education", "24H2", None),
        ("Microsoft Windows 10 Professionnel Éducation", "", "windows-10", "pro", "", None),
        ("Microsoft Windows 10 Professionnel N", "1909", "windows-10", "pro", "1909", None),
        ("Microsoft Windows 10 Entreprise", "2004", "windows-10", "enterprise", "2004", None),
        ("Windows 10 IoT Core", "22H2", "windows-10", "other", "22H2", None),
        ("Windows", "10 Pro", "windows-10", "pro", "", None),
        ("Windows", "10.0.19045", "", "", "", 19045),
        ("Microsoft Windows 8.1 Professionnel", "6.3.9600", "windows-8.1", "", "", None),
        ("Microsoft Windows 8 Professionnel", "6.2.9200", "windows-8", "", "", None),
        ("Microsoft Windows 7 Professionnel", "6.1.7601", "windows-7", "", "", None),
        ("Microsoft Windows Vista™ Professionnel", "", "windows-vista", "", "", None),
        ("Microsoft Windows XP Professionnel", "", "windows-xp", "", "", None),
        ("Microsoft Windows Server 2019 Standard", "1809", "windows-server", "", "2019", None),
        ("Microsoft® Windows Server® 2008 Standard", "", "windows-server", "", "2008", None),
        (
            *("Microsoft(R) Windows(R) Server 2003, Enterprise Edition x64", ""),
            *("windows-server", "", "2003", None),
        ),
        (
            *("Microsoft Windows Server 2012 R2 Standard", "6.3.9600"),
            *("windows-server", "", "2012 R2", None),
        ),
        ("Windows Embedded Standard", "6.1.7601", "", "", "", None),
        ("Microsoft Windows Server 20H2 Datacenter", "10.0.19042", "", "", "", 19042),
    ],
)
def test_a_windows_is_known_as_agents_write_it_in_french_and_in_english(
    system: str, version: str, name: str, edition: str, release: str, build: int | None
) -> None:
    found = recognise(system, version)
    assert found.family is Family.WINDOWS
    assert (found.name, found.edition, found.version, found.build) == (
        name, edition, release, build
    )  # fmt: skip


@pytest.mark.parametrize(
    ("system", "version", "name", "release"),
    [
        ("Debian GNU/Linux 12 (bookworm)", "12 (bookworm)", "debian", "12"),
        ("Debian GNU/Linux", "10.3", "debian", "10"),
        ("Debian", "12", "debian", "12"),
        ("Debian GNU/Linux", "6.1.0-18-amd64", "debian", ""),
        ("Debian GNU/Linux unstable (sid)", "", "debian", ""),
        ("Ubuntu 22.04.3 LTS", "22.04.3 LTS (Jammy Jellyfish)", "ubuntu", "22.04"),
        ("Ubuntu", "18.04", "ubuntu", "18.04"),
        ("Ubuntu", "6.12.10-generic", "ubuntu", ""),
        ("macOS", "10.13.5 (17F77)", "macos", "10.13.5 (17F77)"),
        ("Mac OS X", "10.11", "macos", "10.11"),
        ("Fedora 31 (Workstation Edition)", "31", "", ""),
        ("Linux Mint 21", "21", "", ""),
        ("Raspbian GNU/Linux 11 (bullseye)", "11", "", ""),
    ],
)
def test_another_system_is_told_from_windows(
    system: str, version: str, name: str, release: str
) -> None:
    found = recognise(system, version)
    assert found.family is Family.OTHER
    assert (found.name, found.version) == (name, release)


@pytest.mark.parametrize("system", ["", "N/A", "10 Pro", "système inconnu"])
def test_a_word_that_names_no_system_names_no_family_either(system: str) -> None:
    assert recognise(system).family is Family.UNKNOWN
    assert status(system) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("system", "version", "end"),
    [
        ("Microsoft Windows 10 Professionnel", "22H2", date(2025, 10, 14)),
        ("Microsoft Windows 10 Famille", "10.0.19045", date(2025, 10, 14)),
        ("Microsoft Windows 10", "22H2", date(2025, 10, 14)),
        ("Microsoft Windows 10 Entreprise LTSC", "21H2", date(2027, 1, 12)),
        ("Microsoft Windows 10 Entreprise LTSC", "10.0.17763", date(2029, 1, 9)),
        ("Microsoft Windows 10 Entreprise 2016 LTSB", "10.0.14393", date(2026, 10, 13)),
        ("Microsoft Windows 10 IoT Entreprise LTSC", "10.0.19044", date(2032, 1, 13)),
        ("Microsoft Windows 11 Professionnel", "10.0.22631", date(2025, 11, 11)),
        ("Microsoft Windows 11 Professionnel", "10.0.26100", date(2026, 10, 13)),
        ("Microsoft Windows 11 Entreprise", "10.0.26100", date(2027, 10, 12)),
        ("Microsoft Windows 11 Éducation", "23H2", date(2026, 11, 10)),
        ("Microsoft Windows 11 Famille", "10.0.26200", date(2027, 10, 12)),
        ("Windows 10 Pro", "10.0.22631", date(2025, 11, 11)),
        ("Microsoft Windows 7 Professionnel", "6.1.7601", date(2020, 1, 14)),
        ("Microsoft Windows 8.1 Professionnel", "6.3.9600", date(2023, 1, 10)),
        ("Microsoft Windows Server 2008 R2 Standard", "6.1.7601", date(2020, 1, 14)),
        ("Microsoft Windows Server 2016 Standard", "10.0.14393", date(2027, 1, 12)),
        ("Microsoft Windows Server 2025 Standard", "10.0.26100", date(2034, 11, 14)),
        ("Microsoft Windows 11 Professionnel", "10.0.28000", date(2028, 3, 14)),
        ("Microsoft Windows 11 Famille", "26H2", date(2028, 10, 10)),
        ("Ubuntu 26.04 LTS", "26.04", date(2031, 5, 29)),
        ("Debian GNU/Linux 11 (bullseye)", "11.9", date(2026, 8, 31)),
        ("Debian GNU/Linux 12 (bookworm)", "12.4", date(2028, 6, 30)),
        ("Ubuntu 20.04.6 LTS", "20.04", date(2025, 5, 29)),
    ],
)
def test_a_system_is_supported_to_its_last_day_and_not_the_day_after(
    system: str, version: str, end: date
) -> None:
    assert status(system, version, end) is Status.COMPLIANT
    assert status(system, version, date.fromordinal(end.toordinal() + 1)) is Status.DRIFT


@pytest.mark.parametrize(
    ("system", "version"),
    [
        ("Microsoft Windows 11 Professionnel", "27H2"),
        ("Microsoft Windows 11 Entreprise", "10.0.26300"),
        ("Microsoft Windows 11 Professionnel", "10.0.27999"),
        ("Microsoft Windows 11 Professionnel", ""),
        ("Microsoft Windows 11 Professionnel", "2009"),
        ("Microsoft Windows 11", "24H2"),
        ("Microsoft Windows 11 Professionnel", "10.0.19045"),
        ("Microsoft Windows 11 Professionnel", "23H2 10.0.26200"),
        ("Microsoft Windows 11 SE", "25H2"),
        ("Microsoft Windows 11 Entreprise LTSC", "23H2"),
        ("Microsoft Windows 10", ""),
        ("Microsoft Windows 10 Entreprise LTSC", ""),
        ("Microsoft Windows 7 Professionnel", "10.0.19045"),
        ("Microsoft Windows 12 Professionnel", "28H2"),
        ("Microsoft Windows Server 2019 Standard", "10.0.18363"),
        ("Microsoft Windows Server 2022 Standard", "10.0.17763"),
        ("Microsoft Windows Server Datacenter", "10.0.17763"),
        ("Windows", "10.0.26100"),
        ("Debian GNU/Linux", ""),
        ("Debian GNU/Linux trixie/sid", "trixie/sid"),
        ("Debian GNU/Linux 14 (forky)", "14"),
        ("Ubuntu 23.10", "23.10"),
        ("Fedora 31 (Workstation Edition)", "31"),
    ],
)
def test_what_the_table_does_not_date_is_unknown_with_what_it_was(
    system: str, version: str
) -> None:
    said = judge_system(recognise(system, version), TODAY, NONE)
    assert said.status is Status.UNKNOWN
    assert said.found == f"{system} {version}".strip()
    assert said.found in said.text.en
    assert said.found in said.text.fr


def test_a_windows_10_of_no_version_is_ended_once_every_version_of_its_edition_is() -> None:
    assert status("Microsoft Windows 10 Professionnel", "", date(2025, 10, 15)) is Status.DRIFT
    assert status("Microsoft Windows 10 Professionnel", "", date(2025, 10, 14)) is Status.UNKNOWN
    assert status("Windows 10 Pro", "", extended=frozenset({"windows-10"})) is Status.UNKNOWN


def test_a_system_that_goes_on_may_have_versions_that_the_table_does_not_know_yet() -> None:
    for system in ("Microsoft Windows 11 Professionnel", "Debian GNU/Linux", "Ubuntu"):
        assert status(system, "", date(2039, 1, 1)) is Status.UNKNOWN


def test_apple_publishes_no_date_and_that_is_said() -> None:
    said = judge_system(recognise("macOS", "14.4"), TODAY, NONE)
    assert said.status is Status.UNKNOWN
    assert "Apple" in said.text.fr
    assert "Apple" in said.text.en


def test_a_paid_extension_counts_where_the_syndicate_says_it_bought_it() -> None:
    bought = frozenset({"windows-10", "ubuntu"})
    for system, version in (("Windows 10 Pro", "22H2"), ("Ubuntu 20.04 LTS", "20.04")):
        alone = judge_system(recognise(system, version), TODAY, NONE)
        assert alone.status is Status.DRIFT
        assert "unless its paid extension was bought" in alone.text.en
        assert "sauf extension payante" in alone.text.fr
        paid = judge_system(recognise(system, version), TODAY, bought)
        assert paid.status is Status.COMPLIANT
        assert "by the paid extension" in paid.text.en
    assert status("Windows 10 Famille", "22H2", extended=bought) is Status.DRIFT
    assert status("Windows 10 Pro", "21H2", extended=bought) is Status.DRIFT
    over = judge_system(recognise("Windows Server 2012 R2 Standard"), TODAY, NONE)
    assert "unless" not in over.text.en, "its extension has ended as well"
    assert bought < extendable()


def test_debian_s_long_term_support_is_free_and_is_said() -> None:
    said = judge_system(recognise("Debian GNU/Linux 12 (bookworm)"), TODAY, NONE)
    assert said.status is Status.COMPLIANT
    assert "LTS" in said.text.en
    stable = judge_system(recognise("Debian GNU/Linux 13 (trixie)"), date(2026, 1, 1), NONE)
    assert "2030-06-30" in stable.text.en


def test_every_line_of_the_table_is_dated_sourced_and_said_once() -> None:
    assert len(table()) > 70
    for line in table():
        assert line.source
        assert line.read in {"list", "copy", "report"}
        assert 2023 <= line.year <= TODAY.year
        assert line.stage in (*FREE, PAID)
        assert date(2010, 1, 1) < line.end < date(2040, 1, 1)
    said = Counter(
        (line.system, line.version, edition, line.stage)
        for line in table()
        for edition in line.editions or {""}
    )
    assert set(said.values()) == {1}


def test_a_build_is_of_one_version_and_a_version_has_one_build() -> None:
    pairs = {
        (line.system == "windows-server", line.build, line.system, line.version)
        for line in table()
        if line.build
    }
    assert set(Counter(pair[:2] for pair in pairs).values()) == {1}
    assert set(Counter(pair[2:] for pair in pairs).values()) == {1}


def test_a_later_stage_ends_later_and_no_stage_stands_alone() -> None:
    standard = {
        (line.system, line.version, edition): line.end
        for line in table()
        if line.stage == "standard"
        for edition in line.editions or {""}
    }
    later = [line for line in table() if line.stage != "standard"]
    assert later
    for line in later:
        for edition in line.editions or {""}:
            assert standard[line.system, line.version, edition] < line.end
