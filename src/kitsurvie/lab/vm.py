"""A virtual machine's hardware: the command line of qemu."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
import uuid
from pathlib import Path

MEMORY_MB = 768
# Where the host is a virtual machine itself, the kernel may refuse what this would pass on;
# five-level page tables only slow an emulated processor down. What it has translated is thrown away
# when there is no room for more: with 128 MB that was every seven seconds.
_PROCESSORS = {"kvm": "host,arch-capabilities=off", "tcg": "max,la57=off"}
_OPTIONS = {"kvm": "kvm", "tcg": "tcg,tb-size=512"}
_TRIED_WITHIN_S = 5.0
_TRIAL = b"\xb0\x10\xe6\xf4\xf4"  # mov al, 16; out 0xf4, al; hlt
_TRIAL_ENDS_WITH = 33  # what qemu's isa-debug-exit makes of 16


@functools.cache
def accelerator() -> str:
    """`kvm` on real hardware where it works, else `tcg`: qemu plays the processor, slowly.

    A host that is virtual itself may run a first sector with KVM and hang in the boot loader.

    KITSURVIE_LAB_ACCEL, if set to one of them, decides.
    """
    asked = os.environ.get("KITSURVIE_LAB_ACCEL", "")
    if asked in _PROCESSORS:
        return asked
    if "hypervisor" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split():
        return "tcg"
    return "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and _starts("kvm") else "tcg"


def _starts(accel: str) -> bool:
    """Whether a virtual machine runs the first sector of its disk."""
    with tempfile.NamedTemporaryFile(prefix="kitsurvie-trial-") as disk:
        disk.write(_TRIAL.ljust(510, b"\0") + b"\x55\xaa")
        disk.truncate(1 << 20)  # the BIOS starts no disk of one sector
        disk.flush()
        argv = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35",
            *_processor(accel), "-m", "64", "-display", "none",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            "-drive", f"file={disk.name},format=raw,if=virtio",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TRIED_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == _TRIAL_ENDS_WITH


def _processor(accel: str) -> list[str]:
    return ["-accel", _OPTIONS[accel], "-cpu", _PROCESSORS[accel]]


def command(
    name: str, mac: str, interface: str, disk: Path, console: Path, sockets: Path, accel: str
) -> list[str]:
    """The qemu that is this machine.

    qemu makes the tap `interface` itself, and the kernel takes it away however qemu ends.
    """
    return [
        "qemu-system-x86_64", "-name", name, "-nodefaults", "-no-user-config",
        "-machine", "q35", *_processor(accel),
        "-smbios", f"type=1,serial={serial(mac)},uuid={uuid.uuid5(uuid.NAMESPACE_OID, mac)}",
        "-smp", "1", "-m", str(MEMORY_MB), "-rtc", "base=utc",
        "-display", "none", "-vga", "std",
        "-chardev", f"file,id=console,path={_quoted(console)},append=on",
        "-serial", "chardev:console",
        "-qmp", f"unix:{_quoted(sockets / 'qmp')},server=on,wait=off",
        # a lab's disk is never worth a flush
        "-drive", f"file={_quoted(disk)},format=raw,if=virtio,cache=unsafe,discard=unmap",
        "-netdev", f"tap,id=net,ifname={interface},script=no,downscript=no",
        "-device", f"virtio-net-pci,netdev=net,mac={mac},romfile=",
        "-device", "virtio-rng-pci",
        "-device", "virtio-serial-pci",
        "-chardev", f"socket,id=agent,path={_quoted(sockets / 'agent')},server=on,wait=off",
        "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
    ]  # fmt: skip


def mac(address: str) -> str:
    """A locally administered hardware address that no two machines of a host share."""
    return "52:54:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def serial(mac: str) -> str:
    """The serial number in its firmware: as lasting as its address, and as little another's."""
    return f"LAB{mac.replace(':', '').upper()}"


def _quoted(path: Path) -> str:
    """A path inside an option of qemu's, where a comma is written twice."""
    return str(path).replace(",", ",,")
