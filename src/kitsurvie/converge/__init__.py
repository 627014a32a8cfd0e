"""Ansible on the hosts and measures that are due. The only room that imports ansible-runner.

Ansible runs in a process of its own, which inherits the run's lock: when the command line dies,
what Ansible began is finished, and a later `--resume` waits for it.
"""

from kitsurvie.converge.client import Job, Play, State, Step, converge
from kitsurvie.converge.overlay import write_overlay

__all__ = ["Job", "Play", "State", "Step", "converge", "write_overlay"]
