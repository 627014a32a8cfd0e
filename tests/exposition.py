"""A made-up syndicate as Prometheus would scrape it: the whole contract, for twelve members.

Types, help and the labels that are allowed are read from docs/reference/metrics.md, so that what is
served here is the contract; a sample that is not in it is refused. Values follow the time and are
otherwise always the same.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zlib import crc32

_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "metrics.md"
_ROW = re.compile(r"^\| `(kitsurvie_\w+)` \| (\w+) \|\s*([^|]*?)\s*\|\s*([^|]*?)\s*\|$", re.M)
EPCIS = {
    "200066389": "Saint-Lô Agglo",
    "200042604": "Granville, Terre et Mer",
    "200067205": "Le Cotentin",
    "200042729": "Baie du Cotentin",
}
MEMBERS = {
    "215005026": ("Saint-Lô", "200066389"),
    "215000027": ("Agneaux", "200066389"),
    "215000985": ("Carantilly", "200066389"),
    "215000340": ("Baudre", "200066389"),
    "215002189": ("Granville", "200042604"),
    "215001025": ("Carolles", "200042604"),
    "215000308": ("Barfleur", "200067205"),
    "215001967": ("Gatteville-le-Phare", "200067205"),
    "215001298": ("Cherbourg-en-Cotentin", "200067205"),
    "215000995": ("Carentan-les-Marais", "200042729"),
    "215004094": ("Picauville", "200042729"),
    "225005024": ("Département de la Manche", ""),
}
MEASURES = (
    "firewall",
    "updates",
    "antivirus",
    "ssh_hardening",
    "journal",
    "backup_seen",
    "printing",
)
BOUNDS = {"low": 0.7, "central": 1.0, "high": 1.4}
DAY = 86400.0
_BEGAN = 1_760_000_000.0

Sample = tuple[str, dict[str, str], float]


@dataclass(frozen=True)
class Metric:
    """One line of the contract."""

    type: str
    labels: tuple[str, ...]
    help: str


@dataclass(frozen=True)
class Machine:
    """One that has a probe and is scraped."""

    name: str
    member: str
    profile: str
    watts: float

    @property
    def epci(self) -> str:
        return MEMBERS[self.member][1]


MACHINES = tuple(
    Machine(f"{profile[0]}{number:02}", member, profile, watts)
    for number, member in enumerate(MEMBERS)
    for profile, watts in (("server", 62.0), ("desktop", 28.0), ("laptop", 14.0))[: 1 + number % 3]
)


@cache
def contract() -> dict[str, Metric]:
    """The metrics of the page, by name; labels without the values that they may have."""
    found = {}
    for name, kind, labels, told in _ROW.findall(_PAGE.read_text("utf-8")):
        names = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", labels))
        found[name] = Metric(kind, tuple(names), re.sub(r"`", "", told).strip() or "1")
    return found


def render(samples: list[Sample], other: bool = False) -> str:
    """Prometheus's text; `other` for metrics that are not of the contract.

    Raises ValueError for a sample that the contract does not know.
    """
    families: dict[str, list[Sample]] = {}
    for sample in samples:
        families.setdefault(sample[0], []).append(sample)
    lines = []
    for name, rows in families.items():
        if name in contract():
            metric = contract()[name]
        elif other:
            metric = Metric("counter" if name.endswith("_total") else "gauge", (), "Not ours.")
        else:
            raise ValueError(f"{name} is not in {_PAGE.name}")
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.type}"]
        for _, labels, value in rows:
            if not other and set(labels) != set(metric.labels):
                raise ValueError(f"{name} has {sorted(metric.labels)}, not {sorted(labels)}")
            worded = ",".join(
                f"{key}={json.dumps(text, ensure_ascii=False)}" for key, text in labels.items()
            )
            lines.append(f"{name}{{{worded}}} {value!r}" if labels else f"{name} {value!r}")
    return "\n".join(lines) + "\n"


def some(key: object, low: float, high: float) -> float:
    """A whole number between the two, always the same of one key."""
    return float(low + crc32(repr(key).encode()) % int(high - low + 1))


def night(now: float) -> float:
    """When the newest night ended: at 01:40 UTC."""
    ended = now - now % DAY + 6000
    return ended if ended <= now else ended - DAY


def exporter(now: float) -> list[Sample]:
    """What `kitsurvie exporter` says."""
    return [*_self(now), *_hosts(now), *_runs(now), *_equipment(), *_energy(now), *_usage()]


def _self(now: float) -> Iterator[Sample]:
    yield "kitsurvie_exporter_info", {"version": "0.1.0"}, 1.0
    for part in ("inventory", "compliance", "runs", "equipment", "usage", "energy"):
        yield "kitsurvie_exporter_part_up", {"part": part}, 1.0
    yield "kitsurvie_exporter_ledger_up", {}, 1.0
    yield "kitsurvie_exporter_read_timestamp_seconds", {}, now - 40
    yield "kitsurvie_exporter_read_duration_seconds", {}, 0.31
    for member, (name, epci) in MEMBERS.items():
        yield "kitsurvie_member_info", {"member": member, "name": name, "epci": epci}, 1.0
    for epci, name in EPCIS.items():
        yield "kitsurvie_epci_info", {"epci": epci, "name": name}, 1.0


def _hosts(now: float) -> Iterator[Sample]:
    day = int(night(now) // DAY)
    for member in MEMBERS:
        states = {
            "compliant": some(("ok", member), 4, 30),
            "drift": some((day, "drift", member), 0, 3),
            "unreachable": some((day, "out", member), 0, 1),
            "absent": some((day, "absent", member), 0, 4),
        }
        if member == "215001025":
            states = {"compliant": 0.0, "drift": 0.0, "unreachable": 3.0}
        for state, count in states.items():
            yield "kitsurvie_compliance_hosts", {"member": member, "state": state}, count
    for profile, many in (("server", 20), ("desktop", 140), ("laptop", 60)):
        yield (
            "kitsurvie_compliance_profile_hosts",
            {"profile": profile, "state": "compliant"},
            float(many),
        )
        drifting = some((day, profile), 1, 9)
        yield "kitsurvie_compliance_profile_hosts", {"profile": profile, "state": "drift"}, drifting
    for measure in MEASURES:
        drifts = some((day, measure), 0, 9)
        yield "kitsurvie_compliance_checks", {"measure": measure, "status": "compliant"}, 400.0
        yield "kitsurvie_compliance_checks", {"measure": measure, "status": "drift"}, drifts * 2
        yield "kitsurvie_compliance_drifting_hosts", {"measure": measure}, drifts
    ages = {"1d": 30.0, "7d": 12.0, "30d": 5.0, "90d": 2.0, "older": 1.0, "never": 1.0}
    for epci in EPCIS:
        for profile, share in (("server", 0.2), ("desktop", 1.0), ("laptop", 0.6)):
            for age, count in ages.items():
                labels = {"epci": epci, "profile": profile, "age": age}
                yield "kitsurvie_hosts_seen", labels, float(round(count * share))


def _runs(now: float) -> Iterator[Sample]:
    ended = night(now)
    yield "kitsurvie_compliance_last_success_timestamp_seconds", {}, ended
    yield "kitsurvie_compliance_last_run_timestamp_seconds", {}, ended
    for kind, took, ago in (
        ("compliance", 840.0, 0.0),
        ("deploy", 412.0, 3 * DAY),
        ("ingest", 9.0, 0.0),
    ):
        when = now - now % 900 if kind == "ingest" else ended - ago
        took += some((int(when // 900), kind), 0, int(took / 8))
        yield "kitsurvie_run_last_end_timestamp_seconds", {"kind": kind}, when
        yield "kitsurvie_run_duration_seconds", {"kind": kind}, took
        for state, count in (("done", 180.0), ("unreachable", 4.0), ("failed", 1.0)):
            yield "kitsurvie_run_hosts", {"kind": kind, "state": state}, count
    for ends, waivers, attestations in (
        ("7d", 1, 0),
        ("30d", 3, 2),
        ("later", 9, 14),
        ("over", 0, 1),
    ):
        yield "kitsurvie_waivers", {"ends": ends}, float(waivers)
        yield "kitsurvie_attestations", {"ends": ends}, float(attestations)


def _equipment() -> Iterator[Sample]:
    kinds = {
        "desktop": (180, 60.0),
        "laptop": (120, 20.0),
        "server": (9, 550.0),
        "monitor": (260, 30.0),
    }
    for epci in EPCIS:
        for kind, (many, kwh) in kinds.items():
            count = some((epci, kind), many * 0.6, many)
            for state, share in (
                ("in_service", 1.0),
                ("stock", 0.08),
                ("lent", 0.03),
                ("discarded", 0.15),
            ):
                labels = {"epci": epci, "kind": kind, "state": state}
                yield "kitsurvie_equipment_devices", labels, float(round(count * share))
            for bound, factor in BOUNDS.items():
                labels = {"epci": epci, "kind": kind, "bound": bound}
                energy = count * kwh * factor
                yield "kitsurvie_equipment_yearly_joules", labels, energy * 3.6e6
    for bound, factor in BOUNDS.items():
        yield "kitsurvie_electricity_joule_euros", {"bound": bound}, 0.25 / 3.6e6 * factor
        yield "kitsurvie_electricity_joule_grams", {"bound": bound}, 52.0 / 3.6e6 * factor
    for epci in EPCIS:
        for verdict in ("dormant_second", "alternating", "concurrent", "pool"):
            count = some((epci, verdict), 5, 24)
            yield "kitsurvie_equipment_doubles", {"epci": epci, "verdict": verdict}, count
        people = some((epci, "doubles"), 8, 30)
        for bound, factor in BOUNDS.items():
            labels = {"epci": epci, "bound": bound}
            yield "kitsurvie_equipment_doubles_avoided_purchases", labels, people * 0.4 * factor
            yield "kitsurvie_equipment_doubles_purchase_euros", labels, round(people * 620 * factor)
            yield "kitsurvie_equipment_doubles_embodied_grams", labels, people * 236e3 * factor
            yield "kitsurvie_equipment_doubles_yearly_joules", labels, people * 19 * 3.6e6 * factor
    for member in list(MEMBERS)[1::2]:
        for verdict in ("dormant_second", "alternating"):
            labels = {"member": member, "verdict": verdict}
            yield "kitsurvie_equipment_member_doubles", labels, some((member, verdict), 0, 6)


def _energy(now: float) -> Iterator[Sample]:
    hours = 180 + now % (30 * DAY) / 3600 / 30
    for epci in EPCIS:
        for kind, watts, many in (("server", 62, 4), ("desktop", 28, 30), ("laptop", 14, 22)):
            for method, share in (
                ("rapl", 0.5),
                ("battery", 0.2),
                ("modelled", 0.3),
                ("none", 0.1),
            ):
                labels = {"epci": epci, "kind": kind, "method": method}
                yield "kitsurvie_energy_readings_hosts", labels, float(round(many * share))
            joules = watts * many * hours * 3600
            for method, bounds, share in (
                ("rapl", {"central": 1.0}, 0.3),
                ("battery", {"central": 1.0}, 0.1 if kind == "laptop" else 0.0),
                ("modelled", BOUNDS, 1.0),
            ):
                for bound, factor in bounds.items():
                    if share:
                        labels = {"epci": epci, "kind": kind, "method": method, "bound": bound}
                        value = joules * share * factor
                        yield "kitsurvie_energy_recent_joules", labels, value


def _usage() -> Iterator[Sample]:
    for epci in list(EPCIS)[:3]:
        for kind, many in (("desktop", 60), ("laptop", 44)):
            yield "kitsurvie_usage_devices", {"epci": epci, "kind": kind}, float(many)
            for days, share in (("30", 0.22), ("60", 0.15), ("90", 0.1)):
                labels = {"epci": epci, "kind": kind, "days": days}
                yield "kitsurvie_usage_unused_devices", labels, float(round(many * share))
        for bound, factor in BOUNDS.items():
            labels = {"epci": epci, "bound": bound}
            yield "kitsurvie_usage_unused_yearly_joules", labels, 23 * 40 * 3.6e6 * factor
            yield "kitsurvie_usage_unused_avoided_purchases", labels, 23 * 0.4 * factor
            yield "kitsurvie_usage_unused_purchase_euros", labels, round(23 * 620 * factor)
    for member in list(MEMBERS)[1::2]:
        yield "kitsurvie_usage_member_unused_ratio", {"member": member}, 4 / 14


def probe(machine: Machine, now: float) -> list[Sample]:
    """What the probe of one machine says: PCs are awake two hours in three."""
    laptop = machine.profile == "laptop"
    awake = (now - _BEGAN) * (1.0 if machine.profile == "server" else 2 / 3)
    kind = {"version": "0.1.0", "machine": "physical", "chassis": machine.profile}
    samples: list[Sample] = [
        ("kitsurvie_probe_info", kind, 1.0),
        ("kitsurvie_probe_last_reading_timestamp_seconds", {}, now - 120),
        ("kitsurvie_powered_seconds_total", {}, awake),
        ("kitsurvie_suspended_seconds_total", {}, now - _BEGAN - awake),
        ("kitsurvie_boots_total", {}, float((now - _BEGAN) // (3 * DAY))),
        ("kitsurvie_screens_connected", {}, 1.0),
        ("kitsurvie_used_dates_total", {}, float((now - _BEGAN) // DAY)),
        ("kitsurvie_last_used_timestamp_seconds", {}, now - now % DAY),
    ]
    for source in ("rapl", "model", "sessions", "screens", *(["battery"] if laptop else [])):
        samples.append(("kitsurvie_probe_source_readable", {"source": source}, 1.0))
    for session in ("graphical", "text", "remote"):
        count = float(session == "graphical")
        samples.append(("kitsurvie_sessions", {"kind": session}, count))
    for method, source, share in (
        ("rapl", "package-0", 0.3),
        *([("battery", "BAT0", 0.1)] if laptop else []),
    ):
        labels = {"method": method, "source": source}
        joules = awake * machine.watts * share
        samples.append(("kitsurvie_energy_joules_total", labels, joules))
    for bound, factor in BOUNDS.items():
        joules = awake * machine.watts * factor
        samples.append(("kitsurvie_energy_modelled_joules_total", {"bound": bound}, joules))
    for method in ("rapl", "modelled", *(["battery"] if laptop else [])):
        samples.append(("kitsurvie_energy_covered_seconds_total", {"method": method}, awake))
    return sorted(samples, key=lambda sample: sample[0])


def node(key: str, now: float) -> list[Sample]:
    """The few metrics of node_exporter that are used."""
    disk = {"device": "/dev/sda1", "mountpoint": "/", "fstype": "ext4"}
    size = some(("disk", key), 60, 500) * 1e9
    return [
        ("node_time_seconds", {}, now),
        ("node_textfile_scrape_error", {}, 0.0),
        ("node_filesystem_size_bytes", disk, size),
        ("node_filesystem_avail_bytes", disk, size * some(("free", key), 15, 80) / 100),
        ("node_filesystem_readonly", disk, 0.0),
    ]


def of_the_night(now: float) -> list[Sample]:
    """What roles/control_node writes, and what the run's own file says again of the hosts."""
    ended = night(now)
    ingest = now - now % 900
    samples: list[Sample] = []
    for what, begun, over in (
        ("night", ended - 2400, ended),
        ("backup", ended + 18000 - DAY, ended + 18060 - DAY),
        ("ingest", ingest, ingest + 9),
    ):
        samples += [
            (f"kitsurvie_{what}_last_started_timestamp_seconds", {}, begun),
            (f"kitsurvie_{what}_last_ended_timestamp_seconds", {}, over),
            (f"kitsurvie_{what}_last_success_timestamp_seconds", {}, over),
            (f"kitsurvie_{what}_failed", {}, 0.0),
        ]
    for member, (name, epci) in MEMBERS.items():
        labels = {"member": member, "profile": "desktop", "state": "compliant"}
        samples.append(("kitsurvie_compliance_hosts", labels, 7.0))
        info = {"member": member, "name": name, "epci": epci}
        samples.append(("kitsurvie_member_info", info, 1.0))
    samples.append(("kitsurvie_compliance_last_success_timestamp_seconds", {}, ended))
    return sorted(samples, key=lambda sample: sample[0])


def pages(now: float) -> dict[str, str]:
    """By path, what is scraped there."""
    found = {
        "/metrics": render(exporter(now)),
        "/control": render([*of_the_night(now), *node("control", now)], other=True),
    }
    for machine in MACHINES:
        found[f"/node/{machine.name}"] = render(probe(machine, now)) + render(
            node(machine.name, now), other=True
        )
    return found


def history(now: float, days: float) -> str:
    """What recording rules would have left of the past days, every five minutes, as OpenMetrics."""
    families: dict[str, list[str]] = {}
    for step in range(int(days * DAY / 300), 0, -1):
        at = now - now % 300 - step * 300
        hour = at % DAY / 3600
        states: dict[str, float] = {}
        for _, labels, count in (x for x in _hosts(at) if x[0] == "kitsurvie_compliance_hosts"):
            states[labels["state"]] = states.get(labels["state"], 0.0) + count
        for state, count in states.items():
            name = "state:kitsurvie_compliance_hosts:sum"
            families.setdefault(name, []).append(f'{name}{{state="{state}"}} {count} {at:.0f}')
        for epci in EPCIS:
            for bound, factor in BOUNDS.items():
                by_day, by_night = 300.0 * factor, 60.0 * factor
                labelled = f'{{epci="{epci}",bound="{bound}"}}'
                name = "epci_bound:kitsurvie_energy_modelled_joules_night:rate1h"
                line = f"{name}{labelled} {by_night if hour < 4 else 0.0} {at:.0f}"
                families.setdefault(name, []).append(line)
                name = "epci_profile_bound:kitsurvie_energy_modelled_joules:rate1h"
                watts = by_day if 7 <= hour < 18 else by_night
                labelled = f'{{epci="{epci}",profile="desktop",bound="{bound}"}}'
                families.setdefault(name, []).append(f"{name}{labelled} {watts} {at:.0f}")
    return (
        "\n".join(
            line for name, rows in families.items() for line in (f"# TYPE {name} gauge", *rows)
        )
        + "\n# EOF\n"
    )


def targets(address: str) -> str:
    """What http_sd of the exporter says, each machine at a path of this server."""
    return json.dumps(
        [
            {
                "targets": [address],
                "labels": {
                    "__metrics_path__": f"/node/{machine.name}",
                    "instance": machine.name,
                    "member": machine.member,
                    "epci": machine.epci,
                    "profile": machine.profile,
                },
            }
            for machine in MACHINES
        ]
    )


@contextmanager
def served(clock: Callable[[], float]) -> Iterator[str]:
    """A server on the loopback for as long as it is used: its address, HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/targets":
                kind, text = "application/json", targets(address)
            else:
                kind, text = "text/plain; version=0.0.4", pages(clock()).get(self.path, "")
            body = text.encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # whoever asked may have been ended meanwhile
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
