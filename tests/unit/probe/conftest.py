"""A machine made of files: what the probe reads of it, as a test wants it, and what came of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kitsurvie import probe

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
QUARTER = 900.0
RANGE = 262_143_328_850
SYS, POWER = "sys/class", "sys/class/power_supply"


@dataclass
class Machine:
    """Files under a root, a clock, and the probe that reads both."""

    folder: Path
    wall: float = NOON
    awake: float = 3600.0
    asleep: float = 0.0
    options: list[str] = field(default_factory=list)
    code: int = 0

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def textfile(self) -> Path:
        return self.folder / "textfiles" / "kitsurvie_probe.prom"

    def put(self, name: str, content: object) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())

    def closed(self, name: str) -> None:
        """What is there and cannot be read, by root either."""
        path = self.root / name
        path.unlink(missing_ok=True)
        path.mkdir(parents=True)

    def take(self, name: str) -> None:
        path = self.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def package(self, number: int, energy: int, most: int = RANGE) -> None:
        where = f"{SYS}/powercap/intel-rapl:{number}"
        for name, value in (
            ("name", f"package-{number}"), ("energy_uj", energy), ("max_energy_range_uj", most),
            ("constraint_0_power_limit_uw", 65_000_000),
        ):  # fmt: skip
            self.put(f"{where}/{name}", value)

    def battery(self, status: str, name: str = "BAT0", **values: int) -> None:
        for one, value in {"type": "Battery", "status": status, **values}.items():
            self.put(f"{POWER}/{name}/{one}", value)

    def busy(self, busy: int, idle: int) -> None:
        self.put("proc/stat", f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 1 1 1")

    def boot(self, name: str) -> None:
        self.put("proc/sys/kernel/random/boot_id", name)

    def passes(self, awake: float = QUARTER, asleep: float = 0.0) -> None:
        self.wall += awake + asleep
        self.awake += awake
        self.asleep += asleep

    def restarts(self, boot: str, after: float = 60.0, off: float = 3600.0) -> None:
        """It was off for a time, and has been on for another."""
        self.boot(boot)
        self.wall += off + after
        self.awake, self.asleep = after, 0.0

    def clock(self) -> tuple[float, float, float]:
        return self.wall, self.awake, self.awake + self.asleep

    def read(self) -> dict[str, float]:
        """Read once; gives what is shown, by `name` or `name{label values}`."""
        words = ["--root", str(self.root), *self.options, str(self.state), str(self.textfile)]
        self.code = probe.main(words, self.clock())
        return self.shown()

    def shown(self) -> dict[str, float]:
        if not self.textfile.exists():
            return {}
        found = {}
        for family in text_string_to_metric_families(self.textfile.read_text()):
            for sample in family.samples:
                labels = ",".join(sample.labels.values())
                name = sample.name.removeprefix("kitsurvie_")
                found[f"{name}{{{labels}}}" if labels else name] = sample.value
        return found

    def since(self, awake: float = QUARTER) -> dict[str, float]:
        """After a first reading, what a second shows."""
        self.read()
        self.passes(awake)
        return self.read()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A desktop that is on, without a sensor."""
    made = Machine(tmp_path)
    for folder in (made.root, made.state, made.textfile.parent):
        folder.mkdir()
    made.boot("one")
    made.busy(100, 900)
    made.put("proc/cpuinfo", "processor: 0\nflags\t\t: fpu vme sse2")
    made.put(f"{SYS}/dmi/id/chassis_type", 3)
    made.put(f"{SYS}/dmi/id/sys_vendor", "Dell Inc.")
    made.put(f"{SYS}/dmi/id/product_name", "OptiPlex 7010")
    return made
