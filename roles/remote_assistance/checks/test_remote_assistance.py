"""Is remote help there, only when the person asks and accepts, and for a limited time?"""

UNIT = "/etc/systemd/user/kitsurvie-assistance.service"
FILES = (
    "/usr/lib/kitsurvie/assistance",
    "/usr/lib/kitsurvie/assistance-window",
    "/usr/sbin/kitsurvie-assistance",
)
# the role looks for the same names
STANDING = (
    "systemctl list-unit-files --no-legend --no-pager --state=enabled,enabled-runtime "
    "'x11vnc*' '*vncserver*' 'wayvnc*' 'xrdp*' 'gnome-remote-desktop*' 'teamviewer*' 'anydesk*' "
    "'rustdesk*' 'dwagent*'; systemctl list-unit-files --no-legend --no-pager ssh.service"
)


def unit(host):
    """The lines of the service, as name=value."""
    return host.run(f"cat {UNIT}").stdout.splitlines()


def test_what_shows_a_screen_is_installed(host):
    """Les logiciels de l’aide à distance sont installés."""
    asked = "dpkg-query -W -f '${Package} ${db:Status-Status}\\n' socat tk x11vnc"
    found = sorted(host.run(asked).stdout.splitlines())
    expected = ["socat installed", "tk installed", "x11vnc installed"]
    assert found == expected


def test_the_menu_lets_people_ask_for_help(host):
    """Le menu permet de demander de l’aide à distance."""
    answer = host.run("grep '^Exec=' /usr/share/applications/kitsurvie-assistance.desktop")
    found = answer.stdout.splitlines()
    expected = ["Exec=/usr/lib/kitsurvie/assistance ask"]
    assert found == expected


def test_help_ends_by_itself(host, params):
    """L’aide à distance s’arrête d’elle-même au bout du temps prévu."""
    minutes = params["remote_assistance__minutes"]
    found = [line for line in unit(host) if line.startswith(("RuntimeMaxSec=", "KillMode="))]
    expected = [f"RuntimeMaxSec={minutes}min"]
    assert found == expected


def test_help_opens_nothing_on_the_network(host):
    """L’aide à distance n’ouvre aucune porte sur le réseau."""
    found = [line for line in unit(host) if line.startswith("RestrictAddressFamilies=")]
    expected = ["RestrictAddressFamilies=AF_UNIX"]
    assert found == expected


def test_help_starts_only_when_asked(host):
    """L’aide à distance ne démarre que si quelqu’un la demande devant l’écran."""
    found = host.run("systemctl --global is-enabled kitsurvie-assistance.service").stdout.strip()
    expected = "static"
    assert found == expected


def test_nobody_else_can_change_what_asks(host):
    """Seul l’administrateur peut changer les fenêtres qui vous demandent votre accord."""
    found = host.run(f"stat -c '%n %U %a' {' '.join(FILES)}").stdout.splitlines()
    expected = [f"{path} root 755" for path in FILES]
    assert found == expected


def test_nothing_lets_somebody_in_at_any_time(host, params):
    """Aucun logiciel ne permet de voir l’écran sans vous le demander."""
    units = [line.split()[0] for line in host.run(STANDING).stdout.splitlines()]
    tolerated = {"ssh.service", *params["remote_assistance__tolerated"]}
    found = {
        "systemd answered": "ssh.service" in units,
        "standing": sorted(set(units) - tolerated),
    }
    expected = {"systemd answered": True, "standing": []}
    assert found == expected
