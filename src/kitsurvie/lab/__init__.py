"""Disposable real machines: Debian in systemd-nspawn or qemu, and a workspace around them.

from kitsurvie import lab

fleet = lab.up(Path("lab"), lab.Request(machines=4, enrolled=True))
fleet.machines[0].run(["systemctl", "is-system-running"])
lab.down(Path("lab"))
"""

from kitsurvie.lab.lifecycle import down, purge, renew, sleep, up, wake
from kitsurvie.lab.machine import Machine
from kitsurvie.lab.record import Lab, exists, load
from kitsurvie.lab.roster import Request

__all__ = [
    "Lab",
    "Machine",
    "Request",
    "down",
    "exists",
    "load",
    "purge",
    "renew",
    "sleep",
    "up",
    "wake",
]
