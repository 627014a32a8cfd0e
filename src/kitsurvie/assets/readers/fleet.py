"""What a machine of the fleet says of itself when kitsurvie asks it, as the record of a device.

The commands only read. Who opened a session is asked apart, and of a day no hour leaves the
machine.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from kitsurvie.assets.places import Place
from kitsurvie.assets.readers import inventory
from kitsurvie.assets.readers.settings import Settings
from kitsurvie.assets.readers.told import Told
from kitsurvie.assets.record import Origin, Record, Refusal, SessionDay, Source
from kitsurvie.model import Answer, Host

DAYS = 90
NAME = "uname -n"
SYSTEM = (
    '. /etc/os-release; release=$VERSION_ID; [ "$ID" != debian ] || '
    'release=$(cat /etc/debian_version); printf \'%s\\n\' "$PRETTY_NAME" "$release"'
)
# serial numbers and the UUID are root's to read
FIRMWARE = (
    "cd /sys/class/dmi/id && grep -sH '' sys_vendor product_name product_serial product_uuid "
    "board_vendor board_name chassis_type"
)
KEPT_IN = "systemd-detect-virt --container; systemd-detect-virt --vm"
LINKS = "ip -j -d link"
POWER = "cd /sys/class/power_supply && grep -sH '' */type */scope */model_name"
PROCESSOR = "grep -m1 '^model name' /proc/cpuinfo"
MEMORY = "grep '^MemTotal' /proc/meminfo"
FACTS = (NAME, SYSTEM, FIRMWARE, KEPT_IN, LINKS, POWER, PROCESSOR, MEMORY)

# what PAM notes, as root, when somebody sits down at the machine: at its screens, not by ssh.
# Debian 13 has no `last`; accounts of the system are left out there, and so is the hour
SESSIONS = (
    f"journalctl -q --no-pager -o short-iso --since=-{DAYS}d _UID=0 SYSLOG_FACILITY=10 | "
    r"sed -nE 's/^([0-9]{4}-[0-9]{2}-[0-9]{2})T[^ ]+ [^ ]+ [^ ]+ "
    r"pam_unix\((login|lightdm|lightdm-autologin|gdm-[a-z]+|sddm|sddm-autologin|lxdm|xdm|slim):"
    r"session\): session opened for user ([^(]+)\(uid=([0-9]+)\).*$/\1\t\4\t\3/p' | "
    r"""awk -F '\t' '$2 >= 1000 && ($2 < 60000 || $2 > 65535) {print $1 "\t" $3}' | sort -u"""
)

_NAMED = re.compile(r"([a-z_]+):(.*)")
_SUPPLY = re.compile(r"([^/:]+)/([a-z_]+):(.*)")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\t(.+)")


class Unsaid(Exception):
    """The machine could not say all of it; the words go on after its name."""


@dataclass(frozen=True, slots=True)
class _Here:
    """Every record is where the inventory has the host."""

    host: Host

    def find(self, said: str) -> Place:
        del said
        return Place(self.host.member, self.host.insee)


def read(
    host: Host, answers: Mapping[str, Answer], at: datetime, settings: Settings
) -> Iterator[Record | SessionDay | Refusal]:
    """The record of a host that answered FACTS at a moment, and its days of use if SESSIONS too.

    Raises Unsaid when a fact was cut short: half a record would take the place of a whole one.
    """
    cut = sorted({one.flaw for command in FACTS if (one := answers[command]).flaw})
    if cut:
        raise Unsaid(f"could not say what it is ({', '.join(cut)})")
    settings = replace(settings, places=_Here(host))
    origin = Origin(f"{host.name} itself")
    container, virtual = _kept_in(_lines(answers[KEPT_IN]))
    content = _content(host, answers, container, virtual)
    told = Told(host.name, content, tag=host.member, seen=at.isoformat(timespec="seconds"))
    sessions = answers.get(SESSIONS)
    days = _days(sessions, settings) if sessions is not None and not sessions.flaw else []
    for record in inventory.records(told, Source.FLEET, origin, settings):
        if isinstance(record, Refusal):
            yield record
            return
        notes = list(record.left_aside)
        if container:
            notes.append("It is a container: the firmware that it sees is not its own.")
        if sessions is not None and sessions.flaw:
            notes.append(f"Its sessions could not be read whole ({sessions.flaw}): left aside.")
        yield replace(record, user=_last(days), left_aside=tuple(notes))
        for day, user in days:
            yield SessionDay(
                origin, day, host.member, host.insee, record.name, record.serial, user
            )  # fmt: skip


def _content(
    host: Host, answers: Mapping[str, Answer], container: str, virtual: str
) -> dict[str, Any]:
    """What was answered, under the names that GLPI has for it."""
    firmware = {} if container else _firmware(_lines(answers[FIRMWARE]))
    system = (*_lines(answers[SYSTEM]), "", "")
    content: dict[str, Any] = {
        "hardware": {
            "name": next(iter(_lines(answers[NAME])), host.name),
            "uuid": firmware.get("product_uuid"),
            "chassis_type": firmware.get("chassis_type"),
            "vmsystem": container or virtual or "Physical",
            "memory": _mebibytes(_lines(answers[MEMORY])),
        },
        "bios": {
            "smanufacturer": firmware.get("sys_vendor"),
            "smodel": firmware.get("product_name"),
            "ssn": firmware.get("product_serial"),
            "mmanufacturer": firmware.get("board_vendor"),
            "mmodel": firmware.get("board_name"),
        },
        "operatingsystem": {"full_name": system[0], "version": system[1]},
        "cpus": [{"name": line.partition(":")[2]} for line in _lines(answers[PROCESSOR])],
        "networks": _networks(answers[LINKS]),
    }
    if not container:
        content["batteries"] = _batteries(_lines(answers[POWER]))
    return content


def _lines(answer: Answer) -> list[str]:
    lines = answer.stdout.decode("utf-8", "replace").splitlines()
    return [text for line in lines if (text := line.strip())]


def _kept_in(lines: list[str]) -> tuple[str, str]:
    """The kind of container and of virtual machine that it runs in; empty for none."""
    container, virtual = (*lines, "", "")[:2]
    return container.replace("none", ""), virtual.replace("none", "")


def _firmware(lines: list[str]) -> dict[str, str]:
    return {found[1]: found[2] for line in lines if (found := _NAMED.fullmatch(line))}


def _mebibytes(lines: list[str]) -> int | None:
    """MiB of `MemTotal: 24684092 kB`: what the kernel has, less than what is on the label."""
    found = re.search(r"[0-9]{1,15}", lines[0]) if lines else None
    return int(found[0]) >> 10 if found else None


def _batteries(lines: list[str]) -> list[dict[str, str]]:
    """Its own batteries: that of a mouse or of a keyboard says that its scope is a device."""
    supplies: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines:
        if found := _SUPPLY.fullmatch(line):
            supplies[found[1]][found[2]] = found[3]
    own = [
        one for one in supplies.values()
        if one.get("type") == "Battery" and one.get("scope") != "Device"
    ]  # fmt: skip
    return [{"name": one.get("model_name", "")} for one in own]


def _networks(answer: Answer) -> list[dict[str, Any]]:
    """Its Ethernet interfaces, with the address of the hardware where another one is worn."""
    try:
        links = json.loads(answer.stdout or b"[]")
    except ValueError:
        return []
    found = []
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("link_type") != "ether":
            continue
        info = link.get("linkinfo")
        kind = info.get("info_kind") if isinstance(info, dict) else None
        found.append(
            {
                "description": link.get("ifname"),
                "mac": link.get("permaddr") or link.get("address"),
                "model": "USB" if link.get("parentbus") == "usb" else None,
                "driver": kind,
                "virtualdev": bool(kind),
            }
        )
    return found


def _days(answer: Answer, settings: Settings) -> list[tuple[date, str]]:
    """The days on which somebody sat down there, and their pseudonyms; none before the 90 days."""
    found = set()
    for line in _lines(answer):
        said = _DAY.fullmatch(line)
        user = settings.pseudonyms.of(said[2]) if said else ""
        if said is None or not user:
            continue
        try:
            day = date.fromisoformat(said[1])
        except ValueError:
            continue
        if not settings.is_future(day) and (settings.today - day).days <= DAYS:
            found.add((day, user))
    return sorted(found)


def _last(days: list[tuple[date, str]]) -> str:
    """Who was there on the last day, if it was one person."""
    users = {user for day, user in days if day == days[-1][0]}
    return users.pop() if len(users) == 1 else ""
