"""Which system an inventory means, from what its agent wrote. What is not told stays empty."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from kitsurvie.assets.folding import fold


class Family(StrEnum):
    """Whether a system is a Windows; unknown is what no word tells."""

    WINDOWS = "windows"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class System:
    """A system as the table of ends of support names it.

    `said` is what the inventory wrote. `name` is `windows-10`, `debian`, `macos`, or empty;
    `edition` is home, pro, enterprise, education, ltsc, iot-ltsc or other of a Windows 10 or 11.
    `version` is what the name of the version says (`22H2`, `12`), `build` the number of a Windows'
    build.
    """

    said: str
    family: Family = Family.UNKNOWN
    name: str = ""
    edition: str = ""
    version: str = ""
    build: int | None = None


_WINDOWS = re.compile(r"\b(?:windows|mswin32|win32|winnt)\b")
_MARKS = re.compile(r"\((?:r|tm|c)\)|[®™©]", re.IGNORECASE)
_CLIENT = re.compile(r"\bwindows (11|10|8 1|8|7|vista|xp)\b")
_SERVER = re.compile(r"\bwindows server (20[0-9]{2})\b( r2\b)?")
_BUILD = re.compile(r"\b10\.0\.([0-9]{5})(?:\.[0-9]+)?\b")
# 1507 to 2004, then 20H2 and on
_RELEASE = re.compile(r"\b(1[5-9]0[0-9]|20[0-9]{2}|2[0-9]H[12])\b", re.IGNORECASE)
# what the registry of every version since 20H2 says: it names none of them
_SINCE_20H2 = "2009"
_LTSC = re.compile(r"\blts[bc]\b")
# the year that a long-term release is called by, and the version it is made from
_LTSC_VERSIONS = {
    "2015": "1507", "2016": "1607", "2019": "1809", "2021": "21H2", "2024": "24H2",
}  # fmt: skip
# the first that is found counts: Pro Education goes with Pro
_EDITIONS = (
    (re.compile(r"\biot core\b|\b1[01] (?:se|team|mobile)\b"), "other"),
    (re.compile(r"\b(?:pro|professionnel|professional) education\b"), "pro"),
    (re.compile(r"\b(?:entreprise|enterprise)\b"), "enterprise"),
    (re.compile(r"\beducation\b"), "education"),
    (re.compile(r"\b(?:pro|professionnel|professional)\b"), "pro"),
    (re.compile(r"\b(?:home|famille)\b"), "home"),
)
_MACOS = re.compile(r"\b(?:mac os|macos|macosx|os x)\b")
_OTHER = re.compile(
    r"\b(?:linux|debian|ubuntu|fedora|red hat|rhel|centos|rocky|almalinux|suse|opensuse|mint|"
    r"darwin|(?:free|open|net)bsd|android|ios|ipados|chrome os|chromeos|aix|solaris|esxi)\b"
)
_DEBIAN = re.compile(r"^debian(?: gnu linux)?\b(?: ([0-9]{1,2})\b)?")
# not the version of a kernel, as in 6.1.0-18-amd64
_DEBIAN_VERSION = re.compile(r"([0-9]{1,2})(?:\.[0-9]{1,2})?(?:\s*\(.*\))?")
_UBUNTU_VERSION = re.compile(r"(?<![0-9.])([12][0-9]\.(?:04|10))\b")


@lru_cache(maxsize=1 << 12)
def recognise(system: str, version: str = "") -> System:
    """The system that these two texts of an inventory mean."""
    said = " ".join(f"{system} {version}".split())
    name = fold(_MARKS.sub(" ", system))
    if _WINDOWS.search(name):
        return _windows(said, name, system, version)
    if _MACOS.search(name):
        return System(said, Family.OTHER, "macos", version=version.strip())
    if found := _DEBIAN.match(name):
        told = _DEBIAN_VERSION.fullmatch(version.strip())
        number = found[1] or (told[1] if told else "")
        return System(said, Family.OTHER, "debian", version=number)
    if name.split()[:1] == ["ubuntu"]:
        number = _UBUNTU_VERSION.search(system) or _UBUNTU_VERSION.search(version)
        return System(said, Family.OTHER, "ubuntu", version=number[1] if number else "")
    return System(said, Family.OTHER if _OTHER.search(name) else Family.UNKNOWN)


def _windows(said: str, name: str, system: str, version: str) -> System:
    whole = f"{system} {version}"
    build = int(found[1]) if (found := _BUILD.search(whole)) else None
    if server := _SERVER.search(name):
        release = f"{server[1]} R2" if server[2] else server[1]
        return System(said, Family.WINDOWS, "windows-server", version=release, build=build)
    client = _CLIENT.search(name)
    if client is None and name == "windows" and build is None:
        client = _CLIENT.search(f"windows {fold(version)}")  # a CSV that cuts "Windows 10" in two
    if client is None:
        return System(said, Family.WINDOWS, build=build)
    number = client[1].replace(" ", ".")
    if number not in ("10", "11"):
        return System(said, Family.WINDOWS, f"windows-{number}", build=build)
    words = fold(whole)
    edition = _edition(words)
    release = _release(version) or _release(system)
    if edition.endswith("ltsc"):
        release = _LTSC_VERSIONS.get(release, release)
    return System(said, Family.WINDOWS, f"windows-{number}", edition, release, build)


def _edition(words: str) -> str:
    if _LTSC.search(words):
        return "iot-ltsc" if "iot" in words.split() else "ltsc"
    return next((edition for pattern, edition in _EDITIONS if pattern.search(words)), "")


def _release(text: str) -> str:
    found = _RELEASE.search(_BUILD.sub(" ", text))
    return found[1].upper() if found and found[1] != _SINCE_20H2 else ""
