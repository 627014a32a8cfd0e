"""Let the machines of a lab download each package once: a small caching proxy for apt.

Run by itself (`python3 -I -S archive_server.py SPEC`), with the standard library alone. It listens
on the bridge, passes on what the mirrors of the lab answer, and nothing else; a `.deb` is kept, for
it never changes under its name. Machines cannot simply share /var/cache/apt/archives: apt locks
that folder, and two machines would write one partial download.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

_PASSED_ON = ("Range", "If-Range", "If-Modified-Since", "Cache-Control", "User-Agent", "Accept")
_PASSED_BACK = (
    "Content-Type", "Content-Length", "Content-Range", "Last-Modified", "Accept-Ranges", "ETag",
)  # fmt: skip
_PIECE = 65536
_TIMEOUT_S = 60


class Archive:
    """The packages kept in a folder, and the mirrors they may come from."""

    def __init__(self, folder: Path, mirrors: tuple[str, ...], proxy: str) -> None:
        self.folder = folder
        self.mirrors = mirrors
        proxies = {"http": proxy} if proxy else {}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
        self._locks: dict[Path, threading.Lock] = {}
        self._guard = threading.Lock()

    def allows(self, url: str) -> bool:
        """Whether a mirror of the lab has this address."""
        return any(url.startswith(f"{mirror}/") for mirror in self.mirrors)

    def kept_as(self, url: str) -> Path:
        """Where a package is kept."""
        digest = hashlib.sha256(url.encode()).hexdigest()[:16]
        return self.folder / f"{digest}-{url.rsplit('/', 1)[1]}"

    @contextlib.contextmanager
    def alone(self, path: Path) -> Iterator[None]:
        """One download of a file at a time; the others wait for it."""
        with self._guard:
            lock = self._locks.setdefault(path, threading.Lock())
        with lock:
            yield

    def ask(self, url: str, headers: dict[str, str]) -> Any:
        """The mirror's answer, whatever its status."""
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http, see `allows`
        try:
            return self.opener.open(request, timeout=_TIMEOUT_S)
        except urllib.error.HTTPError as answer:
            return answer

    def fetch(self, url: str) -> Path | None:
        """The file of a package, downloaded if need be; None when the mirror has none."""
        path = self.kept_as(url)
        with self.alone(path):
            if path.exists():
                return path
            with self.ask(url, {}) as answer:
                if answer.status != http.client.OK:
                    return None
                descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=".partial-")
                try:
                    with os.fdopen(descriptor, "wb") as output:
                        shutil.copyfileobj(answer, output, _PIECE)
                    length = answer.headers.get("Content-Length")
                    if length and Path(name).stat().st_size != int(length):
                        return None
                    Path(name).rename(path)
                finally:
                    Path(name).unlink(missing_ok=True)
        return path


class Handler(BaseHTTPRequestHandler):
    """One connection of one machine's apt."""

    protocol_version = "HTTP/1.1"
    archive: Archive

    def do_GET(self) -> None:
        """Answer `GET http://mirror/path`, from the folder if that can be."""
        url = self.path
        if not self.archive.allows(url):
            self.send_error(403, "not a mirror of this lab")
            return
        try:
            whole = url.endswith(".deb") and not self.headers.get("Range")
            path = self.archive.fetch(url) if whole else None
            if path:
                self._send_file(path)
            else:
                self._pass_on(url)
        except (OSError, http.client.HTTPException) as error:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.send_error(502, f"{type(error).__name__}: the mirror does not answer")

    def _send_file(self, path: Path) -> None:
        with path.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.debian.binary-package")
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            self._copy(file)

    def _pass_on(self, url: str) -> None:
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        with self.archive.ask(url, headers) as answer:
            self.send_response(answer.status)
            for name in _PASSED_BACK:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            # the mirror may cut its answer short: only closing tells apt so
            self.close_connection = True
            self.send_header("Connection", "close")
            self.end_headers()
            self._copy(answer)

    def _copy(self, source: IO[bytes]) -> None:
        shutil.copyfileobj(source, self.wfile, _PIECE)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what went wrong, apt says."""


def main(path: str) -> int:
    """Serve the lab that the file describes until ended."""
    spec = json.loads(Path(path).read_text(encoding="utf-8"))
    (Path(spec["cgroup"]) / "cgroup.procs").write_text("0")
    archive = Archive(Path(spec["folder"]), tuple(spec["mirrors"]), spec["proxy"])
    handler = type("LabHandler", (Handler,), {"archive": archive})
    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer((spec["address"], spec["port"]), handler) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
