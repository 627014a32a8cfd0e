"""Debian's own Prometheus on the loopback, over the made-up syndicate of tests/exposition.py."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from tests import exposition

MONITORING = Path(__file__).parents[1] / "monitoring"
PROMETHEUS = shutil.which("prometheus")
_START_S = 20


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def settings(exporter: str, itself: str) -> str:
    """The example of monitoring/, aimed at the loopback and hurried."""
    given = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    given["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    given["rule_files"] = [str(MONITORING / name) for name in given["rule_files"]]
    for job in given["scrape_configs"]:
        for setting in ("basic_auth", "scrape_interval", "scrape_timeout"):
            job.pop(setting, None)
        address = itself if job["job_name"] == "prometheus" else exporter
        for one in job.get("static_configs", ()):
            one["targets"] = [address]
        for one in job.get("http_sd_configs", ()):
            one.pop("basic_auth")
            one["url"] = f"http://{exporter}/targets"
    by_name = {job["job_name"]: job for job in given["scrape_configs"]}
    by_name["kitsurvie_control"]["metrics_path"] = "/control"
    return str(yaml.safe_dump(given))


def remembered(folder: Path, days: float) -> None:
    """Give Prometheus's data a past, before it starts."""
    past = folder / "past.om"
    past.write_text(exposition.history(time.time() - 600, days))
    words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    done = subprocess.run(
        [*words, str(past), str(folder / "data")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def running(folder: Path, days: float = 1.5) -> Iterator[str]:
    """Its address, once it is ready, with a past of so many days; it ends with the block."""
    remembered(folder, days)
    itself = f"127.0.0.1:{free_port()}"
    with exposition.served(time.time) as exporter:
        config = folder / "prometheus.yml"
        config.write_text(settings(exporter, itself))
        words = [
            str(PROMETHEUS),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={itself}",
            "--storage.tsdb.retention.time=90d",
            "--log.level=warn",
        ]
        log = folder / "prometheus.log"
        with log.open("w") as said, subprocess.Popen(words, stdout=said, stderr=said) as process:
            try:
                _until_ready(f"http://{itself}/-/ready", process, log)
                yield f"http://{itself}"
            finally:
                process.terminate()
                process.wait(20)


def _until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())
