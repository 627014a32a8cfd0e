"""Prove the way in that every later command takes: OpenSSH, pinned key, own account, sudo."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from kitsurvie.enroll import known_hosts
from kitsurvie.enroll.host_key import PublicKey
from kitsurvie.enroll.road import Road, child_environment, jump_command
from kitsurvie.errors import EnrolError, HostError
from kitsurvie.inventory import road as roads


def prove(
    road: Road, *, name: str, keys: tuple[PublicKey, ...], administrator: str, key_file: Path | None
) -> None:
    """Log in anew as `administrator` and run `sudo -n true`.

    The client is OpenSSH, because it is what Ansible uses: certificates, agents and hardware
    keys are proved as they will be used. `keys` are in a known_hosts of their own, since the
    workspace's is not written yet. Raises EnrolError when the door stays shut, HostError when
    the machine no longer answers.
    """
    with tempfile.TemporaryDirectory(prefix="kitsurvie-proof-") as folder:
        pinned = Path(folder) / "known_hosts"
        pinned.write_text("".join(f"{known_hosts.line(name, key)}\n" for key in keys))
        arguments = command(
            road, name=name, pinned=pinned, administrator=administrator, key_file=key_file
        )
        # what the login may take, twice the road's own limit for each of the two hops
        limit = road.timeout_s * 4 + 10
        try:
            ended = subprocess.run(
                arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit,
                env=child_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HostError(
                f"Logging in as {administrator} did not end in {limit:g} s.",
                where=road.label,
                remedy="Look at the machine's log (journalctl -u ssh), then run it again.",
            ) from error
        except FileNotFoundError as error:
            raise EnrolError(
                "The ssh command is not on this computer.",
                remedy="Install OpenSSH's client (openssh-client).",
            ) from error
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip()
        raise _refusal(said, ended.returncode, road, administrator)


def command(
    road: Road, *, name: str, pinned: Path, administrator: str, key_file: Path | None
) -> list[str]:
    """The ssh command line of the proof."""
    key = ["-i", str(key_file), "-o", "IdentitiesOnly=yes"] if key_file else []
    proxy = (
        ["-o", f"ProxyCommand={roads.one_word(jump_command(road, road.jump))}"] if road.jump else []
    )
    return [
        *("ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"),
        *roads.pinned(pinned, name),
        *("-o", "ControlPath=none"),
        *("-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no"),
        *("-o", f"ConnectTimeout={max(1, round(road.timeout_s))}"),
        *proxy,
        *key,
        *("-p", str(road.to.port), "-l", administrator, road.to.address, "--"),
        *("sudo", "-n", "true"),
    ]


def _refusal(said: str, status: int, road: Road, who: str) -> EnrolError | HostError:
    last = said.splitlines()[-1] if said else f"exit status {status}"
    if "Permission denied" in said:
        return EnrolError(
            f"The account {who} was created but its key does not open it.",
            where=f"{road.label}: {last}",
            remedy=f"Is the key of {who} in your agent (ssh-add -l) or given with --admin-key? If"
            " so, the machine's sshd_config (AllowUsers, AuthorizedKeysFile) keeps it out.",
        )
    if "Host key verification failed" in said:
        return EnrolError(
            "A second connection met another host key than the first.",
            where=road.label,
            remedy="Two machines share that address, or somebody is in between: look into it.",
        )
    if status == 255:
        return HostError(
            f"The machine no longer answers when {who} logs in.",
            where=f"{road.label}: {last}",
            remedy="Look at its log (journalctl -u ssh), then run the same command again.",
        )
    return EnrolError(
        f"{who} logs in but may not use sudo without a password.",
        where=f"{road.label}: {last}",
        remedy="Another rule of the machine's sudoers wins over ours (the last match counts): look"
        " with sudo -l, take it out, then run the same command again.",
    )
