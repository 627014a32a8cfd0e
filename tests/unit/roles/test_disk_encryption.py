"""What the checks of disk_encryption make of the disks that lsblk tells of."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from .test_commands_of_checks import Root, checks

MODULE = checks("disk_encryption")
NONE: dict[str, Any] = {"disk_encryption__accepted": []}


def node(
    name: str, kind: str, *children: Any, mounts: tuple[str, ...] = (), rm: bool = False
) -> Any:
    return {
        "name": name,
        "type": kind,
        "rm": rm,
        "mountpoints": list(mounts) or [None],
        **({"children": list(children)} if children else {}),
    }


LUKS = node(
    "sda", "disk",
    node("sda1", "part", mounts=("/boot",)),
    node("sda2", "part", node("c", "crypt", node("vg-root", "lvm", mounts=("/",)),
                              node("vg-swap", "lvm", mounts=("[SWAP]",)))),
)  # fmt: skip


class Laptop:
    def __init__(self, *disks: Any, container: str = "none") -> None:
        self.disks = json.dumps({"blockdevices": list(disks)})
        self.container = container

    def run(self, command: str) -> Any:
        said = {
            MODULE.CONTAINER: f"{self.container}\n",
            MODULE.DISKS: self.disks,
        }
        return SimpleNamespace(rc=0, stdout=said[command], stderr="")


def drifts(host: Laptop, params: dict[str, Any] = NONE) -> list[str]:
    found = []
    for name in ("the_system_is", "personal_folders_are", "the_memory_put_on_disk_is"):
        try:
            getattr(MODULE, f"test_{name}_encrypted")(host, params)
        except AssertionError:
            found.append(name)
    try:
        MODULE.test_no_other_disk_is_in_clear(host, params)
    except AssertionError:
        found.append("other")
    return found


def test_a_system_on_luks_is_encrypted_with_its_boot_in_clear() -> None:
    assert drifts(Laptop(LUKS)) == []


def test_a_home_beside_the_encrypted_system_is_named() -> None:
    assert drifts(Laptop(LUKS, node("sdb", "disk", mounts=("/home",)))) == ["personal_folders_are"]


def test_a_swap_in_clear_gives_the_memory_away() -> None:
    plain = node("sdb", "disk", mounts=("[SWAP]",))
    assert drifts(Laptop(LUKS, plain)) == ["the_memory_put_on_disk_is"]
    assert drifts(Laptop(LUKS, node("zram0", "disk", mounts=("[SWAP]",)))) == []


def test_a_volume_that_spans_an_encrypted_disk_and_a_plain_one_is_in_clear() -> None:
    wide = node("vg-data", "lvm", mounts=("/srv",))
    both = (node("sdb", "disk", node("d", "crypt", wide)), node("sdc", "disk", wide))
    assert drifts(Laptop(LUKS, *both)) == ["other"]


def test_what_is_plugged_in_is_another_measure_s_matter() -> None:
    assert drifts(Laptop(LUKS, node("sdz", "disk", mounts=("/media/key",), rm=True))) == []


def test_a_system_on_no_known_disk_is_not_taken_for_encrypted() -> None:
    assert drifts(Laptop()) == [
        "the_system_is", "personal_folders_are", "the_memory_put_on_disk_is", "other",
    ]  # fmt: skip


def test_what_is_accepted_in_clear_is_not_applicable_with_its_reason() -> None:
    accepted = {"disk_encryption__accepted": [{"mount": "/", "reason": "it encrypts itself"}]}
    plain = Laptop(node("sda", "disk", mounts=("/",)))
    with pytest.raises(pytest.skip.Exception, match="it encrypts itself"):
        MODULE.test_the_system_is_encrypted(plain, accepted)


def test_a_container_has_no_disk() -> None:
    with pytest.raises(pytest.skip.Exception, match="lxc"):
        MODULE.test_the_system_is_encrypted(Laptop(LUKS, container="lxc"), NONE)


def test_a_random_key_of_a_swap_is_no_key_left_about(tmp_path: Any) -> None:
    root = Root(tmp_path)
    root.write("etc/crypttab", "# a\nswap /dev/sda3 /dev/urandom swap\nroot UUID=1 none luks\n")
    MODULE.test_no_key_lies_beside_the_lock(root)
    root.write("etc/crypttab", "root UUID=1 /etc/left.key luks\n")
    with pytest.raises(AssertionError):
        MODULE.test_no_key_lies_beside_the_lock(root)
