#!/usr/bin/python3 -ISB
"""What a machine spends and how much it is used, for node_exporter's textfile collector.

  probe.py [--root DIR] [--use] [--watts KIND=WATTS]... STATE_FOLDER TEXTFILE

Run by a timer as root: it reads, writes and is gone. One file that imports next to nothing, since
it runs on every machine every quarter of an hour (docs/adr/0013-the-probe-imports-nothing.md).
Metrics, labels and units: docs/reference/metrics.md. What there is no data of is not written, and
never a zero.

Counters stand in STATE_FOLDER/state and outlive restarts; STATE_FOLDER/totals.json holds them as
they were at the end of the last day, for the nightly look. `--use` where use may be collected;
`--watts` gives watts in ordinary use for a desktop, a laptop or a server, in the place of ours.
"""

from __future__ import annotations

# ruff: noqa: PTH105, PTH108, PTH110, PTH112, PTH120, PTH123, PTH208, SIM105
import fcntl
import os
import sys
import time

# for readers and mypy alone: what it would import costs as much as the readings
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = "1"
FORMAT = 1
MOST_BYTES = 1_000_000
TEMPORARY = ".kitsurvie-probe.new"

# Watts in ordinary use: ADEME/ARCEP, life cycle assessment of digital equipment, 2022, by the npm
# package @incubateur-ademe/publicodes-acv-numerique 2.1.0 (MIT). Of servers it says nothing.
WATTS = {"desktop": 70.0, "laptop": 26.5}
# What part of that it takes with idle processors, and how much more with busy ones. Assumptions of
# ours: in ordinary use processors are busy for a tenth of the time; machines differ, so do bounds.
SHARES = {"low": (0.4, 0.5), "central": (0.9, 1.0), "high": (1.4, 2.0)}

# SMBIOS 3.7, 7.4.1, system enclosure types
CHASSIS = {
    **dict.fromkeys((3, 4, 5, 6, 7, 13, 15, 16, 24, 34, 35, 36), "desktop"),
    **dict.fromkeys((8, 9, 10, 14, 30, 31, 32), "laptop"),
    **dict.fromkeys((17, 23, 25, 28, 29), "server"),
}
# what the firmware of virtual machines calls itself
HYPERVISORS = (
    "qemu", "kvm", "vmware", "virtualbox", "innotek", "xen", "bochs", "parallels", "bhyve",
    "openstack", "virtual machine", "google compute engine", "amazon ec2", "hvm domu", "nutanix",
    "proxmox",
)  # fmt: skip
# a processor package takes no more where the kernel does not say how much it may
MOST_WATTS = 300.0
NO_LIMIT_UW = 1_000_000_000
# nor does a battery give more, for as long as from one reading to the next
MOST_BATTERY_WATTS = 300.0
KINDS = {"x11": "graphical", "wayland": "graphical", "mir": "graphical", "tty": "text"}
INSIDE = ("edp", "lvds", "dsi")
METHODS = ("rapl", "battery", "modelled")


class Unreadable(Exception):
    """Something is there and cannot be read, or says what it cannot mean."""


def main(argv: list[str], clock: tuple[float, float, float] | None = None) -> int:
    """Read once. Gives 0, or 1 when nothing could be written: what stood stands."""
    root, use, watts, rest = "/", False, dict(WATTS), list(argv)
    try:
        while rest and rest[0].startswith("--"):
            option = rest.pop(0)
            if option == "--use":
                use = True
            elif option == "--root":
                root = rest.pop(0)
            elif option == "--watts":
                kind, _, said = rest.pop(0).partition("=")
                if kind not in ("desktop", "laptop", "server") or not 0 < float(said) < 1e5:
                    raise ValueError(kind)
                watts[kind] = float(said)
            else:
                raise ValueError(option)
        folder, textfile = rest
    except (ValueError, IndexError):
        _say("usage: probe.py [--root DIR] [--use] [--watts KIND=WATTS]... STATE_FOLDER TEXTFILE")
        return 2
    try:
        # the last reading before the machine goes off waits for one that is at work
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        _say(f"{folder}: {error.strerror}")
        return 1
    reading = Reading(root, watts, clock or now(), use)
    before = kept(folder, reading.today)
    totals = day_over(before, reading)
    after = reading.after(before)
    try:
        if totals:
            put(f"{folder}/totals.json", totals, 0o600)
        # the state before the textfile: a counter that was shown must never be taken back
        put(f"{folder}/state", after.text(), 0o600)
        put(textfile, exposition(after, reading), 0o644)
    except OSError as error:
        _say(f"nothing was written, what stood stands: {error.filename}: {error.strerror}")
        return 1
    finally:
        os.close(lock)
    return 0


def now() -> tuple[float, float, float]:
    """Seconds: by the calendar, awake since the boot, since the boot."""
    return (
        time.time(),
        time.clock_gettime(time.CLOCK_MONOTONIC),
        time.clock_gettime(time.CLOCK_BOOTTIME),
    )


# -- what is kept ---------------------------------------------------------------------------------


class State:
    """What was kept: words and numbers by name, a name being words with a space between them."""

    def __init__(self, words: dict[str, str], numbers: dict[str, float]) -> None:
        self.words, self.numbers = words, numbers

    def copy(self) -> State:
        """The same, to be changed."""
        return State(dict(self.words), dict(self.numbers))

    def of(self, *begins: str) -> dict[str, float]:
        """The numbers whose name begins so, by the rest of it."""
        start = " ".join(begins) + " "
        return {k[len(start) :]: v for k, v in self.numbers.items() if k.startswith(start)}

    def drop(self, begins: str) -> None:
        """Forget what is named so, or begins so."""
        for held in (self.words, self.numbers):
            for name in [n for n in held if n == begins or n.startswith(begins + " ")]:
                del held[name]

    def add(self, name: str, more: float) -> None:
        """Count on."""
        self.numbers[name] = self.numbers.get(name, 0.0) + more

    def text(self) -> str:
        """As it is kept: a line each, the last one saying that it is whole."""
        lines = [HEAD, *(f"w {name}={value}" for name, value in sorted(self.words.items()))]
        lines += [f"n {name}={value!r}" for name, value in sorted(self.numbers.items())]
        return "\n".join([*lines, END]) + "\n"


HEAD = f"kitsurvie-probe {FORMAT}"
END = "end"


def read_state(text: str) -> State:
    """The state that a text is. Raises ValueError."""
    lines = text.split("\n")
    if lines[0] != HEAD or lines[-2:] != [END, ""]:
        raise ValueError("it is not whole")
    found = State({}, {})
    for line in lines[1:-2]:
        name, sign, value = line[2:].partition("=")
        if not name or not sign or line[:2] not in ("w ", "n "):
            raise ValueError(line)
        if line[0] == "w":
            found.words[name] = value
            continue
        number = float(value)
        # not for infinity either, nor for what is no number
        if not 0 <= number < 1e18:
            raise ValueError(line)
        found.numbers[name] = int(value) if value.isdigit() else number
    for name in ("since", "day"):
        midnight(found.words.get(name, ""))
    midnight(found.words.get("last_used", found.words["day"]))
    return found


def kept(folder: str, today: str) -> State:
    """What was kept; a file that is no such is put aside, and counting begins anew."""
    path = f"{folder}/state"
    try:
        with open(path, "rb") as file:
            return read_state(file.read(MOST_BYTES).decode())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        _say(
            f"{path} cannot be used ({error}): it is put aside as {path}.bad, counting begins anew"
        )
        try:
            os.replace(path, f"{path}.bad")
        except OSError as trouble:
            _say(f"{path}: {trouble.strerror}")
    return State({"since": today, "day": today}, {})


def day_over(state: State, reading: Reading) -> str:
    """The totals of the day that is over, as JSON, or nothing while it is not."""
    words, numbers = state.words, state.numbers
    # a machine whose clock does not run on begins each boot in 1970, until it is told better
    if reading.today <= words["day"] or "machine" not in words or words["day"] < "2024":
        return ""
    joules: dict[str, float] = {}
    for name, value in state.of("joules").items():
        method = name.split(" ", 1)[0]
        joules[method] = joules.get(method, 0.0) + value
    used = reading.use and words.get("last_used")
    return (
        f'{{"format": {FORMAT}, "version": "{VERSION}", "day": "{words["day"]}", '
        f'"since": "{min(words["since"], words["day"])}", "machine": "{words["machine"]}", '
        f'"chassis": "{words["chassis"]}", "joules": {_json(joules)}, '
        f'"modelled": {_json(state.of("modelled"))}, "seconds": {_json(state.of("seconds"))}, '
        f'"boots": {numbers["boots"]:.0f}, '
        f'"active_days": {numbers.get("active_days", 0) if reading.use else "null"}, '
        f'"last_used": {chr(34) + used + chr(34) if used else "null"}}}\n'
    )


def _json(counts: dict[str, float]) -> str:
    """Numbers by names of ours."""
    return "{" + ", ".join(f'"{name}": {_number(value)}' for name, value in counts.items()) + "}"


def put(path: str, text: str, mode: int) -> None:
    """Write a file whole or not at all. Raises OSError; then the old one stands."""
    # never under a name that node_exporter reads
    new = f"{os.path.dirname(path) or '.'}/{TEMPORARY}"
    try:
        try:
            os.unlink(new)
        except FileNotFoundError:
            pass
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(new, path)
    except OSError as error:
        try:
            os.unlink(new)
        except OSError:
            pass
        raise OSError(error.errno, error.strerror, path) from error


# -- what is read ---------------------------------------------------------------------------------


class Reading:
    """A machine at one moment, under a root. `sources` are 1, or 0 where one cannot be read."""

    def __init__(
        self, root: str, watts: dict[str, float], clock: tuple[float, float, float], use: bool
    ) -> None:
        self.root, self.use, self.watts = root, use, watts
        self.wall, self.awake, boottime = clock
        self.asleep = max(0.0, boottime - self.awake)
        self.today = time.strftime("%Y-%m-%d", time.gmtime(self.wall))
        self.machine = self._machine()
        self.chassis = self._chassis()
        self.sources: dict[str, int] = {}
        self.screens: int | None = None
        self.sessions: dict[str, int] | None = None

    def after(self, old: State) -> State:
        """The state after this reading of a machine whose state was `old`."""
        new = old.copy()
        boot = self._text("proc/sys/kernel/random/boot_id") or "unknown"
        same = boot == old.words.get("boot")
        new.words.update(machine=self.machine, chassis=self.chassis, day=self.today, boot=boot)
        new.numbers.update(awake=self.awake, asleep=self.asleep)
        new.numbers["boots"] = old.numbers.get("boots", 0) + (not same)
        span = self._span(old, same)
        if span is not None:
            new.add("seconds powered", span.awake)
            new.add("seconds suspended", span.asleep)
        physical = self.machine == "physical"
        for name, part in (("rapl", self._rapl), ("battery", self._battery), ("cpu", self._model)):
            new.drop(name)
            if physical:
                self._try("model" if name == "cpu" else name, part, old, new, span)
        self._try("screens", self._screens)
        if self.use:
            self._try("sessions", self._sessions, new)
        else:
            new.drop("active_days")
            new.drop("last_used")
        return new

    def _span(self, old: State, same: bool) -> Span | None:
        """The time since the last reading; None where there was none, or it cannot be."""
        awake = old.numbers.get("awake")
        if awake is None or "boot" not in old.words:
            return None
        if not same:
            # all of this boot came after the last reading
            return Span(self.awake, self.asleep, same=False)
        if self.awake < awake:
            return None
        asleep = max(0.0, self.asleep - old.numbers.get("asleep", 0.0))
        return Span(self.awake - awake, asleep, same=True)

    def _try(self, name: str, part: Callable[..., bool], *given: object) -> None:
        """A source that is there is 1, or 0 with a sentence in the journal."""
        try:
            if part(*given):
                self.sources[name] = 1
        except (Unreadable, OSError, ValueError, KeyError, IndexError) as error:
            self.sources[name] = 0
            _say(f"{name}: {error}")

    # -- of the machine

    def _machine(self) -> str:
        if self._text("run/systemd/container") or os.path.exists(f"{self.root}/.dockerenv"):
            return "container"
        if "container=" in (self._text("proc/1/environ") or "").replace("\0", "\n"):
            return "container"
        if self._text("sys/hypervisor/type"):
            return "virtual"
        said = " ".join(
            self._text(f"sys/class/dmi/id/{name}") or "" for name in ("sys_vendor", "product_name")
        ).lower()
        if any(name in said for name in HYPERVISORS):
            return "virtual"
        for line in (self._text("proc/cpuinfo") or "").splitlines():
            if line.startswith("flags"):
                return "virtual" if " hypervisor" in line else "physical"
        return "physical"

    def _chassis(self) -> str:
        said = self._text("sys/class/dmi/id/chassis_type") or ""
        return CHASSIS.get(int(said), "unknown") if said.isdigit() else "unknown"

    # -- of energy

    def _rapl(self, old: State, new: State, span: Span | None) -> bool:
        """The processor packages, each once, past the point where their counter begins again."""
        there = False
        spent: dict[str, float] = {}
        unclear: list[str] = []
        for folder in self._listed("sys/class/powercap"):
            # not the parts of a package, nor the same packages by another road (intel-rapl-mmio)
            if not folder.startswith("intel-rapl:") or folder.count(":") != 1:
                continue
            where = f"sys/class/powercap/{folder}"
            name = _name(self._text(f"{where}/name") or "")
            if not name.startswith("package"):
                continue
            there = True
            energy = self._number(f"{where}/energy_uj")
            most = self._number(f"{where}/max_energy_range_uj")
            if not 0 <= energy <= most < 2**64:
                raise Unreadable(f"{folder} has no energy that can be")
            new.numbers[f"rapl {name}"] = energy
            before = old.numbers.get(f"rapl {name}")
            if before is None or span is None or not span.same:
                continue
            may, joules = self._most_watts(where), ((energy - before) % (most + 1)) / 1e6
            # begun again more than once, maybe; set back by a sleep; or by whatever else
            if (
                may * span.awake * 1e6 >= most
                or (energy < before and span.asleep > 1)
                or joules > may * (span.awake + 2)
            ):
                unclear.append(name)
            else:
                spent[name] = joules
        for name, joules in spent.items():
            new.add(f"joules rapl {name}", joules)
        if spent and span is not None:
            new.add("seconds rapl", span.awake)
        if unclear:
            _say(f"rapl: it is not clear what {', '.join(unclear)} spent since the last reading")
        return there

    def _most_watts(self, where: str) -> float:
        """What a package may take for a while, by its own limits."""
        limits = (self._may(f"{where}/constraint_{n}_power_limit_uw") for n in (0, 1))
        # firmware says "none" by a number that no processor reaches
        known = [one / 1e6 * 1.1 for one in limits if one and 0 < one < NO_LIMIT_UW]
        return max(known, default=MOST_WATTS)

    def _battery(self, old: State, new: State, span: Span | None) -> bool:
        """What was taken from the batteries, while nothing else fed the machine."""
        batteries: list[tuple[str, str]] = []
        mains = False
        for name in self._listed("sys/class/power_supply"):
            where = f"sys/class/power_supply/{name}"
            kind = self._text(f"{where}/type")
            if kind in ("Mains", "USB"):
                mains = mains or self._text(f"{where}/online") == "1"
            elif kind == "Battery" and self._text(f"{where}/scope") != "Device":
                batteries.append((_name(name), where))
        counted = False
        for name, where in batteries:
            joules = self._of_battery(f"battery {name}", where, old, new, span, mains)
            if joules is not None:
                new.add(f"joules battery {name}", joules)
                counted = True
        if counted and span is not None:
            new.add("seconds battery", span.awake)
        return bool(batteries)

    def _of_battery(
        self, name: str, where: str, old: State, new: State, span: Span | None, mains: bool
    ) -> float | None:
        """The joules that it gave since the last reading; None where they are not known."""
        fed = mains or self._text(f"{where}/status") != "Discharging"
        serial, model = (self._text(f"{where}/{one}") for one in ("serial_number", "model_name"))
        new.words[f"{name} which"] = which = _name(f"{serial} {model}")
        new.words[f"{name} fed"] = "yes" if fed else "no"
        here: dict[str, float] = {}
        for one in ("energy_now", "charge_now", "voltage_now", "power_now", "current_now"):
            value = self._may(f"{where}/{one}")
            if value is not None:
                here[one] = new.numbers[f"{name} {one}"] = abs(value) / 1e6
        if "energy_now" not in here and "charge_now" not in here and _watts(here) is None:
            raise Unreadable(f"{where} has no charge that can be read")
        before = old.of(name)
        if fed or span is None or not span.same or old.words.get(f"{name} fed") != "no":
            return None
        return _given(before, here, span) if old.words.get(f"{name} which") == which else None

    def _model(self, old: State, new: State, span: Span | None) -> bool:
        """The whole machine, by its kind, for how long it was awake and how busy it was."""
        watts = self.watts.get(self.chassis)
        if watts is None:
            return False
        words = (self._text("proc/stat") or "").split("\n", 1)[0].split()
        if len(words) < 6 or words[0] != "cpu":
            raise Unreadable("/proc/stat has no line of all processors")
        ticks = [int(word) for word in words[1:9]]
        every = sum(ticks)
        busy = every - ticks[3] - ticks[4]
        if busy < 0 or min(ticks) < 0:
            raise Unreadable("/proc/stat counts below zero")
        new.numbers["cpu all"], new.numbers["cpu busy"] = every, busy
        if span is None:
            return True
        since_all = since_busy = 0.0
        if span.same:
            since_all = old.numbers.get("cpu all", every)
            since_busy = old.numbers.get("cpu busy", busy)
        passed, used = every - since_all, busy - since_busy
        if passed <= 0 or not 0 <= used <= passed:
            # no time of a processor passed, or it is not known which
            return True
        for bound, (idle, more) in SHARES.items():
            new.add(f"modelled {bound}", watts * (idle + more * used / passed) * span.awake)
        new.add("seconds modelled", span.awake)
        return True

    # -- of use

    def _screens(self) -> bool:
        """Screens with a cable; the panel of a laptop is none."""
        for name in self._listed("sys/class/drm"):
            _, dash, connector = name.partition("-")
            if not dash or connector.lower().startswith(INSIDE):
                continue
            status = self._text(f"sys/class/drm/{name}/status")
            if status in ("connected", "disconnected"):
                self.screens = (self.screens or 0) + (status == "connected")
        return self.screens is not None

    def _sessions(self, new: State) -> bool:
        """Sessions of people by kind; of whom is not read."""
        folder = "run/systemd/sessions"
        if not os.path.isdir(f"{self.root}/{folder}"):
            return False
        kinds = {"graphical": 0, "text": 0, "remote": 0}
        for name in self._listed(folder):
            if name.endswith(".ref"):
                continue
            text = self._text(f"{folder}/{name}") or ""
            said = dict(line.partition("=")[::2] for line in text.split("\n"))
            if said.get("CLASS") != "user" or said.get("STATE") == "closing":
                continue
            if not _is_person(said.get("UID", "")):
                continue
            kind = KINDS.get(said.get("TYPE", ""))
            if said.get("REMOTE") == "1":
                kind = "remote"
            if kind:
                kinds[kind] += 1
        self.sessions = kinds
        # whoever comes from afar is an administrator, or kitsurvie itself
        if kinds["graphical"] + kinds["text"] and self.today > new.words.get("last_used", ""):
            new.words["last_used"] = self.today
            new.add("active_days", 1)
        return True

    # -- of files

    def _listed(self, name: str) -> list[str]:
        try:
            return sorted(os.listdir(f"{self.root}/{name}"))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _text(self, name: str) -> str | None:
        """The content of a file, None where there is none or it may not be read."""
        try:
            with open(f"{self.root}/{name}", "rb") as file:
                return file.read(MOST_BYTES).decode("utf-8", "replace").strip()
        except OSError:
            return None

    def _number(self, name: str) -> int:
        """A whole number. Raises Unreadable."""
        try:
            with open(f"{self.root}/{name}", "rb") as file:
                return int(file.read(100))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "no number is in it"
            raise Unreadable(f"/{name}: {why}") from error

    def _may(self, name: str) -> int | None:
        """A number that not every machine has: None without one. Raises Unreadable for garbage."""
        text = self._text(name)
        return None if text is None else self._number(name)


class Span:
    """Seconds awake and asleep since the last reading; whether that was in this very boot."""

    def __init__(self, awake: float, asleep: float, same: bool) -> None:
        self.awake, self.asleep, self.same = awake, asleep, same


def _is_person(number: str) -> bool:
    """Accounts of the system, and those lent to a service for a while, are nobody's."""
    return number.isdigit() and int(number) >= 1000 and not 60000 <= int(number) <= 65535


def _name(text: str) -> str:
    """A name of the machine's own, as a part of one of ours."""
    return "".join(c if c.isprintable() and c not in "= " else "_" for c in text)[:100]


def _watts(said: dict[str, float]) -> float | None:
    if "power_now" in said:
        return said["power_now"]
    if "current_now" in said and "voltage_now" in said:
        return said["current_now"] * said["voltage_now"]
    return None


def _given(old: dict[str, float], here: dict[str, float], span: Span) -> float | None:
    """The joules between two states of a battery that nothing fed; None if they are not known."""
    if "energy_now" in old and "energy_now" in here:
        given = (old["energy_now"] - here["energy_now"]) * 3600
    elif all(name in one for name in ("charge_now", "voltage_now") for one in (old, here)):
        volts = (old["voltage_now"] + here["voltage_now"]) / 2
        given = (old["charge_now"] - here["charge_now"]) * volts * 3600
    else:
        before, after = _watts(old), _watts(here)
        if before is None or after is None:
            return None
        given = (before + after) / 2 * (span.awake + span.asleep)
    # below zero it was charged meanwhile
    most = MOST_BATTERY_WATTS * (span.awake + span.asleep)
    return given if 0 <= given <= most else None


# -- what is told ---------------------------------------------------------------------------------

HELP = (
    ("kitsurvie_probe_info", "gauge", "What the probe is, and the machine that it is on."),
    ("kitsurvie_probe_last_reading_timestamp_seconds", "gauge", "When the probe last read."),
    (
        "kitsurvie_probe_source_readable", "gauge",
        "Whether a source that is there could be read at the last reading.",
    ),
    (
        "kitsurvie_energy_joules_total", "counter",
        "Measured: the processors (rapl), or all of it while on battery; never to be added.",
    ),
    (
        "kitsurvie_energy_modelled_joules_total", "counter",
        "Modelled for the whole machine: low, central and high.",
    ),
    (
        "kitsurvie_energy_covered_seconds_total", "counter",
        "For how long each method has counted.",
    ),
    ("kitsurvie_powered_seconds_total", "counter", "How long it was awake."),
    ("kitsurvie_suspended_seconds_total", "counter", "How long it was asleep."),
    ("kitsurvie_boots_total", "counter", "Boots that were seen."),
    ("kitsurvie_screens_connected", "gauge", "Screens with a cable."),
    ("kitsurvie_used_dates_total", "counter", "Days with a session of somebody."),
    ("kitsurvie_sessions", "gauge", "Sessions of people, by kind."),
    ("kitsurvie_last_used_timestamp_seconds", "gauge", "The day of the last session."),
)  # fmt: skip


def exposition(state: State, reading: Reading) -> str:
    """The state in Prometheus's text format."""
    seconds = state.of("seconds")
    found: dict[str, list[tuple[dict[str, str], float]]] = {
        "kitsurvie_probe_info": [
            ({"version": VERSION, "machine": reading.machine, "chassis": reading.chassis}, 1)
        ],
        "kitsurvie_probe_last_reading_timestamp_seconds": [({}, reading.wall)],
        "kitsurvie_probe_source_readable": _by("source", reading.sources),
        "kitsurvie_boots_total": [({}, state.numbers["boots"])],
    }
    for name in ("powered", "suspended"):
        if name in seconds:
            found[f"kitsurvie_{name}_seconds_total"] = [({}, seconds[name])]
    if reading.machine == "physical":
        found["kitsurvie_energy_joules_total"] = [
            ({"method": name.split(" ")[0], "source": name.split(" ")[1]}, value)
            for name, value in state.of("joules").items()
        ]
        found["kitsurvie_energy_modelled_joules_total"] = _by("bound", state.of("modelled"))
        covered = {name: seconds[name] for name in METHODS if name in seconds}
        found["kitsurvie_energy_covered_seconds_total"] = _by("method", covered)
    if reading.screens is not None:
        found["kitsurvie_screens_connected"] = [({}, reading.screens)]
    if reading.use:
        found["kitsurvie_used_dates_total"] = [({}, state.numbers.get("active_days", 0))]
        found["kitsurvie_sessions"] = _by("kind", reading.sessions or {})
        if "last_used" in state.words:
            day = midnight(state.words["last_used"])
            found["kitsurvie_last_used_timestamp_seconds"] = [({}, day)]
    lines = []
    for name, kind, told in HELP:
        if found.get(name):
            lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in found[name]]
    return "\n".join(lines) + "\n"


def _by(label: str, counts: Mapping[str, float]) -> list[tuple[dict[str, str], float]]:
    return [({label: name}, value) for name, value in counts.items()]


def midnight(day: str) -> int:
    """The beginning of a day (ISO, UTC) in seconds since the epoch. Raises ValueError for none."""
    year, month, date = (int(part) for part in day.split("-"))
    if f"{year:04}-{month:02}-{date:02}" != day or not (1 <= month <= 12 and 1 <= date <= 31):
        raise ValueError(f"{day!r} is no day")
    # the year begins with March, so that the day that comes and goes is its last
    years, months = (year, month) if month > 2 else (year - 1, month + 12)
    days = 365 * years + years // 4 - years // 100 + years // 400 + (153 * months - 457) // 5
    return (days + date - 306 - 719163) * 86400


def _labels(labels: dict[str, str]) -> str:
    # the values are words of ours, or names without an end of line
    told = ",".join(
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
        for name, value in labels.items()
    )
    return f"{{{told}}}" if labels else ""


def _number(value: float) -> str:
    return repr(round(value, 6))


def _say(text: str) -> None:
    # control characters of whoever made a battery are none of the journal's
    sys.stderr.write("".join(c if c.isprintable() else "?" for c in text) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
