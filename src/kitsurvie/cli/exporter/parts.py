"""Which parts there are and what each is made of: known without reading what reads them."""

from __future__ import annotations

RUNS, REGISTER, INVENTORY, HOUR, DAY = "runs", "register", "inventory", "hour", "day"

# no part of the exposition, and read like one
TARGETS = "targets"
# a part is read again when one of these is not what it was; in the order in which series are let in
OF: dict[str, frozenset[str]] = {
    "inventory": frozenset({INVENTORY, DAY}),
    TARGETS: frozenset({INVENTORY, DAY}),
    "compliance": frozenset({RUNS, INVENTORY, HOUR}),
    "runs": frozenset({RUNS}),
    "equipment": frozenset({REGISTER, INVENTORY, DAY}),
    "usage": frozenset({REGISTER, INVENTORY, DAY}),
    # machines hand their readings over all day long, and each has one a day
    "energy": frozenset({REGISTER, INVENTORY, HOUR}),
}
# these take seconds of a large syndicate: the others are shown before they are read
SLOW = frozenset({"equipment", "usage", "energy"})
PARTS = tuple(name for name in OF if name != TARGETS)
