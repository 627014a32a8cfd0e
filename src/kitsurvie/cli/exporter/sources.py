"""What the parts of the exporter read from: each thing when one first asks for it, and once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from kitsurvie import inventory as inventories
from kitsurvie import kit
from kitsurvie.assets import crowd, factors
from kitsurvie.assets.doubles import Double
from kitsurvie.assets.factors import Factors
from kitsurvie.assets.use import WINDOW_DAYS, Use, Window
from kitsurvie.cli import stated
from kitsurvie.cli.assets import clock, doubles
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.errors import LedgerError
from kitsurvie.inventory import Statements
from kitsurvie.ledger import Ledger
from kitsurvie.model import Inventory, Measure
from kitsurvie.workspace import Workspace


@dataclass
class Sources:
    """A workspace and its ledger at one moment.

    `trouble` is why there is no ledger. `own_factors` is the syndicate's file of factors.
    """

    place: Workspace
    book: Ledger | None
    trouble: LedgerError | None = None
    own_factors: Path | None = None
    now: float = field(default_factory=time.time)
    today: date = field(default_factory=lambda: clock.today())

    @property
    def ledger(self) -> Ledger:
        """The ledger. Raises LedgerError where there is none to read."""
        if self.book is None:
            raise self.trouble or LedgerError(
                "There is no ledger.", remedy="Make one: kitsurvie compliance run"
            )
        return self.book

    @cached_property
    def inventory(self) -> Inventory:
        """The hosts and members. Raises InventoryError."""
        return inventories.load(self.place)

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        """The kit. Raises KitError."""
        return kit.load(self.place.roles)

    @cached_property
    def statements(self) -> Statements:
        """Waivers and attestations. Raises InventoryError at the first that is wrong."""
        known = stated.known(self.measures, self.place.roles)
        return inventories.load_statements(
            self.place, self.inventory, self.measures, known, self.today
        )

    @cached_property
    def factors(self) -> Factors:
        """What devices cost. Raises UsageError."""
        return factors.load(self.own_factors)

    # -- the register -------------------------------------------------------------------------

    @cached_property
    def estate(self) -> Estate:
        """The devices of the register: seconds and hundreds of megabytes, of a large one."""
        return estates.load(self.ledger.register, self.place)

    @cached_property
    def window(self) -> Window:
        """The days over which use is looked at, to yesterday."""
        return Window(self.today - timedelta(days=1), WINDOW_DAYS)

    @cached_property
    def use(self) -> Use:
        """Who used which device on which day, where somebody was consulted about it."""
        return self.estate.use(self.window)

    @cached_property
    def doubles(self) -> tuple[Double, ...]:
        """Everybody with two machines."""
        return doubles.every(self.estate, self.use, self.window)

    @cached_property
    def agents(self) -> Mapping[str, Set[str]]:
        """The agents (pseudonyms) of each member: those whose use is known, and the doubles."""
        found: dict[str, set[str]] = {}
        for one in self.doubles:
            found.setdefault(one.member, set()).add(one.user)
        for device, users in self.use.days.items():
            member = self.estate.devices[device].member
            # technicians and kiosks are no agents: one person must not hide behind them
            who = users.keys() - self.estate.identity.shared
            if member and who:
                found.setdefault(member, set()).update(who)
        return found

    @cached_property
    def shown(self) -> crowd.Shown:
        """The members and EPCI of whose agents may be told: five and more of them."""
        return crowd.shown(self.agents, {member: self.epci(member) for member in self.agents})

    @cached_property
    def _epcis(self) -> dict[str, str]:
        return {}

    def epci(self, member: str | None) -> str:
        """The SIREN of a member's EPCI, of an EPCI its own; empty for those in none."""
        if not member:
            return ""
        if member not in self._epcis:
            own = member if estates.is_epci(self.inventory, member) else ""
            self._epcis[member] = self.estate.epci(member) or own
        return self._epcis[member]
