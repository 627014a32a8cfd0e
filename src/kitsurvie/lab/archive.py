"""The lab's caching proxy for packages: start it, and tell the machines of it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from kitsurvie.errors import LabError
from kitsurvie.lab import archive_server, cgroup
from kitsurvie.lab.mirror import Mirror

PORT = 3142
_STARTS_WITHIN_S = 15.0


def group(prefix: str) -> Path:
    """The control group of a lab's proxy; no machine can have this name."""
    return cgroup.of_lab(prefix) / "archive"


def runs(prefix: str) -> bool:
    """Whether a lab's proxy lives."""
    return bool(cgroup.pids(group(prefix)))


def start(prefix: str, address: str, mirror: Mirror, cache: Path, folder: Path) -> None:
    """Start a lab's proxy on the bridge's address. Raises LabError when it does not answer."""
    if runs(prefix):
        return
    group(prefix).mkdir(parents=True, exist_ok=True)
    packages = cache / "archives"
    packages.mkdir(parents=True, exist_ok=True)
    spec = folder / "archive.json"
    document = {
        "cgroup": str(group(prefix)),
        "folder": str(packages),
        "mirrors": [x for x in (mirror.archive, mirror.security) if x.startswith("http://")],
        "proxy": mirror.proxy,
        "address": address,
        "port": PORT,
    }
    spec.write_text(json.dumps(document), encoding="utf-8")
    log = folder / "archive.log"
    with log.open("ab") as output:
        subprocess.Popen(
            [sys.executable, "-I", "-S", archive_server.__file__, str(spec)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True,
        )  # fmt: skip
    limit = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < limit:
        try:
            socket.create_connection((address, PORT), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise LabError(
        "The lab's package proxy does not start.",
        where=str(log),
        remedy=f"Read the end of that log; is port {PORT} of {address} taken?",
    )


def apt_conf(base: Path, address: str) -> str:
    """What sends a machine's apt to the proxy for the mirrors of its image, and for no other.

    A mirror reached by https is left alone: nothing can be kept of it.
    """
    sources = (base / "etc/apt/sources.list.d/debian.sources").read_text(encoding="utf-8")
    lines = [line.split()[1] for line in sources.splitlines() if line.startswith("URIs: ")]
    hosts = sorted({urlsplit(uri).netloc for uri in lines if uri.startswith("http://")})
    return "".join(f'Acquire::http::Proxy::{host} "http://{address}:{PORT}";\n' for host in hosts)
