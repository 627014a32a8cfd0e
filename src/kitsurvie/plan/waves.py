"""In which order hosts are touched: canaries first, then waves that respect each site's line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from kitsurvie.model import Host


def waves(
    hosts: Sequence[Host],
    *,
    canaries: int,
    size: int,
    per_site: int,
) -> tuple[tuple[str, ...], ...]:
    """Split hosts into waves of at most `size`, and at most `per_site` behind one jump host.

    With `canaries` > 0 that many hosts, spread over EPCI and profile, go before all others.
    """
    first = _spread(hosts)[:canaries]
    rest = [host for host in hosts if host not in first]
    return (*_split(first, size, per_site), *_split(rest, size, per_site))


def _split(hosts: Sequence[Host], size: int, per_site: int) -> Iterator[tuple[str, ...]]:
    rest = list(hosts)
    while rest:
        wave: list[Host] = []
        left: list[Host] = []
        sites: Counter[str] = Counter()
        for host in rest:
            full = host.jump is not None and sites[host.jump] >= per_site
            if len(wave) >= size or full:
                left.append(host)
            else:
                wave.append(host)
                sites.update([host.jump] if host.jump is not None else [])
        yield tuple(host.name for host in wave)
        rest = left


def _spread(hosts: Iterable[Host]) -> list[Host]:
    """Hosts in an order that visits every EPCI and profile once before any of them twice."""
    groups: dict[tuple[str, str], list[Host]] = {}
    for host in hosts:
        groups.setdefault((host.epci or "", host.profile.value), []).append(host)
    return [host for row in zip_longest(*groups.values()) for host in row if host is not None]
