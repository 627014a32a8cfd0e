"""What a virtual machine starts from: the bare Debian with a kernel and GRUB, and a disk of it.

No loop device and nothing of the host's is used: the file system is filled by mke2fs from a
folder, and GRUB's first sectors are written as grub-install would write them.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab import base
from kitsurvie.lab.mirror import Mirror

SECTOR = 512
FIRST_SECTOR = 2048  # the partition's; GRUB's core lies between it and the first sector of all
DISK_MB = 8192  # as the machine sees it; the file only holds what was written
_PACKAGES = (
    "e2fsprogs",
    "grub-pc",
    "initramfs-tools",
    "linux-image-cloud-amd64",
    "qemu-guest-agent",
    "zstd",
)
_GRUB_MODULES = ("biosdisk", "part_msdos", "ext2")
_BOOT = Path("boot/grub/i386-pc")
_LINUX_PARTITION = 0x83
_FILES = {
    "etc/fstab": "/dev/vda1 / ext4 errors=remount-ro 0 1\n",
    # its line has the name that the containers' has
    "etc/systemd/network/10-lab.link": "[Match]\nDriver=virtio_net\n\n[Link]\nName=host0\n",
    "etc/default/grub.d/00-lab.cfg": (
        "GRUB_TIMEOUT=0\nGRUB_RECORDFAIL_TIMEOUT=0\nGRUB_TERMINAL=console\n"
        'GRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX="console=ttyS0 quiet"\n'
        "GRUB_DISABLE_OS_PROBER=true\n"
    ),
    # for the first start only: then the machine writes its own with update-grub
    "boot/grub/grub.cfg": (
        "set root=(hd0,msdos1)\nset timeout=0\nmenuentry 'Debian' {\n"
        "\tlinux /vmlinuz root=/dev/vda1 ro console=ttyS0 quiet\n\tinitrd /initrd.img\n}\n"
    ),
}
_RECIPE = "1"  # raise it when what is done with these changes


def path(release: str, mirror: Mirror, cache: Path = base.CACHE) -> Path:
    """Where the image of a release is, or will be; another bare Debian is another image."""
    below = base.path(release, mirror, cache).name
    recipe = "\n".join((_RECIPE, below, *_PACKAGES, *_GRUB_MODULES, *map(str, _FILES.items())))
    return cache / f"{release}-vm-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure(release: str, mirror: Mirror, say: Callable[[str], None], cache: Path) -> Path:
    """The image of a release with its kernel, built over the bare one if there is none yet."""
    bare = base.ensure(release, mirror, say, cache)
    return base.built(
        path(release, mirror, cache),
        lambda building, log: _build(bare, mirror, building, log),
        say,
        "the image of a virtual machine (about two minutes, once)",
    )


def _build(bare: Path, mirror: Mirror, root: Path, log: Path) -> None:
    with log.open("wb") as output:
        base.step(["cp", "-a", "--reflink=auto", f"{bare}/.", str(root)], output, log, mirror)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        for name, text in _FILES.items():
            if not name.startswith("boot/"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
        for argv in (
            # GRUB's package may not go looking for disks: those it would find are the host's
            ["/bin/sh", "-c",
             "echo grub-pc grub-pc/install_devices_empty boolean true | debconf-set-selections"],
            ["apt-get", "-q", "-y", "--no-install-recommends", "install", *_PACKAGES],
            ["apt-get", "clean"],
            ["/bin/sh", "-c",
             f"mkdir -p /{_BOOT} && cp /usr/lib/grub/i386-pc/*.mod /usr/lib/grub/i386-pc/*.lst "
             f"/usr/lib/grub/i386-pc/boot.img /{_BOOT} && grub-mkimage -O i386-pc "
             f"-p '(hd0,msdos1)/boot/grub' -o /{_BOOT}/core.img {' '.join(_GRUB_MODULES)}"],
        ):  # fmt: skip
            base.step(base.inside(root, argv), output, log, mirror, proc=root / "proc")
        (root / "boot/grub/grub.cfg").write_text(_FILES["boot/grub/grub.cfg"])
    base.forget_identity(root)


def make(image: Path, upper: Path, work: Path, root: Path, disk: Path) -> None:
    """Make a machine's disk of an image and of what is written over it.

    `work` and `root` are empty folders beside `upper`. Raises LabError when it cannot be made.
    """
    disk.unlink(missing_ok=True)
    with disk.open("wb") as file:
        file.truncate(DISK_MB * 1024 * 1024)
    kilobytes = DISK_MB * 1024 - FIRST_SECTOR * SECTOR // 1024
    script = (
        'mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" && '
        # features that GRUB of Debian 12 cannot read are left out
        "exec mke2fs -q -F -t ext4 -O ^metadata_csum_seed,^orphan_file -m 1 "
        '-E "offset=$5,nodiscard" -d "$4" "$6" "$7"'
    )
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "/bin/sh", "-c", script, "mke2fs",
         str(image), str(upper), str(work), str(root), str(FIRST_SECTOR * SECTOR), str(disk),
         f"{kilobytes}k"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise LabError(
            f"The disk of a virtual machine cannot be made: {done.stderr.strip()[-300:]}",
            where=str(disk),
            remedy="Is there room? Else build its image anew: kitsurvie lab down --purge-cache.",
        )
    boot, core = ((image / _BOOT / name).read_bytes() for name in ("boot.img", "core.img"))
    with disk.open("r+b") as file:
        file.write(first_sectors(boot, core, DISK_MB * 1024 * 1024 // SECTOR))


def first_sectors(boot: bytes, core: bytes, sectors: int) -> bytes:
    """What stands before the one partition of a disk: GRUB's two parts around a table.

    `boot` loads the sector after it and `core` those after that, as they do by default.
    """
    if len(boot) != SECTOR or len(core) > (FIRST_SECTOR - 1) * SECTOR:
        raise ValueError("GRUB does not fit before the partition")
    # its first and last cylinders are out of the old format's reach, as on any disk of today
    entry = struct.pack(
        "<B3sB3sII", 0x80, b"\xfe\xff\xff", _LINUX_PARTITION, b"\xfe\xff\xff",
        FIRST_SECTOR, sectors - FIRST_SECTOR,
    )  # fmt: skip
    table = entry + bytes(48) + b"\x55\xaa"
    return boot[: SECTOR - len(table)] + table + core
