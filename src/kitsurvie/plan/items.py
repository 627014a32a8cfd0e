"""Lay hosts and measures out: one item for each host a measure applies to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kitsurvie.model import Host, Item, Measure, Mode


@dataclass(frozen=True, slots=True)
class Plan:
    """What to judge and what may be mended, by host, in the order of the kit."""

    items: Mapping[str, tuple[Item, ...]]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts with at least one item, in inventory order."""
        return tuple(self.items)


def lay_out(
    hosts: Iterable[Host],
    measures: Iterable[Measure],
    *,
    mode: Callable[[Measure, Mapping[str, Any]], Mode],
    resolve: Callable[[Measure, Mapping[str, Any]], Mapping[str, Any]],
    stamp: Callable[[Measure, Mapping[str, Any], Mapping[str, Any]], str],
) -> Plan:
    """Every host with the measures of its profile.

    For a measure and a host's variables, `mode` says how far it goes there, `resolve` gives its
    own variables, and `stamp`, given both, the digest that says it is applied with them.
    """
    wanted = tuple(measures)
    laid: dict[str, tuple[Item, ...]] = {}
    for host in hosts:
        laid[host.name] = tuple(
            Item(
                host=host.name,
                measure=measure.id,
                mode=mode(measure, host.variables),
                params=params,
                stamp=stamp(measure, params, host.variables),
                reason=str(host.variables.get(f"{measure.id}__off_reason") or ""),
                until=str(host.variables.get(f"{measure.id}__off_until") or ""),
                applies=measure.applies,
                undo=measure.undo,
            )
            for measure in wanted
            if host.profile in measure.profiles
            for params in (resolve(measure, host.variables),)
        )
    return Plan(laid)
