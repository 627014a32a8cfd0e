"""A small HTTP server: few threads, a deadline for each request, a bound on what is read of it."""

from __future__ import annotations

import base64
import binascii
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any, ClassVar

from kitsurvie.cli.exporter.keeper import Shown
from kitsurvie.cli.exporter.web_config import Doorkeeper

THREADS = 16
# a scrape comes from near by, and Prometheus waits for ten seconds
REQUEST_S = 10.0
ANSWER_S = 30.0
MOST_REQUEST = 16 * 1024
_TEXT = "text/plain; charset=utf-8"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>kitsurvie exporter</title></head>
<body><h1>kitsurvie exporter</h1><ul>
<li><a href="metrics">metrics</a>: how many, never who</li>
<li><a href="targets">targets</a>: the machines with a probe, for http_sd</li>
<li><a href="health">health</a></li>
</ul></body></html>
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `content` is whole."""

    status: HTTPStatus
    content_type: str
    content: bytes
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """What is served: what stands now, and its exposition."""

    shown: Callable[[], Shown]
    page: Callable[..., tuple[bytes, str]]

    def answer(self, path: str, accept: str, encodings: str) -> Answer:
        """The answer to a GET of that path."""
        match path:
            case "/metrics":
                packed = "gzip" in encodings
                content, content_type = self.page(accept, packed=packed)
                return Answer(HTTPStatus.OK, content_type, content, packed)
            case "/targets":
                return self._targets()
            case "/health":
                return self._health()
            case "/":
                return Answer(HTTPStatus.OK, "text/html; charset=utf-8", _PAGE.encode())
            case _:
                return words(HTTPStatus.NOT_FOUND, "There is /metrics, /targets and /health.")

    def _targets(self) -> Answer:
        found = self.shown().targets
        if found is None:
            # Prometheus keeps the targets it has then; an empty list would take them all away
            why = "The targets are not known: see /health."
            return words(HTTPStatus.SERVICE_UNAVAILABLE, why)
        content = json.dumps(found, ensure_ascii=False).encode()
        return Answer(HTTPStatus.OK, "application/json", content)

    def _health(self) -> Answer:
        troubles = self.shown().troubles
        if troubles:
            return words(HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(troubles))
        return words(HTTPStatus.OK, "ok")


def words(status: HTTPStatus, text: str) -> Answer:
    """A sentence as an answer."""
    return Answer(status, _TEXT, f"{text}\n".encode())


class _Request(io.RawIOBase):
    """What a client sends: so many bytes, and until a moment, however slowly they come."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._until = time.monotonic() + REQUEST_S
        self._left = MOST_REQUEST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left_s)
        got = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= got
        return got


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; one request for each connection."""

    server: Server
    timeout = REQUEST_S
    _HEADERS: ClassVar = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }

    def setup(self) -> None:
        """The handshake of TLS too is under the deadline, and in the thread of this client."""
        super().setup()
        self.rfile = io.BufferedReader(_Request(self.connection))
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.settimeout(REQUEST_S)
            self.connection.do_handshake()

    def parse_request(self) -> bool:
        """Refuse what is no GET or HEAD, and whoever may not ask, before anything is done."""
        if not super().parse_request():
            return False
        if self.command not in {"GET", "HEAD"}:
            self._send(
                words(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD."), Allow="GET, HEAD"
            )
            return False
        if not self._may_ask():
            realm = 'Basic realm="kitsurvie", charset="UTF-8"'
            answer = words(HTTPStatus.UNAUTHORIZED, "Who asks?")
            self._send(answer, **{"WWW-Authenticate": realm})
            return False
        return True

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        accept, encodings = self.headers.get("Accept", ""), self.headers.get("Accept-Encoding", "")
        self._send(self.server.site.answer(path, accept, encodings))

    do_HEAD = do_GET

    def _may_ask(self) -> bool:
        door = self.server.door
        if not door.asks:
            return True
        kind, _, said = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return False
        try:
            user, colon, password = base64.b64decode(said, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return bool(colon) and door.lets_in(user, password)

    def _send(self, answer: Answer, **more: str) -> None:
        self.close_connection = True
        self.connection.settimeout(ANSWER_S)
        self.send_response(answer.status)
        told = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.content))}
        if answer.packed:
            told["Content-Encoding"] = "gzip"
        for name, value in {**told, **self._HEADERS, **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def version_string(self) -> str:
        """No version: who is not let in need not know it."""
        return "kitsurvie"

    def log_message(self, *_: Any) -> None:
        """Say nothing of each scrape: Prometheus knows when it asked."""


class Server(ThreadingMixIn, HTTPServer):
    """Serves a site. A client more than there are threads for is turned away at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 32
    allow_reuse_address = True

    def __init__(
        self,
        family: socket.AddressFamily,
        address: tuple[str, int],
        site: Site,
        door: Doorkeeper,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.address_family = family
        self.site = site
        self.door = door
        self._tls = tls
        self._free = threading.BoundedSemaphore(THREADS)
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Take the address; its name is not looked up, which may take long."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for it, if one is free."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In that thread: TLS, then the request."""
        try:
            if self._tls is not None:
                try:
                    request = self._tls.wrap_socket(
                        request, server_side=True, do_handshake_on_connect=False
                    )
                except (OSError, ValueError):
                    self.shutdown_request(request)
                    return
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that goes away, is slow or speaks no TLS is no news."""
