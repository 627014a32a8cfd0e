"""Whether a host that asks for a restart may have one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kitsurvie.model import Host, Item, Mode, Profile

# what Debian's own note is called among those of the measures
DEBIAN = "debian"
# the measure whose work Debian's note is: whoever enforces it has updates put in force
UPDATES = "updates"


class Policy(StrEnum):
    """Who may restart a host: nobody from here, the people there, or a deployment."""

    NEVER = "never"
    ASK = "ask"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Restart:
    """A restart that a host asks for.

    `by` are the measures that wait for it, and `debian`; `since` is when the first of them asked
    (seconds since 1970, by the host's clock). `left` says why it is not restarted from here, empty
    when it may be.
    """

    by: tuple[str, ...]
    since: float
    left: str = ""


def policy(host: Host) -> Policy:
    """`kit__reboot`; else `auto` for a server that has declared when it may be changed, or `ask`.

    A server nobody sits at is restarted at an hour that was agreed on, and at no other. A PC has
    somebody in front of it, who knows best.
    """
    said = host.variables.get("kit__reboot")
    if said is not None:
        return Policy(said)
    agreed = host.profile is Profile.SERVER and host.variables.get("kit__change_windows")
    return Policy.AUTO if agreed else Policy.ASK


def restart(
    host: Host, items: Iterable[Item], wanted: Mapping[str, float], asked: bool | None = None
) -> Restart | None:
    """What a host's notes (measure or `debian` -> since when) come to; None when it has none.

    `asked` is what the person who deploys wants: True also restarts where the policy is `ask`,
    False restarts nothing.
    """
    if not wanted:
        return None
    enforced = {item.measure for item in items if item.mode is Mode.ENFORCE}
    if UPDATES in enforced:
        enforced.add(DEBIAN)
    rule = policy(host)
    left = ""
    if not enforced & wanted.keys():
        left = "nothing that asks for it is enforced here"
    elif rule is Policy.NEVER:
        left = "kit__reboot is never here"
    elif asked is False:
        left = "--no-reboot was given"
    elif rule is Policy.ASK and not asked:
        left = "left to the people there (deploy --reboot does it when nobody is logged in)"
    return Restart(tuple(sorted(wanted)), min(wanted.values()), left)
