"""How long it takes to read an inventory of 10,000 hosts, and to read it again.

The syndicate is made of the real communes of the Manche, each with its share of a server, desktops
and laptops. The peer of both reads is `ansible-inventory --list` on the same folder; the second
read is a fresh process each time, Python's start included. Run it with:

    python benchmarks/inventory_read.py [--hosts 10000] [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kitsurvie.inventory import ansible, territory

TARGET_S = 2.0
READ = """
import sys
from pathlib import Path
from kitsurvie import inventory, workspace
found = inventory.load(workspace.load(Path(sys.argv[1])))
print(len(found.hosts), len(found.members), len(found.epcis))
"""
MEASURES = ("updates", "ssh_hardening", "accounts", "firewall", "support_contact")


def write(root: Path, count: int) -> None:
    """A workspace of `count` hosts spread over every commune, with variables at each level."""
    members = territory.members()
    folder = root / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    (root / "kitsurvie.toml").write_text("", "utf-8")
    common = {"ansible_user": "admin1", "kit__mode": "observe", "kit__change_windows": []}
    common |= {f"{m}__setting_{n}": f"value {n}" for m in MEASURES for n in range(6)}
    _vars(folder / "group_vars/all.yml", common)
    epcis: dict[str, list[str]] = {}
    profiles = ["server", "desktop", "desktop", "desktop", "laptop"]
    for index, member in enumerate(members):
        share = count // len(members) + (index < count % len(members))
        hosts = "\n".join(
            f"            c{member.insee}-{n:03d}: {{ansible_host: 198.18.{index % 256}.{n % 256}, "
            f"kit__profile: {profiles[n % 5]}}}"
            for n in range(share)
        )
        group = f"        member_{member.siren}:\n          hosts:\n{hosts}\n"
        epcis.setdefault(str(member.epci), []).append(group)
        told = {"siren": member.siren, "name": member.name, "kind": "commune"}
        told["insee"] = member.insee
        values = {"kit__member": told, "support_contact__phone": f"02 00 00 {index:04d}"}
        _vars(folder / f"group_vars/member_{member.siren}.yml", values)
    text = "---\nall:\n  children:\n"
    for siren, groups in epcis.items():
        text += f"    epci_{siren}:\n      children:\n{''.join(groups)}"
        name = {"siren": siren, "name": territory.epci(siren)}
        _vars(folder / f"group_vars/epci_{siren}.yml", {"kit__epci": name})
    (folder / "hosts.yml").write_text(text, "utf-8")


def _vars(path: Path, values: dict[str, object]) -> None:
    lines = [f"{k}: {json.dumps(v, ensure_ascii=False)}\n" for k, v in values.items()]
    path.write_text("---\n" + "".join(lines), "utf-8")


def timed(runs: int, work: Callable[[], object]) -> float:
    """The median wall time of `runs` calls, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    """Measure and print the table; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kitsurvie-bench-") as name:
        root = Path(name)
        write(root, asked.hosts)
        read = [sys.executable, "-c", READ, name]
        peer = [ansible.program("ansible-inventory"), "-i", f"{name}/inventory", "--list"]

        def first() -> None:
            shutil.rmtree(root / ".kitsurvie", ignore_errors=True)
            subprocess.run(read, check=True, stdout=subprocess.DEVNULL)

        rows = [
            ("ansible-inventory --list", timed(asked.runs, lambda: _quiet(peer))),
            ("kitsurvie, first read", timed(asked.runs, first)),
            ("kitsurvie, second read", timed(max(asked.runs, 5), lambda: _quiet(read))),
        ]
        answer = subprocess.run(read, check=True, capture_output=True, text=True).stdout.split()
        cached = sum(p.stat().st_size for p in (root / ".kitsurvie/cache").iterdir())
    print(f"machine: {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"ansible-core {ansible.version()}; medians of {asked.runs} runs")
    print(f"hosts {answer[0]}, members {answer[1]}, EPCI {answer[2]}, cache {cached / 1e6:.1f} MB")
    for label, seconds in rows:
        print(f"  {label:<28} {seconds:8.2f} s")
    good = rows[-1][1] <= TARGET_S
    print(f"target: second read under {TARGET_S:.0f} s: {'met' if good else 'MISSED'}")
    return 0 if good else 1


def _quiet(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
