"""The machines that Prometheus may scrape, for its `http_sd`: those with a probe and a road."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from kitsurvie import kit
from kitsurvie.cli import self_observation
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.errors import InventoryError
from kitsurvie.model import Host, Measure, Mode

MEASURE = "metrics_probe"
PORT = 9100

Group = dict[str, Any]


def groups(sources: Sources) -> list[Group]:
    """Groups of targets with their member, EPCI and profile, in the order of the inventory.

    Left out are machines that hand in what they see and those behind a jump host: Prometheus has no
    road to them. Raises InventoryError for a port that is none.
    """
    measure, hosts = sources.measures.get(MEASURE), sources.inventory.hosts
    if measure is None:
        return []
    found: dict[tuple[str, str, str], list[str]] = {}
    for host, port in _due(measure, hosts.values(), sources):
        labels = (host.member, host.epci or "", host.profile.value)
        found.setdefault(labels, []).append(_written(host.address, port))
    return [
        {"targets": listed, "labels": {"member": member, "epci": epci, "profile": profile}}
        for (member, epci, profile), listed in found.items()
    ]


def _due(measure: Measure, hosts: Iterable[Host], sources: Sources) -> Iterator[tuple[Host, int]]:
    for host in hosts:
        if host.profile not in measure.profiles or host.jump or self_observation.declared(host):
            continue
        if kit.mode(measure, host.variables, sources.today) is Mode.ENFORCE:
            yield host, _port(measure, host)


def _port(measure: Measure, host: Host) -> int:
    said = kit.resolve(measure, host.variables).get(f"{MEASURE}__port", PORT)
    if isinstance(said, bool) or not isinstance(said, int) or not 0 < said < 65536:
        raise InventoryError(
            f"{MEASURE}__port of {host.name} is {said!r}.",
            remedy="Write a port: a number from 1 to 65535.",
        )
    return said


def _written(address: str, port: int) -> str:
    try:
        whole = ipaddress.ip_address(address)
    except ValueError:
        return f"{address}:{port}"
    return f"[{whole}]:{port}" if whole.version == 6 else f"{whole}:{port}"
