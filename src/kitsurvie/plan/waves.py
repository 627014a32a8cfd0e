"""In which order hosts are touched: canaries first, then waves that respect each site's line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from kitsurvie.model import Host


def waves(
    hosts: Sequence[Host],
    *,
    canaries: int,
    size: int,
    per_site: int,
    releases: Mapping[str, str],
) -> tuple[tuple[str, ...], ...]:
    """Split hosts into waves of at most `size`, and at most `per_site` of one site.

    With `canaries` > 0 that many hosts go before all others, spread over EPCI, profile and system
    (`releases`, by host name).
    """
    first = _spread(hosts, releases)[:canaries]
    rest = [host for host in hosts if host not in first]
    return (*_split(first, size, per_site), *_split(rest, size, per_site))


def _split(hosts: Sequence[Host], size: int, per_site: int) -> Iterator[tuple[str, ...]]:
    rest = list(hosts)
    while rest:
        wave: list[Host] = []
        left: list[Host] = []
        sites: Counter[str] = Counter()
        for host in rest:
            full = bool(host.site) and sites[host.site] >= per_site
            if len(wave) >= size or full:
                left.append(host)
            else:
                wave.append(host)
                sites[host.site] += 1
        yield tuple(host.name for host in wave)
        rest = left


def _spread(hosts: Iterable[Host], releases: Mapping[str, str]) -> list[Host]:
    """Hosts in an order that visits each EPCI, profile and system once before any of them twice."""
    groups: dict[tuple[str, ...], list[Host]] = {}
    for host in hosts:
        kind = (host.epci or "", host.profile.value, releases.get(host.name, ""))
        groups.setdefault(kind, []).append(host)
    return [host for row in zip_longest(*groups.values()) for host in row if host is not None]
