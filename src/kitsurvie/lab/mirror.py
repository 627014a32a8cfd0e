"""Where this machine gets its Debian packages from, as its own apt is configured."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from kitsurvie.errors import LabError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_TARGET_FORMAT = "$(REPO_URI)|$(RELEASE)|$(ORIGIN)|$(COMPONENT)|$(CREATED_BY)"
_CHECKS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")
_PROXY = re.compile(r"Acquire::(https?)::Proxy(::.*)?$")


@dataclass(frozen=True, slots=True)
class Mirror:
    """Base addresses of the archive and of its security updates, and apt settings to carry over.

    `settings` are (name, value) pairs; `proxy` is the proxy for http, or empty.
    """

    archive: str
    security: str
    settings: tuple[tuple[str, str], ...]
    proxy: str

    def sources(self, release: str) -> str:
        """The deb822 sources of a machine of that release, signatures required."""
        return (
            f"Types: deb\nURIs: {self.archive}\nSuites: {release} {release}-updates\n"
            f"Components: main\nSigned-By: {KEYRING}\n\n"
            f"Types: deb\nURIs: {self.security}\nSuites: {release}-security\n"
            f"Components: main\nSigned-By: {KEYRING}\n"
        )

    def apt_conf(self) -> str:
        """The settings as lines of an apt.conf file, or nothing."""
        return "".join(f'{name} "{value}";\n' for name, value in self.settings)


def read() -> Mirror:
    """Ask apt. Raises LabError when apt has no Debian archive with its security updates."""
    targets = _ask(["apt-get", "indextargets", "--format", _TARGET_FORMAT])
    return parse(targets, _ask(["apt-config", "dump"]))


def _ask(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError(
            f"apt does not say where packages come from: {' '.join(argv[:2])} failed.",
            remedy="The lab needs a Debian host whose `apt-get update` works.",
        ) from error


def parse(targets: str, configuration: str) -> Mirror:
    """Read the answers of `apt-get indextargets` and `apt-config dump`."""
    archive = security = ""
    for line in targets.splitlines():
        uri, release, origin, component, _created_by = line.split("|")
        if component != "main" or origin not in ("Debian", "", "$(ORIGIN)"):
            continue
        if re.fullmatch(r"[a-z]+", release):
            archive = archive or uri
        elif release.endswith("-security"):
            security = security or uri
    if not archive or not security:
        lacking = "security updates" if archive else "archive"
        raise LabError(
            f"apt's configuration here names no Debian {lacking}, so the lab has no mirror.",
            where="/etc/apt/sources.list, /etc/apt/sources.list.d",
            remedy="Add Debian's main archive and its security suite there, then `apt-get update`.",
        )
    return Mirror(archive.rstrip("/"), security.rstrip("/"), *_carried(configuration))


def _carried(configuration: str) -> tuple[tuple[tuple[str, str], ...], str]:
    settings: list[tuple[str, str]] = []
    proxy = ""
    for name, value in re.findall(r'^([^ ]+) "(.*)";$', configuration, flags=re.MULTILINE):
        if name in _CHECKS and value.lower() in ("false", "0", "no"):
            settings.append((name, value))
        match = _PROXY.match(name)
        if match and value:
            settings.append((name, value))
            if match[1] == "http" and not match[2] and value != "DIRECT":
                proxy = value
    return tuple(settings), proxy
