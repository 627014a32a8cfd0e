"""all < EPCI < member < host: a line that stands nearer to a machine, and loses all the same.

Ansible ranks the `vars:` of a hosts file below every file of variables: a member's value there
would silently give way to that of group_vars/all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kitsurvie.inventory.problem import Problem
from kitsurvie.inventory.provenance import nearer
from kitsurvie.inventory.resolved import Resolved
from kitsurvie.model import Measure, Scope


def problems(resolved: Resolved, measures: Mapping[str, Measure]) -> Iterator[Problem]:
    """Each line of the kit or of a measure over which a wider one wins, told once."""
    told: set[str] = set()
    for record in resolved.records:
        for name, chain in resolved.settings_of(record).items():
            prefix = name.partition("__")[0]
            if len(chain) < 2 or (prefix != "kit" and prefix not in measures):
                continue
            holds = chain[-1]
            for setting in chain[:-1]:
                loses = nearer(setting.scope, holds.scope) and setting.value != holds.value
                if not loses or setting.where in told:
                    continue
                told.add(setting.where)
                yield Problem(
                    setting.where,
                    f"{name} is set for {setting.name} here, and {holds.where} wins over it.",
                    f"Write it in {_file(setting.scope, setting.name)}: Ansible ranks what stands "
                    "in a hosts file below every file of variables.",
                )


def _file(scope: Scope, name: str) -> str:
    folder = "host_vars" if scope is Scope.HOST else "group_vars"
    return f"{folder}/{name}.yml"
