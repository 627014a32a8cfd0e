"""Does a thief get the disk only, or what is on it too? Verified; nothing is ever applied."""

import json

import pytest

CONTAINER = "systemd-detect-virt --container"
DISKS = "lsblk -J -o NAME,TYPE,RM,MOUNTPOINTS"
# where no key may lie, as it starts in clear
IN_CLEAR = "/boot", "/boot/efi", "/efi"
KEYS = (
    "sed -nE 's/^[[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+"
    "(\\/[^[:space:]]+).*/\\1/p' /etc/crypttab 2>/dev/null | grep -v '^/dev/' | "
    'while read -r key; do stat -Lc \'%U %a %n\' "$key" 2>/dev/null || echo "gone 0 $key"; done; '
    # no key is not the same as no answer
    "echo looked"
)


def mounted(text):
    """Mount points (and [SWAP]) of `lsblk -J`, and whether all that is below each is encrypted."""
    found = {}

    def walk(node, encrypted):
        encrypted = encrypted or node["type"] == "crypt"
        # memory, files of other file systems and what is plugged in are no disk of the machine
        if node["type"] in ("loop", "rom") or node["name"].startswith("zram") or node["rm"]:
            return
        for mount in node.get("mountpoints") or []:
            if mount:
                found[mount] = found.get(mount, True) and encrypted
        for child in node.get("children", []):
            walk(child, encrypted)

    for disk in json.loads(text)["blockdevices"]:
        walk(disk, False)
    return found


def disks(host, params):
    """What is mounted, by mount point, as words; what is accepted in clear is named so."""
    kind = host.run(CONTAINER).stdout.strip()
    if kind not in ("", "none"):
        pytest.skip(f"a container ({kind}) has no disk of its own")
    answer = host.run(DISKS)
    try:
        seen = mounted(answer.stdout)
    except (ValueError, KeyError):
        return {}
    words = {mount: "encrypted" if whole else "in clear" for mount, whole in seen.items()}
    for one in params["disk_encryption__accepted"]:
        if words.get(one["mount"]) == "in clear":
            words[one["mount"]] = "accepted: " + one["reason"]
    return words


def unless_accepted(word):
    if word.startswith("accepted: "):
        pytest.skip(word)
    return word


def test_the_system_is_encrypted(host, params):
    """Le système est sur un disque chiffré."""
    words = disks(host, params)
    found = unless_accepted(words.get("/", "on no disk that is known"))
    expected = "encrypted"
    assert found == expected


def test_personal_folders_are_encrypted(host, params):
    """Les dossiers personnels sont sur un disque chiffré."""
    words = disks(host, params)
    found = unless_accepted(words.get("/home", words.get("/", "on no disk that is known")))
    expected = "encrypted"
    assert found == expected


def test_the_memory_put_on_disk_is_encrypted(host, params):
    """La mémoire que l’ordinateur copie sur son disque y est chiffrée."""
    words = disks(host, params)
    found = unless_accepted(words.get("[SWAP]", "encrypted" if words else "no disk is known"))
    expected = "encrypted"
    assert found == expected


def test_no_other_disk_is_in_clear(host, params):
    """Aucun autre disque de l’ordinateur n’est lisible par celui qui le trouve."""
    words = disks(host, params)
    others = {m: w for m, w in words.items() if m not in ("/", "/home", "[SWAP]", *IN_CLEAR)}
    found = {
        "the disks could be read": bool(words),
        "in clear": sorted(mount for mount, word in others.items() if word == "in clear"),
    }
    expected = {"the disks could be read": True, "in clear": []}
    assert found == expected


def test_no_key_lies_beside_the_lock(host):
    """La clé du disque n’est pas laissée là où un autre peut la lire."""
    lines = host.run(KEYS).stdout.splitlines()
    rows = [line.split(" ", 2) for line in lines if line != "looked"]
    found = {"crypttab was read": "looked" in lines}
    for owner, mode, path in rows:
        if path.startswith(tuple(f"{folder}/" for folder in IN_CLEAR)):
            found[path] = "on a disk that is not encrypted"
        elif owner != "root" or int(mode, 8) & 0o077:
            found[path] = "gone" if owner == "gone" else f"readable by others ({owner}, {mode})"
    expected = {"crypttab was read": True}
    assert found == expected
