"""What the commands of the checks say of files that stand in a folder instead of on a machine."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

ROLES = Path(__file__).parents[3] / "roles"


def checks(measure: str) -> ModuleType:
    path = ROLES / measure / "checks" / f"test_{measure}.py"
    spec = importlib.util.spec_from_file_location(f"checks_of_{measure}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Root:
    """A host whose /etc and /usr/share are folders of the test; what is not there is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("etc/os-release", "ID=debian\nVERSION_ID=13\n")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def run(self, command: str) -> Any:
        for top in ("/etc/", "/usr/share/kitsurvie"):
            command = command.replace(f"{top}", f"{self.folder}{top}")
        command = command.replace("find /etc ", f"find {self.folder}/etc ")
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, check=False
        )
        return SimpleNamespace(
            rc=done.returncode, stdout=done.stdout.replace(str(self.folder), ""), stderr=done.stderr
        )


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


SPELLINGS = ["yes", "true", "with", "on", "enable", "1", "YES", "0x1", "01"]


@pytest.mark.parametrize("yes", SPELLINGS)
def test_every_yes_of_apt_is_seen_in_both_formats(root: Root, yes: str) -> None:
    root.write("etc/apt/sources.list", f"deb [arch=amd64 trusted={yes}] http://a.example/ x main\n")
    root.write(
        "etc/apt/sources.list.d/b.sources",
        f"Types: deb\nURIs: http://b.example\nTrusted: {yes}\nSuites: x\n",
    )
    said = root.run(checks("updates").UNSIGNED)
    assert said.rc == 0
    assert sorted(said.stdout.split()) == [
        "/etc/apt/sources.list",
        "/etc/apt/sources.list.d/b.sources",
    ]


def test_what_is_commented_out_refused_or_not_read_by_apt_is_no_unsigned_source(root: Root) -> None:
    root.write("etc/apt/sources.list.d/a.list", "# deb [trusted=yes] http://a.example x main\n")
    root.write("etc/apt/sources.list.d/b.list", "deb [trusted=no] http://a.example x main\n")
    root.write("etc/apt/sources.list.d/c.sources", "Types: deb\n# Trusted: yes\nTrusted: no\n")
    root.write("etc/apt/sources.list.d/d.list.save", "deb [trusted=yes] http://a.example x main\n")
    said = root.run(checks("updates").UNSIGNED)
    assert (said.rc, said.stdout) == (0, "")


class Silent:
    """A host where one command fails and says nothing."""

    def __init__(self, failing: str, status: int) -> None:
        self.failing = failing
        self.status = status

    def run(self, command: str) -> Any:
        if command == self.failing:
            return SimpleNamespace(rc=self.status, stdout="", stderr="E: malformed")
        return SimpleNamespace(rc=0, stdout="debian 13\n", stderr="")


@pytest.mark.parametrize(
    ("command", "check", "status"),
    [
        ("INDEXES", "test_software_comes_from_declared_origins_only", 100),
        ("UNSIGNED", "test_every_source_is_signed", 2),
        ("CONFIG", "test_apt_refuses_what_is_not_signed", 100),
    ],
)
def test_a_command_that_failed_is_never_compliance(command: str, check: str, status: int) -> None:
    module = checks("updates")
    given: dict[str, Any] = {"host": Silent(getattr(module, command), status)}
    if "origins" in check:
        given["params"] = {"updates__extra_origins": []}
    with pytest.raises(AssertionError):
        getattr(module, check)(**given)


def openings(root: Root) -> list[str]:
    said = root.run(checks("ssh_hardening").OPENINGS)
    assert said.rc == 0, said.stderr
    return said.stdout.splitlines()


def test_a_match_block_that_opens_passwords_is_named_by_file_and_line(root: Root) -> None:
    root.write("etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nUsePAM yes\n")
    root.write("etc/ssh/sshd_config.d/00-kitsurvie.conf", "passwordauthentication no\n")
    root.write(
        "etc/ssh/sshd_config.d/50-supplier.conf",
        '# a file\nMatch User supplier\n\tPasswordAuthentication="Yes" # why\n'
        "  X11Forwarding yes\n",
    )
    assert openings(root) == [
        "/etc/ssh/sshd_config.d/50-supplier.conf:3: passwordauthentication yes, in a Match block"
    ]


def test_a_match_block_ends_with_its_file_and_lends_itself_to_what_it_includes(root: Root) -> None:
    root.write(
        "etc/ssh/sshd_config",
        "Include sshd_config.d/*.conf\nPermitRootLogin yes\nMatch all\nInclude site.conf\n",
    )
    root.write("etc/ssh/sshd_config.d/00.conf", "PermitRootLogin no\nMatch User a\nBanner none\n")
    root.write("etc/ssh/site.conf", "PermitRootLogin forced-commands-only\nInclude site.conf\n")
    assert openings(root) == [
        "/etc/ssh/site.conf:1: permitrootlogin forced-commands-only, in a Match block"
    ]


def test_a_value_that_loses_is_no_opening_and_one_that_wins_is(root: Root) -> None:
    root.write("etc/ssh/sshd_config", "PasswordAuthentication no\nPasswordAuthentication yes\n")
    assert openings(root) == []
    root.write("etc/ssh/sshd_config", "PasswordAuthentication yes\nPasswordAuthentication no\n")
    assert openings(root) == ["/etc/ssh/sshd_config:1: passwordauthentication yes"]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("SSHD_OPTS=", []),
        ("# SSHD_OPTS=-oPasswordAuthentication=yes", []),
        ('SSHD_OPTS="-4 -o PasswordAuthentication=yes"', ["passwordauthentication yes"]),
        ("SSHD_OPTS=-oPermitRootLogin=yes", ["permitrootlogin yes"]),
        ("SSHD_OPTS='-f /etc/ssh/other'", ["another file of settings"]),
        ("SSHD_OPTS=-oPasswordAuthentication=no", []),
    ],
)
def test_options_of_the_service_are_read(root: Root, line: str, seen: list[str]) -> None:
    root.write("etc/ssh/sshd_config", "PasswordAuthentication no\n")
    root.write("etc/default/ssh", f"# options\n{line}\n")
    assert openings(root) == [f"/etc/default/ssh:2: {what}" for what in seen]


def test_sshd_config_that_cannot_be_read_says_so(root: Root) -> None:
    assert openings(root) == ["/etc/ssh/sshd_config: cannot be read"]


def test_nothing_of_an_include_is_run_by_the_shell(root: Root) -> None:
    root.write("etc/ssh/sshd_config", "Include a;touch${IFS}b\n")
    assert openings(root) == ["/etc/ssh/sshd_config:1: an Include that is not followed"]


def test_the_role_looks_for_the_same_openings_as_the_check() -> None:
    program = (ROLES / "ssh_hardening/files/openings.awk").read_text(encoding="utf-8")
    assert checks("ssh_hardening").OPENINGS_PROGRAM.strip() == program.strip()


def test_the_role_looks_for_the_same_rules_of_sudo_as_the_check() -> None:
    tasks = (ROLES / "accounts/tasks/sudo.yml").read_text(encoding="utf-8")
    words = [
        word
        for block in yaml.safe_load(tasks)
        for task in block.get("block", [])
        for word in task.get("ansible.builtin.command", {}).get("argv", [])
    ]
    assert checks("accounts").FOREIGN_RULES in words


def test_foreign_rules_of_sudo_are_counted_and_nothing_else(root: Root) -> None:
    root.write(
        "etc/sudoers",
        "Defaults env_reset\n# boss ALL=(ALL) ALL\nroot ALL=(ALL:ALL) ALL\n"
        "%sudo\tALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n#includedir /etc/elsewhere\n",
    )
    root.write("etc/sudoers.d/00-kitsurvie", "admin1 ALL=(ALL:ALL) NOPASSWD: ALL\n")
    observer = (ROLES / "observer/templates/10-kitsurvie-observer.j2").read_text(encoding="utf-8")
    root.write("etc/sudoers.d/10-kitsurvie-observer", observer)
    root.write("etc/sudoers.d/15-observer", observer.replace('observe ""', "observe"))
    root.write("etc/sudoers.d/10-words", "User_Alias X = a, \\\n  b\nDefaults:a lecture=never\n")
    root.write("etc/sudoers.d/20-two", "X ALL=(ALL) \\\n  NOPASSWD: ALL\n#1500 ALL=(ALL) ALL")
    root.write("etc/sudoers.d/30.put-aside", "y ALL=(ALL) ALL\n")
    root.write("etc/sudoers.d/40~", "z ALL=(ALL) ALL\n")
    said = root.run(checks("accounts").SUDOERS)
    assert said.rc == 0
    assert sorted(said.stdout.split()) == [
        "/etc/sudoers",
        "/etc/sudoers.d/15-observer",
        "/etc/sudoers.d/20-two",
        "/etc/sudoers.d/20-two",
    ]


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        ("session optional pam_umask.so nousergroups\n", "nousergroups"),
        ("# session optional pam_umask.so nousergroups\n", None),
        ("session\toptional\t\t\tpam_umask.so\n", ""),
        (
            "session optional pam_umask.so nousergroups\nsession optional pam_umask.so umask=022\n",
            "umask=022",
        ),
        ("session required pam_unix.so\n", None),
    ],
)
def test_the_umask_of_a_session_is_the_one_read_at_the_end(
    root: Root, lines: str, read: str | None
) -> None:
    root.write("etc/pam.d/common-session", lines)
    root.write("etc/pam.d/common-session-noninteractive", "")
    said = root.run(checks("accounts").UMASK_READ)
    assert said.stdout.splitlines() == ([] if read is None else [read])


@pytest.mark.parametrize("name", ["Service de l'agglo", "Voirie & réseaux", "<Mairie>"])
def test_a_name_is_found_in_the_page_as_a_reader_sees_it(root: Root, name: str) -> None:
    module = checks("support_contact")
    params = {f"support_contact__{key}": "" for key in ("phone", "email")}
    params["support_contact__name"] = name
    written = name.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")
    root.write("usr/share/kitsurvie/contact.html", f'<p class="name">{written}</p>')
    assert module.shown(root, params, module.PAGE) == ["service"]


def test_a_page_that_is_not_there_shows_nothing_even_where_nothing_is_declared(root: Root) -> None:
    module = checks("support_contact")
    params = {f"support_contact__{key}": "" for key in ("name", "phone", "email")}
    with pytest.raises(AssertionError):
        module.test_the_page_says_who_to_call(root, params, module.PAGE)


def test_the_role_compares_the_same_printers_as_the_check() -> None:
    program = (ROLES / "printing/files/queues.awk").read_text(encoding="utf-8")
    assert checks("printing").QUEUES_PROGRAM.strip() == program.strip()


def test_what_lpstat_says_becomes_one_line_a_printer() -> None:
    said = (
        "device for accueil: ipp://192.0.2.20/ipp/print\n"
        "device for etage: ipps://192.0.2.21/ipp/print\n"
        "device for mine: usb://Maker/Model\n"
        "device for was_off: ipp://192.0.2.22/ipp/print\n"
        "printer accueil is idle.  enabled since Wed 25 Nov 2026 05:40:00 PM\n"
        "\tForm mounted:\n\tDescription: accueil\n\tLocation: Accueil, rez-de-chaussée\n"
        "printer etage disabled since Wed 25 Nov 2026 05:40:00 PM -\n\treason unknown\n"
        "\tLocation: Étage\n"
        "printer was_off is idle.  enabled since Thu Jan  1 00:00:00 1970\n\tLocation: Cave\n"
        "printer mine now printing mine-3.  enabled since Wed 25 Nov 2026\n\tLocation: \n"
        "accueil accepting requests since Wed 25 Nov 2026\n"
        "etage accepting requests since Wed 25 Nov 2026\n"
        "mine not accepting requests since Wed 25 Nov 2026 -\n\tnot now\n"
        "system default destination: accueil\n"
        "driver accueil.ppd\ndriver etage.ppd\ndriver mine.ppd\ndriver etage.ppd.O\n"
    )
    done = subprocess.run(
        ["awk", checks("printing").QUEUES_PROGRAM],
        input=said, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert sorted(done.stdout.splitlines()) == [
        "default|accueil",
        "queue|accueil|ipp://192.0.2.20/ipp/print|Accueil, rez-de-chaussée|runs",
        "queue|etage|ipps://192.0.2.21/ipp/print|Étage|stopped",
        "queue|mine|usb://Maker/Model||refuses",
        "queue|was_off|ipp://192.0.2.22/ipp/print|Cave|knows nothing of its printer",
    ]


def test_the_role_looks_for_the_same_standing_services_as_the_check() -> None:
    tasks = yaml.safe_load((ROLES / "remote_assistance/tasks/main.yml").read_text("utf-8"))
    words = [
        word for task in tasks for word in task.get("ansible.builtin.command", {}).get("argv", [])
    ]
    patterns = [word for word in words if "*" in word]
    assert patterns
    assert all(f"'{pattern}'" in checks("remote_assistance").STANDING for pattern in patterns)
