"""First contact with real machines: two Debian releases, a jump host, and what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kitsurvie import lab
from kitsurvie.enroll import known_hosts
from kitsurvie.workspace import load

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, spare_request) -> Iterator[lab.Lab]:
    """Two raw machines: the first on Debian 12, the second on Debian 13."""
    folder = tmp_path_factory.mktemp("enrol") / "lab"
    try:
        yield lab.up(folder, spare_request, say=lambda text: None)
    finally:
        lab.down(folder, say=lambda text: None)


@dataclass
class Ended:
    """How a command ended, and what the other processes of this computer showed meanwhile."""

    rc: int
    stdout: str
    stderr: str
    leaks: list[str] = field(default_factory=list)


@dataclass
class Bench:
    """A machine as it came, and a workspace that has never met it."""

    fleet: lab.Lab
    machine: lab.Machine
    root: Path

    @property
    def pins(self) -> Path:
        return self.root / "inventory" / "known_hosts"

    def enrol(self, *options: str, password: str | None = None, name: str = "", **words) -> Ended:
        member = words.pop("member", self.machine.member)
        address = words.pop("address", self.machine.address)
        fingerprint = words.pop("fingerprint", self.machine.host_key_sha256)
        watched = words.pop("watched", False)
        arguments = [
            *("enroll", address, "--workspace", str(self.root), "--member", member),
            *("--profile", str(self.machine.profile), "--name", name or self.machine.name),
            *("--login", self.fleet.install_user),
            *(("--fingerprint", fingerprint) if fingerprint else ()),
            *options,
        ]
        secret = self.fleet.password if password is None else password
        return command(arguments, secret, watched=watched)

    def files(self) -> dict[str, bytes]:
        folder = self.root / "inventory"
        return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def ssh(self, *options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                *("ssh", "-F", "none", "-i", str(self.fleet.admin_key), "-o", "BatchMode=yes"),
                *("-o", "StrictHostKeyChecking=yes", "-o", f"HostKeyAlias={self.machine.name}"),
                *("-o", f"UserKnownHostsFile={self.pins}", "-o", "GlobalKnownHostsFile=none"),
                *(*options, "-l", "admin1", self.machine.address, "sudo -n id -u"),
            ],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    def sshd_log(self) -> str:
        """What the SSH server said since the machine came up."""
        done = self.machine.run(["journalctl", "--no-pager", "-o", "cat", "-u", "ssh*"])
        return done.stdout.decode(errors="replace")

    def sh(self, text: str) -> bytes:
        done = self.machine.run(["/bin/sh", "-ec", text])
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def command(arguments: list[str], password: str, *, watched: bool = False) -> Ended:
    """Run kitsurvie with no terminal; when watched, look for the password in every process.

    The machines' processes are seen from here too: their namespaces are below ours.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "kitsurvie.cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KITSURVIE_ENROLL_PASSWORD": password},
    )
    leaks: list[str] = []
    watcher = threading.Thread(target=watch, args=(process, password.encode(), leaks))
    if watched:
        watcher.start()
    stdout, stderr = process.communicate(timeout=300)
    if watched:
        watcher.join()
    return Ended(process.returncode, stdout, stderr, leaks)


def watch(process: subprocess.Popen[str], password: bytes, leaks: list[str]) -> None:
    looks = 0
    while process.poll() is None:
        for entry in Path("/proc").glob("[0-9]*"):
            own = entry.name == str(process.pid)
            for file in ("cmdline", *(() if own else ("environ",))):
                try:
                    held = (entry / file).read_bytes()
                except OSError:
                    continue
                # the test's own environment does not hold it, so that any holder is a leak
                if password in held:
                    leaks.append(f"{file}: {held[:200]!r}")
        looks += 1
        time.sleep(0.01)
    assert looks > 3


def workspace(fleet: lab.Lab, folder: Path) -> Path:
    root = folder / "syndicate"
    shutil.copytree(fleet.folder / "inventory", root / "inventory")
    shutil.copy(fleet.folder / "kitsurvie.toml", root / "kitsurvie.toml")
    return root


@pytest.fixture(params=[0, 1], ids=["debian-12", "debian-13"])
def each(request, fleet, tmp_path) -> Bench:
    machine = fleet.machines[request.param]
    lab.renew(fleet, machine.name)
    return Bench(fleet, machine, workspace(fleet, tmp_path))


@pytest.fixture
def bench(fleet, tmp_path) -> Bench:
    machine = fleet.machines[1]
    lab.renew(fleet, machine.name)
    return Bench(fleet, machine, workspace(fleet, tmp_path))


def test_a_raw_machine_is_enrolled_by_password_and_opens_to_its_administrator(each):
    ended = each.enrol("--json")
    assert ended.rc == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert document["kind"] == "enrolment"
    assert document["administrators"] == ["admin1"]
    assert document["host_key"]["fingerprint"] == each.machine.host_key_sha256
    assert {key["type"] for key in document["pinned"]} == {
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ssh-rsa",
    }
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"):
        opened = each.ssh("-o", f"HostKeyAlgorithms={kind}")
        assert opened.stdout == b"0\n", opened.stderr
    assert set(known_hosts.read(each.pins)) == {each.machine.name}
    again = each.enrol("--json")
    assert again.rc == 0, again.stderr
    assert json.loads(again.stdout)["done"] == []


def test_the_password_shows_in_no_command_line_no_child_and_no_log(each):
    ended = each.enrol(watched=True)
    assert ended.rc == 0, ended.stderr
    assert ended.leaks == []
    password = each.fleet.password
    assert password not in ended.stdout + ended.stderr
    journal = each.machine.run(["journalctl", "--no-pager", "-o", "export"]).stdout
    assert b"sudo" in journal
    assert password.encode() not in journal
    logs = each.machine.run(["grep", "-r", "-a", "-l", "-F", "-f", "-", "/var/log", "/run/log",
                             "/home", "/root", "/tmp"], password.encode() + b"\n")  # fmt: skip
    assert logs.stdout == b""


def test_accounts_and_sudo_are_written_with_the_right_owners_and_modes(each):
    assert each.enrol().rc == 0
    said = each.sh(
        "stat -c '%U %a %n' /home/admin1 /home/admin1/.ssh /home/admin1/.ssh/authorized_keys"
        " /etc/sudoers.d/00-kitsurvie; visudo -c >/dev/null; getent shadow admin1 | cut -d: -f2;"
        " ls -A /etc/sudoers.d /home /var/lib /tmp | grep -c '[.]kitsurvie' || true"
    ).decode()
    assert said.splitlines() == [
        "admin1 700 /home/admin1",
        "admin1 700 /home/admin1/.ssh",
        "admin1 600 /home/admin1/.ssh/authorized_keys",
        "root 440 /etc/sudoers.d/00-kitsurvie",
        "*",
        "0",
    ]


def test_a_wrong_fingerprint_refuses_before_any_credential_reaches_the_machine(bench):
    before, given = bench.files(), "SHA256:" + "A" * 43
    ended = bench.enrol(fingerprint=given)
    assert ended.rc == 2
    assert given in ended.stderr
    assert bench.machine.host_key_sha256 in ended.stderr
    assert "password" not in bench.sshd_log()
    assert bench.files() == before


def test_without_a_terminal_or_a_fingerprint_it_refuses_and_says_what_to_do(bench):
    before = bench.files()
    ended = bench.enrol(fingerprint="")
    assert ended.rc == 2
    assert "--fingerprint" in ended.stderr
    assert "password" not in bench.sshd_log()
    assert bench.files() == before


def test_a_changed_host_key_is_refused_until_it_is_replaced(bench):
    assert bench.enrol().rc == 0
    before = bench.files()
    bench.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh")
    fresh = bench.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").decode().split()[1]
    logins = bench.sshd_log().count("Accepted")
    ended = bench.enrol(fingerprint=fresh)
    assert ended.rc == 2
    assert f"The key of {bench.machine.name} changed" in ended.stderr
    assert "--replace-key" in ended.stderr
    assert bench.ssh().returncode == 255
    assert bench.sshd_log().count("Accepted") == logins
    assert bench.files() == before
    mended = bench.enrol("--replace-key", fingerprint=fresh)
    assert mended.rc == 0, mended.stderr
    assert bench.ssh().stdout == b"0\n"
    assert fresh in {key.fingerprint for key in known_hosts.keys_of(bench.pins, bench.machine.name)}
    assert len(known_hosts.keys_of(bench.pins, bench.machine.name)) == 3


def test_a_key_follows_the_name_and_not_the_address(bench):
    """Two workspaces' worth of town halls have a 192.168.1.10: the pin must not be under it."""
    assert bench.enrol().rc == 0
    other = bench.fleet.machines[0]
    lab.renew(bench.fleet, other.name)
    ended = bench.enrol(name=bench.machine.name, address=other.address)
    assert ended.rc == 2
    assert "already enrolled at another address" in ended.stderr


def relay(bench: Bench) -> str:
    """Make the first machine a jump host with an account of its own for the administrator."""
    gate = bench.fleet.machines[0]
    lab.renew(bench.fleet, gate.name)
    public = Path(f"{bench.fleet.admin_key}.pub").read_bytes()
    done = gate.run(
        ["/bin/sh", "-ec",
         "useradd -m -p '*' relay; install -d -m 0700 -o relay /home/relay/.ssh;"
         " cat >/home/relay/.ssh/authorized_keys; chown relay /home/relay/.ssh/authorized_keys"],
        public,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pinned = command(
        ["enroll", gate.address, "--as-jump", "--workspace", str(bench.root),
         "--fingerprint", gate.host_key_sha256],
        bench.fleet.password,
    )  # fmt: skip
    assert pinned.rc == 0, pinned.stderr
    return f"relay@{gate.address}"


def test_a_machine_behind_a_jump_host_is_enrolled_through_it(bench):
    gate = bench.fleet.machines[0]
    refused = bench.enrol("--jump", f"relay@{gate.address}")
    assert refused.rc == 2
    assert "--as-jump" in refused.stderr
    through = relay(bench)
    ended = bench.enrol("--jump", through, "--json", watched=True)
    assert ended.rc == 0, ended.stderr
    assert ended.leaks == []
    document = json.loads(ended.stdout)
    assert document["jump"] == f"jump:{gate.address}:22"
    came = [line for line in bench.sshd_log().splitlines() if line.startswith("Accepted")]
    assert len(came) == 2
    assert all(f"from {gate.address} " in line for line in came)
    assert set(known_hosts.read(bench.pins)) == {bench.machine.name, f"jump:{gate.address}:22"}
    space = load(bench.root)
    from kitsurvie import inventory

    assert inventory.load(space).hosts[bench.machine.name].jump == through


def test_a_jump_host_whose_key_changed_is_refused(bench):
    through = relay(bench)
    bench.fleet.machines[0].run(
        ["/bin/sh", "-ec", "rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh"]
    )
    ended = bench.enrol("--jump", through)
    assert ended.rc == 2
    assert "is not the one pinned" in ended.stderr
    assert "--as-jump --replace-key" in ended.stderr


def test_a_jump_host_that_cannot_reach_the_machine_says_so(bench):
    through = relay(bench)
    ended = bench.enrol("--jump", through, "--port", "2")
    assert ended.rc == 3
    assert "cannot reach" in ended.stderr


def test_a_jump_host_that_lets_nobody_in_says_so(bench):
    through = relay(bench).replace("relay@", "nobodyhere@")
    ended = bench.enrol("--jump", through)
    assert ended.rc == 2
    assert "does not let nobodyhere in" in ended.stderr


# what breaks the machine, the exit code, and the sentence that must be said
TROUBLES = {
    "sudo refuses": ("gpasswd -d install sudo; rm -f /etc/sudoers.d/*", 2, "sudo refuses install"),
    "no sudo": ("SUDO_FORCE_REMOVE=yes apt-get -qq -y purge sudo >/dev/null 2>&1", 2, "no sudo"),
    "full disk": ("mount -t tmpfs -o size=4k tmpfs /home", 3, "disk is full"),
    "read-only": ("mount -t tmpfs -o ro tmpfs /home", 3, "disk is full or cannot be written"),
    "another system": (
        "sed -i 's/^ID=.*/ID=ubuntu/; s/^PRETTY_NAME=.*/PRETTY_NAME=\"Ubuntu 22.04\"/'"
        " /etc/os-release",
        2,
        "runs Ubuntu 22.04: only Debian 12 and 13",
    ),
    "no python, no network": (
        "mv /usr/bin/python3 /root/; rm -rf /etc/apt/sources.list* /var/lib/apt/lists/*",
        3,
        "cannot be installed",
    ),
    "sshd keeps the administrator out": (
        "echo 'AllowUsers install' >/etc/ssh/sshd_config.d/00-x.conf; systemctl restart ssh",
        2,
        "its key does not open it",
    ),
    "another sudo rule wins": (
        "echo 'admin1 ALL=(ALL) ALL' >/etc/sudoers.d/90-site",
        2,
        "may not use sudo without a password",
    ),
    "a link where the keys go": (
        "useradd -m admin1; mkdir /root/trap; ln -s /root/trap /home/admin1/.ssh",
        2,
        "keys cannot be written",
    ),
    "a name of the system": (
        "groupadd -r -g 990 admin1; useradd -r -u 990 -g 990 admin1",
        2,
        "is an account of the system",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_machine_in_trouble_is_refused_in_one_sentence_and_the_workspace_is_unchanged(
    bench, trouble
):
    script, rc, sentence = TROUBLES[trouble]
    bench.sh(script)
    before = bench.files()
    ended = bench.enrol()
    assert ended.rc == rc, ended.stderr
    assert sentence in ended.stderr
    assert "What to do:" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert bench.files() == before
    assert bench.fleet.password not in ended.stdout + ended.stderr
    assert bench.sh("ls -A /root/trap 2>/dev/null || true") == b""


def test_a_failed_proof_says_what_was_done_and_running_again_goes_on(bench):
    bench.sh("echo 'AllowUsers install' >/etc/ssh/sshd_config.d/00-x.conf; systemctl restart ssh")
    ended = bench.enrol()
    assert ended.rc == 2
    assert "created the account admin1" in ended.stderr
    bench.sh("rm /etc/ssh/sshd_config.d/00-x.conf; systemctl restart ssh")
    assert bench.enrol().rc == 0


def test_a_fault_in_sudoers_that_was_there_before_us_is_told_and_not_taken_for_ours(bench):
    bench.sh("echo 'nonsense (' >/etc/sudoers.d/00-a; chmod 440 /etc/sudoers.d/00-a")
    ended = bench.enrol()
    assert ended.rc == 0, ended.stderr
    assert "visudo found fault" in ended.stderr


def test_what_the_accounts_measure_wrote_is_left_alone(bench):
    assert bench.enrol().rc == 0
    bench.sh(
        "echo 'Defaults use_pty' >>/etc/sudoers.d/00-kitsurvie;"
        " sed -i 's/$/ a comment/' /home/admin1/.ssh/authorized_keys"
    )
    before = bench.sh("cat /etc/sudoers.d/00-kitsurvie /home/admin1/.ssh/authorized_keys")
    again = bench.enrol("--json")
    assert json.loads(again.stdout)["done"] == []
    after = bench.sh("cat /etc/sudoers.d/00-kitsurvie /home/admin1/.ssh/authorized_keys")
    assert after == before


def test_a_rule_of_the_syndicates_own_that_grants_enough_is_left_alone(bench):
    assert bench.enrol().rc == 0
    bench.sh(
        "groupadd deployers; usermod -aG deployers admin1;"
        " echo '%deployers ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/00-kitsurvie"
    )
    assert json.loads(bench.enrol("--json").stdout)["done"] == []


def test_somebodys_account_is_not_made_an_administrator_unless_it_is_said_to_be_theirs(bench):
    bench.sh("useradd -m admin1; echo admin1:of-the-secretary | chpasswd")
    refused = bench.enrol()
    assert refused.rc == 2, refused.stderr
    assert "has an account named admin1 with a password" in refused.stderr
    assert "adopt: true" in refused.stderr
    bench.sh("test ! -e /etc/sudoers.d/00-kitsurvie; test ! -e /home/admin1/.ssh/authorized_keys")
    mine = bench.root / "inventory" / "group_vars" / "all" / "lab.yml"
    said = mine.read_text().replace("- name: admin1", "- adopt: true\n  name: admin1")
    mine.write_text(said)
    assert bench.enrol().rc == 0
    assert bench.ssh().stdout == b"0\n"


def test_a_wrong_password_is_refused(bench):
    before = bench.files()
    ended = bench.enrol(password="not-the-password")
    assert ended.rc == 2
    assert "refuses the password of install" in ended.stderr
    assert "not-the-password" not in ended.stderr
    assert bench.files() == before


def test_a_machine_without_python_gets_it(bench):
    bench.sh("apt-get -qq -y purge python3-minimal >/dev/null 2>&1; ! command -v python3")
    ended = bench.enrol()
    assert ended.rc == 0, ended.stderr
    assert "installed python3" in ended.stdout
    assert bench.sh("python3 -c 'print(1)'") == b"1\n"


def test_root_by_key_needs_no_password_and_installs_sudo(bench):
    public = Path(f"{bench.fleet.admin_key}.pub").read_text()
    bench.sh(f"install -d -m 0700 /root/.ssh; echo '{public.strip()}' >/root/.ssh/authorized_keys")
    bench.sh("SUDO_FORCE_REMOVE=yes apt-get -qq -y purge sudo >/dev/null 2>&1")
    ended = bench.enrol("--login", "root", "--key", str(bench.fleet.admin_key), password="unused-")
    assert ended.rc == 0, ended.stderr
    assert "installed sudo" in ended.stdout
    assert bench.ssh().stdout == b"0\n"


def test_keys_that_were_there_are_kept_and_told_and_ours_comes_first(bench):
    public = Path(f"{bench.fleet.admin_key}.pub").read_text().split()
    bench.sh(
        "useradd -m admin1; install -d -m 0700 -o admin1 /home/admin1/.ssh;"
        f" echo 'command=\"/bin/false\" {public[0]} {public[1]} old' "
        ">/home/admin1/.ssh/authorized_keys; chown admin1 /home/admin1/.ssh/authorized_keys"
    )
    ended = bench.enrol()
    assert ended.rc == 0, ended.stderr
    assert "1 key(s) that the inventory does not name" in ended.stderr
    kept = bench.sh("cat /home/admin1/.ssh/authorized_keys").decode().splitlines()
    assert kept[0] == " ".join(public[:2])
    assert kept[1].startswith('command="/bin/false"')


def test_an_unknown_member_is_refused_before_contact(bench):
    before = bench.files()
    ended = bench.enrol(member="999999999")
    assert ended.rc == 2
    assert "999999999" in ended.stderr
    assert bench.files() == before
    assert "password" not in bench.sshd_log()


def test_a_name_with_shell_characters_is_refused_before_contact(bench):
    ended = bench.enrol(name="pc1;reboot")
    assert ended.rc == 2
    assert "cannot be the name of a machine" in ended.stderr


def test_an_asleep_machine_is_unreachable(bench):
    lab.sleep(bench.fleet, bench.machine.name)
    try:
        ended = bench.enrol()
    finally:
        lab.wake(bench.fleet, bench.machine.name)
    assert ended.rc == 3
    assert "does not answer" in ended.stderr
