"""`kitsurvie exporter`: serve what Prometheus scrapes, or write it once for node_exporter."""

from __future__ import annotations

import ipaddress
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from kitsurvie import __version__
from kitsurvie.cli import output
from kitsurvie.cli.exporter import reading
from kitsurvie.cli.exporter.keeper import Keeper
from kitsurvie.cli.exporter.parts import PARTS
from kitsurvie.cli.exporter.serving import Server, Site
from kitsurvie.cli.exporter.web_config import Doorkeeper, WebConfig
from kitsurvie.cli.exporter.web_config import load as load_web_config
from kitsurvie.cli.formats import whole
from kitsurvie.cli.options import FactorsFile, Workspace
from kitsurvie.errors import ExitCode, KitsurvieError, UsageError
from kitsurvie.metrics import Part, Snapshot, bounded, render
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

LISTEN = "127.0.0.1:9477"


def exporter(
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Where to serve.")
    ] = LISTEN,
    web_config: Annotated[
        Path | None,
        typer.Option(
            "--web-config",
            metavar="FILE",
            help="TLS and passwords, as Prometheus's exporters have them: tls_server_config and "
            "basic_auth_users.",
        ),
    ] = None,
    textfile: Annotated[
        Path | None,
        typer.Option(
            "--textfile",
            metavar="PATH",
            help="Write once for node_exporter's textfile collector instead of serving; - is "
            "standard output.",
        ),
    ] = None,
    cache: Annotated[
        int,
        typer.Option(
            "--cache", metavar="SECONDS", min=1, help="How often to look whether anything changed."
        ),
    ] = 60,
    factors: FactorsFile = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Listen beyond this machine without TLS and passwords: whoever reaches the port "
            "reads everything.",
        ),
    ] = False,
    workspace: Workspace = None,
) -> int:
    """Serve the syndicate's numbers to Prometheus: how many, never who.

    /metrics, /targets for its http_sd, /health. Beyond this machine it listens with TLS and
    passwords alone. SIGTERM ends it with 0. With --textfile: exit code 3 when the ledger or a part
    could not be read; the file is written all the same.
    """
    place = find(workspace)
    if factors is not None and not factors.is_file():
        raise UsageError(
            "There is no such file of factors.", where=str(factors), remedy="Mend --factors."
        )
    if textfile is not None:
        if web_config is not None or insecure:
            raise UsageError(
                "--textfile serves nothing: it takes no --web-config and no --insecure.",
                remedy="Leave them out, or serve without --textfile.",
            )
        return _write(place, textfile, factors)
    return _serve(place, listen, web_config, cache, factors, insecure=insecure)


# -- once, to a file ----------------------------------------------------------------------------


def _write(place: Place, path: Path, factors: Path | None) -> int:
    if str(path) != "-":
        try:
            whole.prove(path)
        except OSError as error:
            raise _unwritable(path, error) from error
    begun = time.monotonic()
    try:
        found = reading.read(place, PARTS, factors)
    except KitsurvieError as error:
        why = str(error)
        found = reading.Reading(tuple(Part(name, why=why) for name in PARTS), ledger=why)
    parts = bounded(found.parts)
    snapshot = Snapshot(__version__, parts, not found.ledger, time.time(), time.monotonic() - begun)
    content, _ = render(snapshot)
    if str(path) == "-":
        output.raw(content)
    else:
        try:
            whole.write(path, content, whole.COUNTS)
        except OSError as error:
            raise _unwritable(path, error) from error
    whys = dict.fromkeys(one for one in (found.ledger, *(part.why for part in parts)) if one)
    for why in whys:
        output.complain(why)
    return ExitCode.HOSTS if whys else ExitCode.COMPLIANT


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"The file cannot be written: {error.strerror or error}.",
        where=str(path),
        remedy="Name a file in a folder that there is and that this account may write to.",
    )


# -- serving --------------------------------------------------------------------------------------


def _serve(
    place: Place,
    listen: str,
    web_config: Path | None,
    cache: int,
    factors: Path | None,
    *,
    insecure: bool,
) -> int:
    web = load_web_config(web_config) if web_config is not None else WebConfig()
    family, address = address_of(listen)
    if not (insecure or _is_here(address[0]) or (web.tls is not None and web.users)):
        raise UsageError(
            f"{listen} is reached from other machines, and without TLS and passwords whoever "
            "reaches it would read everything, the addresses of /targets too.",
            remedy="Give --web-config a file with tls_server_config and basic_auth_users, listen "
            "on 127.0.0.1, or say --insecure where another program stands in front.",
        )
    reader = reading.Reader(place.root, factors)
    keeper = Keeper(place.root, reader, float(cache), output.complain)
    site = Site(keeper.shown, keeper.page)
    with _stopped_by_signals() as stop:
        try:
            server = Server(family, address, site, Doorkeeper(web.users), web.tls)
        except OSError as error:
            raise UsageError(
                f"{listen} cannot be listened on: {error.strerror or error}.",
                remedy="Name an address of this machine and a port that is free: --listen.",
            ) from error
        keeper.start()
        serving = threading.Thread(target=server.serve_forever, name="server", daemon=True)
        serving.start()
        scheme = "http" if web.tls is None else "https"
        output.complain(f"Serving {scheme}://{written(server.server_address)}/metrics")
        try:
            code: int = stop()
        finally:
            server.shutdown()
            server.server_close()
            keeper.end()
    return code


@contextmanager
def _stopped_by_signals() -> Iterator[Any]:
    """Waits for SIGTERM (0) or Ctrl-C (130); gives the exit code."""
    came: list[int] = []
    event = threading.Event()

    def take(number: int, _: object) -> None:
        came.append(number)
        event.set()

    before = {one: signal.signal(one, take) for one in (signal.SIGTERM, signal.SIGINT)}

    def stop() -> int:
        event.wait()
        return ExitCode.INTERRUPTED if came[0] == signal.SIGINT else ExitCode.COMPLIANT

    try:
        yield stop
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def address_of(listen: str) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Where `ADDRESS:PORT` is; an IPv6 address in brackets.

    Raises UsageError.
    """
    host, colon, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    good = colon and port.isascii() and port.isdigit() and int(port) < 65536
    if not good or not bare or (":" in bare and bare == host):
        raise UsageError(
            f"--listen {listen!r} is no address and port.",
            remedy=f"Write one like {LISTEN}, an IPv6 address in brackets: [::1]:9477",
        )
    try:
        found = socket.getaddrinfo(bare, int(port), type=socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(
            f"--listen {listen!r} names no address of this machine: {error.strerror or error}.",
            remedy=f"Write an address, such as {LISTEN}.",
        ) from error
    family, _, _, _, where = found[0]
    return family, (str(where[0]), int(where[1]))


def _is_here(address: str) -> bool:
    """Whether it is reached from this machine alone."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def written(address: Any) -> str:
    """An address and port as in a link."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
