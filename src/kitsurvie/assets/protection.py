"""Whether a device is protected: its antivirus, its firewall, the encryption of its disk."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kitsurvie.assets.finding import Said
from kitsurvie.assets.record import Antivirus, Firewall, Kind, Volume
from kitsurvie.model import Status, Text

_DRIVE = re.compile(r"([A-Za-z]):?[\\/]*")
# clear by design: the system starts from them, and they hold nobody's files
_STARTS = re.compile(r"/(?:boot|efi)(?:/.*)?")


def drive(mount: str) -> str:
    r"""`C:` of `c:\`, `/home` of `/home/`; empty where it is no place of files."""
    if found := _DRIVE.fullmatch(mount.strip()):
        return f"{found[1].upper()}:"
    return (mount.strip().rstrip("/") or "/") if mount.strip().startswith("/") else ""


def judge_antivirus(listed: Sequence[Antivirus]) -> Said:
    """Whether one of those listed is on and up to date."""
    expected = "one that is on and up to date"
    found = "; ".join(
        f"{one.name or '?'}: {_state(one.enabled, 'on', 'off')}, "
        f"{_state(one.up_to_date, 'up to date', 'out of date')}"
        for one in listed
    )
    if not listed:
        return Said(
            Status.DRIFT, "none", expected,
            Text("L’inventaire ne trouve aucun antivirus.", "The inventory finds no antivirus."),
        )  # fmt: skip
    names = ", ".join(one.name or "?" for one in listed)
    good = [one for one in listed if one.enabled and one.up_to_date]
    if good:
        name = good[0].name or "antivirus"
        return Said(
            Status.COMPLIANT, found, expected,
            Text(f"{name} est actif et à jour.", f"{name} is on and up to date."),
        )  # fmt: skip
    if any(one.enabled is not False and one.up_to_date is not False for one in listed):
        return Said(
            Status.UNKNOWN, found, expected,
            Text(
                f"L’inventaire ne dit pas si l’antivirus ({names}) est actif et à jour.",
                f"The inventory does not say whether the antivirus ({names}) is on and up to date.",
            ),
        )  # fmt: skip
    return Said(
        Status.DRIFT, found, expected,
        Text(
            f"Aucun antivirus n’est à la fois actif et à jour ({names}).",
            f"No antivirus is both on and up to date ({names}).",
        ),
    )  # fmt: skip


def judge_firewall(listed: Sequence[Firewall]) -> Said:
    """Whether every profile that is listed is on; a list of none tells nothing."""
    expected = "every profile on"
    found = "; ".join(f"{one.profile or '-'}: {_state(one.enabled, 'on', 'off')}" for one in listed)
    if any(one.enabled is False for one in listed):
        off = ", ".join(one.profile for one in listed if one.enabled is False and one.profile)
        where = f" ({off})" if off else ""
        return Said(
            Status.DRIFT, found, expected,
            Text(f"Le pare-feu est arrêté{where}.", f"The firewall is off{where}."),
        )  # fmt: skip
    if not listed or any(one.enabled is None for one in listed):
        return Said(
            Status.UNKNOWN, found or "none", expected,
            Text(
                "L’inventaire ne dit pas si le pare-feu est actif.",
                "The inventory does not say whether the firewall is on.",
            ),
        )  # fmt: skip
    return Said(
        Status.COMPLIANT, found, expected, Text("Le pare-feu est actif.", "The firewall is on.")
    )


def judge_encryption(volumes: Sequence[Volume]) -> Said:
    """Whether every volume that holds files is encrypted, the system's own among them."""
    expected = "every volume encrypted"
    states = {
        place: volume.encrypted
        for volume in volumes
        if (place := drive(volume.mount)) and not _STARTS.fullmatch(place)
    }
    found = "; ".join(
        f"{place}: {_state(state, 'encrypted', 'clear')}" for place, state in sorted(states.items())
    )
    clear = sorted(place for place, state in states.items() if state is False)
    if clear:
        names = ", ".join(clear)
        return Said(
            Status.DRIFT, found, expected,
            Text(
                f"En clair, tout ou partie de {names} : qui trouve la machine lit ses fichiers.",
                f"In clear, all or part of {names}: whoever finds the machine reads its files.",
            ),
        )  # fmt: skip
    silent = sorted(place for place, state in states.items() if state is None)
    if silent or not {"C:", "/"} & set(states):
        names = ", ".join(silent) or "C:, /"
        return Said(
            Status.UNKNOWN, found, expected,
            Text(
                f"L’inventaire ne dit pas si {names} est chiffré.",
                f"The inventory does not say whether {names} is encrypted.",
            ),
        )  # fmt: skip
    return Said(
        Status.COMPLIANT, found, expected,
        Text("Le disque est chiffré.", "The disk is encrypted."),
    )  # fmt: skip


def not_carried(kind: Kind) -> Said:
    """What is said of a machine whose disk is not asked to be encrypted."""
    return Said(
        Status.NOT_APPLICABLE, kind.value, "",
        Text(
            "Le chiffrement n’est demandé que des machines que l’on emporte.",
            "Encryption is asked of machines that are carried about.",
        ),
    )  # fmt: skip


def _state(value: bool | None, yes: str, no: str) -> str:
    return "not said" if value is None else yes if value else no
