"""The lab's own bridge, and the way out that lets its machines install packages."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import subprocess
import time
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab import settings

_INTERFACE_WITHIN_S = 15.0


def bridge(prefix: str) -> str:
    """The name of a lab's bridge."""
    return f"{prefix}-br"


def veth(name: str) -> str:
    """The name of a machine's interface on the host, as nspawn gives it."""
    return f"vb-{name}"


def refuse_overlap(prefix: str, network: str) -> None:
    """Raise LabError when the address range is already in use by anything but this lab."""
    wanted = ipaddress.IPv4Network(network)
    for route in json.loads(_ip("-j", "-4", "route", "show", "table", "all") or "[]"):
        destination = route.get("dst", "")
        if route.get("dev") == bridge(prefix) or destination in ("", "default"):
            continue
        with contextlib.suppress(ValueError):
            other = ipaddress.IPv4Network(destination, strict=False)
            if other.prefixlen > 0 and wanted.overlaps(other):
                raise LabError(
                    f"{network} overlaps {destination}, which this machine already routes "
                    f"by {route.get('dev', 'another way')}.",
                    remedy="Give another range inside 198.18.0.0/15 with --network.",
                )


def raise_bridge(prefix: str, gateway: str, network: str) -> None:
    """Make the bridge and its way out; changes nothing that is already as it should be."""
    name = bridge(prefix)
    if not Path(f"/sys/class/net/{name}").exists():
        _ip("link", "add", name, "type", "bridge")
    length = ipaddress.IPv4Network(network).prefixlen
    _ip("addr", "replace", f"{gateway}/{length}", "dev", name)
    _ip("link", "set", name, "mtu", str(mtu()), "up")
    for table, rule in _rules(prefix, network):
        if _iptables("-t", table, "-C", *rule).returncode != 0:
            done = _iptables("-t", table, "-I", *rule)
            if done.returncode != 0:
                raise LabError(
                    f"iptables refuses the lab's rule: {done.stderr.strip()}.",
                    remedy="The kernel needs nf_tables or ip_tables with NAT.",
                )
    settings.hold(prefix)


def lower_bridge(prefix: str, network: str) -> None:
    """Take everything of raise_bridge away again, whatever is left of it."""
    for table, rule in _rules(prefix, network):
        while _iptables("-t", table, "-D", *rule).returncode == 0:
            continue
    for left in Path("/sys/class/net").glob(f"vb-{prefix}-*"):
        _ip("link", "del", left.name, may_fail=True)
    if Path(f"/sys/class/net/{bridge(prefix)}").exists():
        _ip("link", "del", bridge(prefix), may_fail=True)
    settings.release(prefix, lambda other: Path(f"/sys/class/net/{bridge(other)}").exists())


def plug(prefix: str, name: str) -> None:
    """Put a machine's interface back on the bridge; one that is rebooting has none for a moment."""
    limit = time.monotonic() + _INTERFACE_WITHIN_S
    while time.monotonic() < limit and not Path(f"/sys/class/net/{veth(name)}").exists():
        time.sleep(0.05)
    _ip("link", "set", veth(name), "master", bridge(prefix))


def unplug(name: str) -> None:
    """Take a machine's interface off the bridge."""
    _ip("link", "set", veth(name), "nomaster")


def mtu() -> int:
    """The MTU of the way out: a machine must not send what the host cannot pass on."""
    routes = json.loads(_ip("-j", "-4", "route", "show", "default") or "[]")
    for route in routes:
        file = Path(f"/sys/class/net/{route.get('dev')}/mtu")
        if file.is_file():
            return int(file.read_text())
    return 1500


def _rules(prefix: str, network: str) -> list[tuple[str, list[str]]]:
    mark = ["-m", "comment", "--comment", f"kitsurvie-lab-{prefix}"]
    name = bridge(prefix)
    return [
        ("nat", ["POSTROUTING", "-s", network, "!", "-d", network, *mark, "-j", "MASQUERADE"]),
        ("filter", ["FORWARD", "-i", name, *mark, "-j", "ACCEPT"]),
        ("filter", ["FORWARD", "-o", name, *mark, "-j", "ACCEPT"]),
    ]


def _iptables(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["iptables", "-w", "10", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _ip(*words: str, may_fail: bool = False) -> str:
    done = subprocess.run(
        ["ip", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0 and not may_fail:
        raise LabError(
            f"`ip {' '.join(words)}` failed: {done.stderr.strip()}.",
            remedy="The lab needs the right to change the network, and bridge and veth drivers.",
        )
    return done.stdout
