"""Serials, UUIDs, MACs and names in one spelling, blank where they identify nothing.

What identifies nothing by its value alone is in `data/bad_identifiers.csv` (each line with its
source) and in the rules below. What identifies nothing because many machines carry it is found in
the records themselves (`kitsurvie.assets.faces`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources

from kitsurvie.assets.record import Interface

# a serial under five characters is a count or a remark; the shortest of a maker, Dell's express
# and service tags, have five to seven
LEAST_SERIAL = 5
_LISTED = "bad_identifiers.csv"
# 0 and O, 1 and I are one sign on a label; no maker's numbering needs both readings apart
_READ_ALIKE = str.maketrans({"O": "0", "I": "1"})
_LABELS = re.compile(
    r"^(?:S/?N|N/S|SERIAL(?: N(?:O|UMBER)?)?|SERIE|N[O°]? ?(?:DE )?SERIE)\s*[:#.]\s*"
)
_SEQUENCES = ("0123456789012345678901234567890", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "9876543210")
_RUNS = frozenset(run[at : at + 2] for run in _SEQUENCES for at in range(len(run) - 1))
# virtual adapters by the first half of their address, from the IEEE's register: VMware (four),
# Hyper-V, VirtualBox, Xen, Parallels
_VIRTUAL = frozenset(
    {"005056", "000c29", "000569", "001c14", "00155d", "080027", "00163e", "001c42"}
)
_NOT_OF_THE_MACHINE = re.compile(
    r"\b(?:dock|usb|bluetooth|thunderbolt|virtual|vmware|virtualbox|vbox|hyper-v|vethernet|tap"
    r"|tun|vpn|ppp|wan miniport|bridge|br-|docker|veth|loopback|wi-?fi direct|teredo|isatap"
    r"|rndis|dongle|station d.accueil)",
    re.IGNORECASE,
)
# what Windows and Linux installers call a machine until somebody names it, and what people add to
# the name of a machine that they have replaced: neither tells one machine from another
_GIVEN_BY_INSTALLER = re.compile(
    r"^(?:DESKTOP-[A-Z0-9]{7}|LAPTOP-[A-Z0-9]{8}|WIN-[A-Z0-9]{11}|MINWINPC|LOCALHOST|DEBIAN"
    r"|UBUNTU|PC|NEW-?HOST|UNKNOWN|INCONNU|N/?A)$"
)
_PUT_AWAY = re.compile(r"[-_. (]+(?:OLD|ANCIEN|ANC|HS|BAK|BACKUP|TMP|COPIE|COPY|REFORME)\)?\d?$")
_MAKERS: Mapping[str, str] = {
    "hewlett": "hp", "hpe": "hp", "compaq": "hp", "ibm": "lenovo", "asustek": "asus",
    "micro": "msi", "packard": "acer", "gateway": "acer", "dynabook": "toshiba",
    "alienware": "dell", "fts": "fujitsu", "siemens": "fujitsu",
}  # fmt: skip
_HEX = re.compile(r"[^0-9a-f]+")
_ADDRESS = re.compile(r"[\d.]+")
_GAP = re.compile(r"[\s_]+")
_NO_SIGN = re.compile(r"[\W_]+")


def serial(said: str, maker: str = "", model: str = "") -> str:
    """A serial in capitals without separators, O read as 0 and I as 1; "" if it identifies nothing.

    Nothing identifies that is listed, shorter than five signs, made of two different signs at most,
    a run of the alphabet or of the digits, or the maker's or the model's own name.
    """
    text = " ".join(said.split())
    if not text:
        return ""
    kept = text.upper()
    if not kept.isalnum() or not kept.isascii():
        if _listed("serial")(text):
            return ""
        text = plain(text)
        kept = _NO_SIGN.sub("", _LABELS.sub("", text) or text)
    if len(kept) < LEAST_SERIAL or len(set(kept)) <= 2 or _is_run(kept):
        return ""
    if kept in _called(maker, model) or _listed("serial")(kept):
        return ""
    return kept.translate(_READ_ALIKE)


def uuid(said: str) -> str:
    """A UUID as 32 hexadecimal digits, the lesser of its two SMBIOS byte orders; or "".

    Before SMBIOS 2.6 the first three fields were read in either order (DMTF DSP0134, 7.2.1), so
    that two agents may say two UUIDs of one board.
    """
    digits = _HEX.sub("", said.lower())
    if len(digits) != 32 or len(set(digits)) <= 2:
        return ""
    read = bytes.fromhex(digits)
    swapped = (read[3::-1] + read[5:3:-1] + read[7:5:-1] + read[8:]).hex()
    known = _listed("uuid")
    if known(digits) or known(swapped):
        return ""
    return min(digits, swapped)


def macs(interfaces: Iterable[Interface]) -> tuple[str, ...]:
    """The addresses that belong to the machine itself, 12 hexadecimal digits each, sorted.

    Left out: virtual adapters, docks, USB and Bluetooth by what the agent calls them, multicast and
    locally administered addresses (IEEE 802, second bit of the first byte), and what is listed.
    """
    found = set()
    for interface in interfaces:
        digits = _HEX.sub("", interface.mac.lower())
        if len(digits) != 12 or interface.virtual or len(set(digits)) <= 2:
            continue
        if int(digits[1], 16) & 0b11 or digits[:6] in _VIRTUAL:
            continue
        if interface.what and _NOT_OF_THE_MACHINE.search(interface.what):
            continue
        if not _listed("mac")(digits):
            found.add(digits)
    return tuple(sorted(found))


def name(said: str) -> str:
    """A machine's name in capitals, without accents and without its domain."""
    text = plain(said).strip()
    if "." in text and not _ADDRESS.fullmatch(text):
        text = text.split(".")[0].strip()
    return _GAP.sub("-", text) if "_" in text or " " in text else text


def tells_apart(spelled: str) -> bool:
    """Whether a name was given by people to one machine, and is not a leftover."""
    return bool(spelled) and not (
        _GIVEN_BY_INSTALLER.match(spelled) or _PUT_AWAY.search(spelled)
    )  # fmt: skip


@lru_cache(maxsize=1024)
def maker(said: str) -> str:
    """The family of a maker ("Hewlett-Packard" and "HP Inc." are hp); "" for a placeholder."""
    if not said or _listed("manufacturer")(said) or _listed("model")(said):
        return ""
    words = re.findall(r"[a-z0-9]+", plain(said).lower())
    return _MAKERS.get(words[0], words[0]) if words else ""


@lru_cache(maxsize=8192)
def model(said: str, made_by: str = "") -> str:
    """A model without its maker's name, capitals and digits only; "" for a placeholder."""
    if not said or _listed("model")(said):
        return ""
    bare = _bare(said)
    return bare.removeprefix(maker(made_by).upper()) or bare


def alike(typed: str, read: str) -> bool:
    """Whether a serial typed by hand may be a slip for one that was read from the machine.

    The S that barcodes put first ("S" or Lenovo's "1S" and the type), one sign more, less or
    different, or two neighbours swapped.
    """
    if typed == read:
        return True
    # the I of a folded "1S" is a 1 already
    if typed.endswith(read) and (len(typed) == len(read) + 1 or typed.startswith("1S")):
        return True
    if abs(len(typed) - len(read)) > 1:
        return False
    short, long = sorted((typed, read), key=len)
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    turned = short[at + 1 : at + 2] + short[at : at + 1]
    return short[at + 1 :] == long[at + 1 :] or turned + short[at + 2 :] == long[at:]


def plain(text: str) -> str:
    """Capitals without accents."""
    if text.isascii():
        return text.upper()
    parts = unicodedata.normalize("NFKD", text.upper())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def _is_run(text: str) -> bool:
    return text[:2] in _RUNS and any(text in run for run in _SEQUENCES)


@lru_cache(maxsize=8192)
def _called(maker: str, model: str) -> frozenset[str]:
    return frozenset((_bare(maker), _bare(model), _bare(maker + model)))


def _bare(text: str) -> str:
    return _NO_SIGN.sub("", plain(text))


@cache
def _listed(kind: str) -> Callable[[str], bool]:
    """Whether a value of this kind is on the list."""
    text = (resources.files("kitsurvie.assets") / "data" / _LISTED).read_text("utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["type"] == kind]
    exact = {row["value"].casefold() for row in rows if row["match"] == "casefold-exact"}
    # in the spelling that we compare as well
    exact |= {(_HEX if kind in {"uuid", "mac"} else _NO_SIGN).sub("", one) for one in exact} - {""}
    patterns = [row["value"] for row in rows if row["match"] == "regex"]
    searches = [re.compile(pattern, re.IGNORECASE).search for pattern in patterns]

    def known(said: str) -> bool:
        if said.casefold() in exact:
            return True
        for search in searches:  # noqa: SIM110 - any() takes twice as long, a million times
            if search(said):
                return True
        return False

    return known
