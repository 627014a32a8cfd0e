"""What kind of thing a record is, from what exports call it. Tables, and no guess beyond them."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from kitsurvie.assets.folding import fold
from kitsurvie.assets.record import Kind

_OF_CLASS = {
    "desktop": Kind.DESKTOP,
    "all-in-one": Kind.DESKTOP,
    "mini-pc": Kind.DESKTOP,
    "laptop": Kind.LAPTOP,
    "tablet": Kind.TABLET,
    "server": Kind.SERVER,
    "mobile": Kind.OTHER,
    "accessory": Kind.OTHER,
    "embedded": Kind.OTHER,
    "unknown": Kind.UNKNOWN,
}
_WORDS: dict[Kind, tuple[str, ...]] = {
    Kind.DESKTOP: (
        *("ordinateur de bureau", "poste fixe", "pc fixe", "fixe", "unite centrale", "uc", "tour"),
        *("mini tour", "tout en un", "all in one pc", "aio", "station de travail", "workstation"),
        *("poste de travail fixe", "desktop pc", "desktop computer", "micro ordinateur"),
        *("client leger", "thin client", "imac", "sff", "bureau"),
    ),
    Kind.LAPTOP: (
        *("portable", "ordinateur portable", "pc portable", "poste portable", "laptops", "macbook"),
        *("ultraportable", "ultrabook", "chromebook", "laptop computer", "micro portable"),
        *("hybride", "2 en 1", "2 in 1"),
    ),
    Kind.TABLET: ("tablette", "tablettes", "tablettes tactiles", "tablette tactile", "ipad"),
    Kind.SERVER: ("server", "serveur", "serveurs", "rack server", "serveur rack", "nas"),
    Kind.SCREEN: (
        *("ecran", "ecrans", "moniteur", "moniteurs", "monitor", "monitors", "display", "screen"),
    ),
    Kind.PHONE: (
        *("phone", "telephone", "smartphone", "smartphones", "telephone portable", "mobile"),
        *("telephone mobile", "mobile phone", "telephone ip", "iphone"),
    ),
    Kind.PRINTER: (
        *("printer", "printers", "imprimante", "imprimantes", "copieur", "photocopieur", "mfp"),
        *("multifonction", "imprimante multifonction", "laser", "traceur", "scanner"),
    ),
    Kind.NETWORK: (
        *("networkequipment", "networking", "network equipment", "materiel reseau", "switch"),
        *("equipement reseau", "commutateur", "routeur", "router", "firewall", "pare feu", "wifi"),
        *("borne wifi", "point d acces", "access point", "box", "modem"),
    ),
    Kind.VIRTUAL: (
        *("virtual machine", "machine virtuelle", "vm", "virtuel", "virtual", "vmware", "qemu"),
        *("virtualbox", "hyper v", "kvm", "xen", "container", "conteneur", "docker", "lxc"),
    ),
    Kind.OTHER: (
        *("storage", "video", "power", "peripheral", "peripherique", "unmanaged", "autre"),
        *("station d accueil", "docking station", "onduleur", "ups", "videoprojecteur"),
    ),
}
# firmwares of virtual machines give themselves away by maker and model
_VIRTUAL_MODELS = (
    *("vmware", "virtualbox", "kvm", "qemu", "bochs", "standard pc", "hvm domu", "openstack"),
    *("virtual machine", "parallels virtual"),
)
_APPLE = {
    "macbook": Kind.LAPTOP,
    "imac": Kind.DESKTOP,
    "macmini": Kind.DESKTOP,
    "macpro": Kind.DESKTOP,
    "ipad": Kind.TABLET,
    "iphone": Kind.PHONE,
}


@cache
def _table() -> dict[str, Kind]:
    """Words, names of chassis types and their numbers, to kinds."""
    table = {word: kind for kind, words in _WORDS.items() for word in words}
    data = resources.files("kitsurvie.assets") / "data" / "smbios_chassis_types.csv"
    for row in csv.DictReader(data.read_text(encoding="utf-8").splitlines()):
        kind = _OF_CLASS[row["class"]]
        table[row["smbios_type"]] = kind
        table[fold(row["name"])] = kind
    return table


def of_words(said: str) -> Kind:
    """The kind that a type, a category or a chassis (name or number of SMBIOS) speaks of."""
    return _table().get(fold(said), Kind.UNKNOWN)


def of_model(maker: str, model: str) -> Kind:
    """The kind that maker and model give away: virtual machines, and what Apple makes."""
    name = fold(model)
    whole = f"{fold(maker)} {name}"
    if name and any(word in whole for word in _VIRTUAL_MODELS):
        return Kind.VIRTUAL
    if "apple" in whole:
        squeezed = name.replace(" ", "")
        return next((k for word, k in _APPLE.items() if squeezed.startswith(word)), Kind.UNKNOWN)
    return Kind.UNKNOWN


def of_computer(
    *, chassis: str, vmsystem: str, maker: str, model: str, battery: bool | None
) -> Kind:
    """The kind of what an agent calls a computer.

    A battery makes a laptop of what no chassis tells; beside a desktop it is a UPS.
    """
    if vmsystem and fold(vmsystem) not in ("physical", "physique", "no"):
        return Kind.VIRTUAL
    modelled = of_model(maker, model)
    if modelled is not Kind.UNKNOWN:
        return modelled
    said = of_words(chassis)
    if battery and (said is Kind.UNKNOWN or fold(chassis) in ("docking station", "12")):
        return Kind.LAPTOP
    return said
