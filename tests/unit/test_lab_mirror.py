"""Where packages come from, read from what apt says of itself."""

from __future__ import annotations

import pytest

from kitsurvie.errors import LabError
from kitsurvie.lab.mirror import parse

TARGETS = """\
http://other.example/ce/|bookworm|Vendor|stable|Packages
http://mirror.example/debian/|bookworm|Debian|main|Packages
http://mirror.example/debian/|bookworm-updates|Debian|main|Packages
http://mirror.example/debian-security/|bookworm-security|Debian|main|Packages
http://late.example/debian/|trixie|Debian|main|Packages
"""


def test_the_archive_and_the_security_updates_are_found_among_others() -> None:
    mirror = parse(TARGETS, "")
    assert mirror.archive == "http://mirror.example/debian"
    assert mirror.security == "http://mirror.example/debian-security"


def test_a_vendor_with_a_component_main_is_not_taken_for_debian() -> None:
    vendor = "http://vendor.example/apt/|bookworm|Vendor|main|Packages\n"
    assert parse(vendor + TARGETS, "").archive == "http://mirror.example/debian"


def test_sources_of_another_release_keep_the_mirror_and_want_signatures() -> None:
    sources = parse(TARGETS, "").sources("trixie")
    assert "URIs: http://mirror.example/debian\nSuites: trixie trixie-updates\n" in sources
    assert "URIs: http://mirror.example/debian-security\nSuites: trixie-security\n" in sources
    assert sources.count("Signed-By: /usr/share/keyrings/") == 2


def test_checks_of_dates_are_carried_over_only_when_switched_off() -> None:
    off = 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n'
    assert parse(TARGETS, off).apt_conf() == off
    assert parse(TARGETS, off.replace("false", "true")).apt_conf() == ""
    assert parse(TARGETS, 'APT::Install-Recommends "false";\n').apt_conf() == ""


def test_the_proxy_of_the_host_is_carried_over() -> None:
    mirror = parse(TARGETS, 'Acquire::http::Proxy "http://proxy.example:3128";\n')
    assert mirror.proxy == "http://proxy.example:3128"
    assert "proxy.example" in mirror.apt_conf()
    direct = parse(TARGETS, 'Acquire::http::Proxy::mirror.example "DIRECT";\n')
    assert direct.proxy == ""


@pytest.mark.parametrize(
    ("targets", "lacking"),
    [("", "archive"), (TARGETS.replace("bookworm-security", "x-backports"), "security updates")],
)
def test_a_host_without_debian_sources_is_told_which_are_missing(
    targets: str, lacking: str
) -> None:
    with pytest.raises(LabError, match=lacking):
        parse(targets, "")
