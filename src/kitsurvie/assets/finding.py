"""What is said of the health of a device: the checks, the findings and the limits they go by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kitsurvie.assets.record import Kind
from kitsurvie.model import Status, Text


class Check(StrEnum):
    """What is looked at, in the order in which it is told."""

    SYSTEM_SUPPORTED = "system_supported"
    ANTIVIRUS = "antivirus"
    FIREWALL = "firewall"
    DISK_ENCRYPTED = "disk_encrypted"
    FREE_SPACE = "free_space"
    AGE = "age"
    INVENTORY_FRESH = "inventory_fresh"


TITLES = {
    Check.SYSTEM_SUPPORTED: Text("Système encore suivi", "System still supported"),
    Check.ANTIVIRUS: Text("Antivirus actif et à jour", "Antivirus on and up to date"),
    Check.FIREWALL: Text("Pare-feu actif", "Firewall on"),
    Check.DISK_ENCRYPTED: Text("Disque chiffré", "Disk encrypted"),
    Check.FREE_SPACE: Text("Place libre", "Free space"),
    Check.AGE: Text("Âge de la machine", "Age of the machine"),
    Check.INVENTORY_FRESH: Text("Inventaire récent", "Recent inventory"),
}


# in what order drifts are mended: first what lets an attack in and is mended from afar within the
# hour, then what lets one in and takes days, then what is lost with a machine, then what stops
# updates, then what is not seen; age harms nobody today
URGENCY = (
    Check.ANTIVIRUS, Check.FIREWALL, Check.SYSTEM_SUPPORTED, Check.DISK_ENCRYPTED,
    Check.FREE_SPACE, Check.INVENTORY_FRESH, Check.AGE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What a syndicate may set.

    `stale_days`: an inventory older than this proves nothing of today; 90 days, the window over
    which the use of devices is looked at. `years`: a machine is old after so many; 7, a year more
    than ADEME and ARCEP (2022) give a desktop and two more than they give a laptop: old is to be
    planned for, not thrown away at the mean. `encrypted`: kinds whose disk must be encrypted, those
    that are carried about. `extended`: systems of the table (`windows-10`) whose paid extension the
    syndicate has bought, which no inventory says.
    """

    stale_days: int = 90
    years: int = 7
    encrypted: frozenset[Kind] = frozenset({Kind.LAPTOP, Kind.TABLET})
    extended: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """What one check says of what it was shown; `text` is one sentence."""

    status: Status
    found: str
    expected: str
    text: Text


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says of one device.

    `seen` is the day of the inventory that says so, None where none does or where the answer comes
    from paper. `text` is one sentence for people.
    """

    check: Check
    status: Status
    found: str
    expected: str
    seen: date | None
    text: Text


def french(day: date) -> str:
    """A day as it is written in French."""
    return f"{day:%d/%m/%Y}"
