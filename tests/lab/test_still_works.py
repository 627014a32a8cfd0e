"""A PC with the whole kit on it is still a PC: people work on it, administrators come in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.lab.spine import Desk

from kitsurvie import lab

pytestmark = pytest.mark.slow
ROOM = "/var/tmp/still-works"


@pytest.fixture(scope="module")
def pc(lab_fleet: lab.Lab) -> Iterator[lab.Machine]:
    """A desktop made new, with everything that the kit has for one, deployed and proved."""
    machine = next(m for m in lab_fleet.machines if str(m.profile) == "desktop")
    lab.renew(lab_fleet, machine.name)
    desk = Desk(lab_fleet.folder)
    everything = {
        "kit__mode": "enforce",
        **{f"{m}__mode": "enforce" for m in ("office_suite", "web_browser", "mail_client")},
    }
    with desk.variables("group:all", **everything):
        deployed = desk.run("deploy", "--yes", "--json", "--limit", machine.name, timeout_s=3000)
        assert deployed.code == 0, deployed.why()
        machine.run(["useradd", "-m", "-s", "/bin/bash", "secretary"])
        machine.run(["install", "-d", "-m", "1777", ROOM])
        yield machine
    lab.renew(lab_fleet, machine.name)


def as_secretary(machine: lab.Machine, command: str) -> str:
    """What a command says to somebody who is no administrator."""
    done = machine.run(["runuser", "-l", "secretary", "-c", command], timeout_s=600)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_an_administrator_comes_in_and_has_sudo(pc: lab.Machine, lab_fleet: lab.Lab) -> None:
    seen = Desk(lab_fleet.folder).run("compliance", "run", "--json", "--limit", pc.name)
    assert seen.host(pc.name)["state"] in {"done", "drift"}, seen.why()


def test_software_can_be_installed(pc: lab.Machine) -> None:
    done = pc.run(["/bin/sh", "-c", "apt-get -qq update && apt-get -y -qq install hello && hello"])
    assert b"Hello, world!" in done.stdout, done.stderr.decode()


def test_names_are_resolved_and_the_loopback_works(pc: lab.Machine) -> None:
    assert b"127.0.0.1" in pc.run(["getent", "ahostsv4", "localhost"]).stdout
    assert pc.run(["getent", "hosts", pc.name]).returncode == 0


def test_a_page_is_shown_by_the_browser(pc: lab.Machine) -> None:
    as_secretary(
        pc,
        f"echo '<h1>Mairie</h1>' > {ROOM}/page.html; "
        f"timeout 120 firefox-esr --headless --screenshot {ROOM}/page.png file://{ROOM}/page.html",
    )
    assert pc.run(["/bin/sh", "-c", f"head -c 4 {ROOM}/page.png"]).stdout == b"\x89PNG"


def test_a_letter_is_converted_by_the_office_suite(pc: lab.Machine) -> None:
    as_secretary(
        pc,
        f"echo 'Madame la maire,' > {ROOM}/letter.txt; cd {ROOM}; "
        "timeout 300 soffice --headless --convert-to pdf letter.txt",
    )
    assert pc.run(["head", "-c", "4", f"{ROOM}/letter.pdf"]).stdout == b"%PDF"


def test_a_page_is_printed(pc: lab.Machine) -> None:
    """The queue is one that somebody made beside the kit's."""
    made = "lpadmin -p test -E -v file:///dev/null -o printer-error-policy=abort-job"
    assert pc.run(["/bin/sh", "-c", f"sed -i '/^FileDevice/d' /etc/cups/cups-files.conf; "
                   f"echo 'FileDevice Yes' >> /etc/cups/cups-files.conf; "
                   f"systemctl restart cups && {made}"]).returncode == 0  # fmt: skip
    as_secretary(pc, f"echo Bonjour > {ROOM}/page.txt; lp -d test {ROOM}/page.txt")
    shown = pc.run(["/bin/sh", "-c", "sleep 5; lpstat -W completed -o test"]).stdout
    assert b"test-" in shown


def test_it_comes_back_compliant_from_a_reboot(pc: lab.Machine, lab_fleet: lab.Lab) -> None:
    desk = Desk(lab_fleet.folder)
    pc.run(["systemctl", "reboot"])
    lab.wake(lab_fleet, pc.name)
    seen = desk.run("compliance", "run", "--json", "--limit", pc.name)
    assert seen.code == 0, seen.why()


def test_the_page_for_the_secretary_is_readable(pc: lab.Machine) -> None:
    text = as_secretary(pc, "cat /usr/share/kitsurvie/contact.html")
    assert "Une panne, un doute" in text
