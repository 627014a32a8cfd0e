"""The proxy that lets the machines of a lab download a package once."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kitsurvie.lab import archive
from kitsurvie.lab.archive_server import Archive, Handler


class Mirror(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.headers.get("If-Modified-Since"):
            self.send_response(304)
            self.end_headers()
            return
        time.sleep(0.1)
        self.send_response(404 if "absent" in self.path else 200)
        self.send_header("Content-Length", "9999" if "cut" in self.path else "7")
        self.end_headers()
        self.wfile.write(b"package")

    def log_message(self, format: str, *args: object) -> None:
        return


def serving(handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def mirror(asked: list[str]) -> Iterator[str]:
    server = serving(type("Asked", (Mirror,), {"asked": asked}))
    yield f"http://127.0.0.1:{server.server_port}/debian"
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(tmp_path: Path, mirror: str) -> Iterator[urllib.request.OpenerDirector]:
    kept = Archive(tmp_path, (mirror,), "")
    server = serving(type("Bound", (Handler,), {"archive": kept}))
    handler = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{server.server_port}"})
    yield urllib.request.build_opener(handler)
    server.shutdown()
    server.server_close()


def test_machines_that_want_a_package_at_once_download_it_once(
    mirror: str, proxy: urllib.request.OpenerDirector, asked: list[str]
) -> None:
    with ThreadPoolExecutor() as workers:
        url = f"{mirror}/pool/jq_1.6_amd64.deb"
        answers = list(workers.map(lambda _n: proxy.open(url).read(), range(8)))
    assert answers == [b"package"] * 8
    assert asked == ["/debian/pool/jq_1.6_amd64.deb"]


def test_lists_are_asked_for_every_time_and_with_their_conditions(
    mirror: str, proxy: urllib.request.OpenerDirector, asked: list[str], tmp_path: Path
) -> None:
    url = f"{mirror}/dists/bookworm/InRelease"
    assert proxy.open(url).read() == b"package"
    conditional = urllib.request.Request(url, headers={"If-Modified-Since": "today"})
    with pytest.raises(urllib.error.HTTPError) as answer:
        proxy.open(conditional)
    assert answer.value.code == 304
    assert len(asked) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_download_cut_short_is_not_kept(
    mirror: str, proxy: urllib.request.OpenerDirector, tmp_path: Path
) -> None:
    answer = proxy.open(f"{mirror}/pool/cut_1_all.deb")
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    assert list(tmp_path.iterdir()) == []


def test_a_package_the_mirror_lacks_stays_lacking(
    mirror: str, proxy: urllib.request.OpenerDirector, tmp_path: Path
) -> None:
    with pytest.raises(urllib.error.HTTPError) as answer:
        proxy.open(f"{mirror}/pool/absent_1_all.deb")
    assert answer.value.code == 404
    assert list(tmp_path.iterdir()) == []


def test_an_address_outside_the_mirrors_is_refused(
    mirror: str, proxy: urllib.request.OpenerDirector, asked: list[str]
) -> None:
    with pytest.raises(urllib.error.HTTPError) as answer:
        proxy.open(mirror.replace("/debian", "/private/x.deb"))
    assert answer.value.code == 403
    assert asked == []


def test_only_mirrors_by_http_go_through_the_proxy(tmp_path: Path) -> None:
    sources = tmp_path / "etc/apt/sources.list.d/debian.sources"
    sources.parent.mkdir(parents=True)
    sources.write_text("URIs: http://a.example/debian\n\nURIs: https://b.example/security\n")
    said = archive.apt_conf(tmp_path, "198.18.0.1")
    assert said == 'Acquire::http::Proxy::a.example "http://198.18.0.1:3142";\n'
