"""Every metric of the exporter: its name, its help, its labels, and the part that gives it.

The same as the table of docs/reference/metrics.md, which `tests/contract` holds it to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kitsurvie.metrics import labels as of
from kitsurvie.metrics.labels import ALLOWED, Values

PARTS = ("inventory", "compliance", "runs", "equipment", "usage", "energy")
_NAME = re.compile(r"kitsurvie_[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge of the exporter. `parts` may give it; none: the exporter says it of itself.

    Raises ValueError for a label that is not on the list, and for `name` anywhere but in a metric
    that is there to show the names of public bodies.
    """

    name: str
    help: str
    labels: Mapping[str, Values]
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what could show a person or a machine."""
        if _NAME.fullmatch(self.name) is None:
            raise ValueError(f"{self.name} is no name of a metric of ours")
        for label in self.labels:
            if label not in ALLOWED:
                raise ValueError(f"{self.name}: no metric may have the label {label}")
        if "name" in self.labels and not self.name.endswith("_info"):
            raise ValueError(f"{self.name}: only an _info metric may have the label name")
        if unknown := set(self.parts) - set(PARTS):
            raise ValueError(f"{self.name}: there is no part {', '.join(sorted(unknown))}")


def _all(*listed: Metric) -> Mapping[str, Metric]:
    found = {one.name: one for one in listed}
    if len(found) != len(listed):
        raise ValueError("two metrics have one name")
    return found


_EPCI_KIND = {"epci": of.EPCI, "kind": of.DEVICES}
_EPCI_BOUND = {"epci": of.EPCI, "bound": of.BOUNDS}
_YEARLY = {"epci": of.EPCI, "kind": of.DEVICES, "bound": of.BOUNDS}
_RUN = {"kind": of.RUNS}
_ON_PAPER = "kind of device, 220 working days and the factors file"

CATALOGUE: Mapping[str, Metric] = _all(
    Metric(
        "kitsurvie_exporter_info", "The exporter with its version; always 1.",
        {"version": of.VERSION}, (),
    ),
    Metric(
        "kitsurvie_exporter_part_up",
        "Whether a part could be read; one that could not exports nothing.",
        {"part": Values(frozenset(PARTS))}, (),
    ),
    Metric("kitsurvie_exporter_ledger_up", "Whether the ledger could be read.", {}, ()),
    Metric(
        "kitsurvie_exporter_read_timestamp_seconds", "When what is shown was last read or found "
        "unchanged.", {}, (),
    ),
    Metric("kitsurvie_exporter_read_duration_seconds", "How long that took.", {}, ()),
    Metric(
        "kitsurvie_member_info", "A member (SIREN) with its name and the SIREN of its EPCI; "
        "always 1.", {"member": of.SIREN, "name": of.BODY, "epci": of.EPCI},
        ("inventory", "equipment"),
    ),
    Metric(
        "kitsurvie_epci_info", "An EPCI (SIREN) with its name; always 1.",
        {"epci": of.SIREN, "name": of.BODY}, ("inventory", "equipment"),
    ),
    # -- compliance
    Metric(
        "kitsurvie_compliance_hosts", "Hosts of a member by where they stand.",
        {"member": of.SIREN, "state": of.STANDINGS}, ("compliance",),
    ),
    Metric(
        "kitsurvie_compliance_profile_hosts", "Hosts of a profile by where they stand.",
        {"profile": of.PROFILES, "state": of.STANDINGS}, ("compliance",),
    ),
    Metric(
        "kitsurvie_compliance_checks", "Checks of a measure by what they last said, on all hosts.",
        {"measure": of.MEASURE, "status": of.STATUSES}, ("compliance",),
    ),
    Metric(
        "kitsurvie_compliance_drifting_hosts", "Hosts on which a measure drifts.",
        {"measure": of.MEASURE}, ("compliance",),
    ),
    Metric(
        "kitsurvie_hosts_seen", "Hosts by how long ago they last answered, each counted once.",
        {"epci": of.EPCI, "profile": of.PROFILES, "age": of.AGES}, ("compliance",),
    ),
    # -- runs
    Metric(
        "kitsurvie_compliance_last_success_timestamp_seconds",
        "When a compliance run last ended with an answer of at least one host.", {}, ("runs",),
    ),
    Metric(
        "kitsurvie_compliance_last_run_timestamp_seconds",
        "When the newest compliance run ended.", {}, ("runs",),
    ),
    Metric(
        "kitsurvie_run_last_end_timestamp_seconds", "When the newest run of a kind ended.",
        _RUN, ("runs",),
    ),
    Metric("kitsurvie_run_duration_seconds", "How long that run took.", _RUN, ("runs",)),
    Metric(
        "kitsurvie_run_hosts", "Hosts of that run by how it went on each.",
        {"kind": of.RUNS, "state": of.OUTCOMES}, ("runs",),
    ),
    # -- what people state
    Metric(
        "kitsurvie_waivers", "Waivers by when they end, each counted once.",
        {"ends": of.ENDS}, ("inventory",),
    ),
    Metric(
        "kitsurvie_attestations", "Attestations by when they end, each counted once.",
        {"ends": of.ENDS}, ("inventory",),
    ),
    # -- equipment
    Metric(
        "kitsurvie_equipment_devices", "Devices of the register by where they stand.",
        {"epci": of.EPCI, "kind": of.DEVICES, "state": of.LIVES}, ("equipment",),
    ),
    Metric(
        "kitsurvie_equipment_doubles", "People with two machines, from five agents up.",
        {"epci": of.EPCI, "verdict": of.VERDICTS}, ("equipment",),
    ),
    Metric(
        "kitsurvie_equipment_member_doubles",
        "People of a member with two machines, from five agents up.",
        {"member": of.SIREN, "verdict": of.VERDICTS}, ("equipment",),
    ),
    Metric(
        "kitsurvie_equipment_doubles_purchase_euros",
        "Purchases in EUR that taking second machines back would avoid.",
        _EPCI_BOUND, ("equipment",),
    ),
    Metric(
        "kitsurvie_equipment_doubles_avoided_purchases",
        "New machines that need not be bought where second machines are taken back: the share of "
        "their life that is left.", _EPCI_BOUND, ("equipment",),
    ),
    Metric(
        "kitsurvie_equipment_doubles_embodied_grams",
        "CO2 equivalent of making what taking second machines back would avoid.",
        _EPCI_BOUND, ("equipment",),
    ),
    Metric(
        "kitsurvie_equipment_doubles_yearly_joules",
        "What the second machines to take back use in a year.", _EPCI_BOUND, ("equipment",),
    ),
    Metric(
        "kitsurvie_equipment_yearly_joules",
        f"What devices in service use in a year, on paper: {_ON_PAPER}.", _YEARLY, ("equipment",),
    ),
    Metric(
        "kitsurvie_electricity_joule_euros", "What a joule of electricity costs, in EUR.",
        {"bound": of.BOUNDS}, ("equipment",),
    ),
    Metric(
        "kitsurvie_electricity_joule_grams", "The CO2 equivalent of a joule of electricity.",
        {"bound": of.BOUNDS}, ("equipment",),
    ),
    # -- energy
    Metric(
        "kitsurvie_energy_readings_hosts",
        "Machines with a probe by the best method that covers them.",
        {**_EPCI_KIND, "method": of.BEST_METHODS}, ("energy",),
    ),
    Metric(
        "kitsurvie_energy_recent_joules",
        "What the probes read in the last thirty days; never to be added across methods.",
        {**_EPCI_KIND, "method": of.METHODS, "bound": of.BOUNDS}, ("energy",),
    ),
    # -- usage
    Metric(
        "kitsurvie_usage_devices", "Machines whose use is known, from five agents up.",
        _EPCI_KIND, ("usage",),
    ),
    Metric(
        "kitsurvie_usage_unused_devices",
        "Those of them that nobody used for so many days, from five agents up.",
        {**_EPCI_KIND, "days": of.UNUSED_DAYS}, ("usage",),
    ),
    Metric(
        "kitsurvie_usage_member_unused_ratio",
        "Of the machines of a member whose use is known, the share that nobody used for 30 days, "
        "from five agents up.", {"member": of.SIREN}, ("usage",),
    ),
    Metric(
        "kitsurvie_usage_unused_yearly_joules",
        "What those use in a year, on paper, that were seen on after their last use, unused for 30 "
        "days or more.",
        _EPCI_BOUND, ("usage",),
    ),
    Metric(
        "kitsurvie_usage_unused_avoided_purchases",
        "New machines that need not be bought where those unused for 30 days or more are handed "
        "on.", _EPCI_BOUND, ("usage",),
    ),
    Metric(
        "kitsurvie_usage_unused_purchase_euros",
        "Purchases in EUR that handing them on would avoid.", _EPCI_BOUND, ("usage",),
    ),
)  # fmt: skip
