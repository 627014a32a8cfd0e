"""Does the machine answer nobody but those it was meant to?"""

import pytest

MAIL = (25, 465, 587)
# Each socket that waits beyond the loopback, with its unit: one line "tcp 22 ssh.service", however
# many there are. No addresses, no process numbers, nothing that changes by itself. What somebody
# runs in their session is theirs: named so, and for UDP left out. An UDP port of the range that the
# kernel gives to who asks for any is a question waiting for its answer, unless no process has it.
PROGRAM = r"""
import glob, os, re
with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
    low = int(file.read().split()[0])
waiting = []
for proto, state in ("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07"):
    try:
        with open("/proc/net/" + proto) as file:
            lines = file.readlines()[1:]
    except FileNotFoundError:
        continue
    for words in map(str.split, lines):
        address, _, port = words[1].partition(":")
        own = address[-2:] == "7F" if len(address) == 8 else (
            address == "00000000000000000000000001000000"
            or (address[:24] == "0000000000000000FFFF0000" and address[-2:] == "7F"))
        if words[3] == state and not own:
            waiting.append((proto[:3], int(port, 16), words[9]))
wanted = {"socket:[%s]" % inode for _, _, inode in waiting}
owners = {}
for path in glob.iglob("/proc/[0-9]*/fd/*"):
    try:
        link = os.readlink(path)
        if link in wanted:
            with open("/proc/" + path.split("/")[2] + "/cgroup") as file:
                group = file.read().splitlines()[-1].split(":", 2)[2]
            units = [w for w in group.split("/") if re.search(r"\.(service|scope|socket)$", w)]
            unit = "a session" if "/user.slice" in group else (units or ["no unit"])[-1]
            unit = re.sub(r"[0-9a-f]{12,}", "*", unit)
            owners.setdefault(link, set()).add(unit)
    except OSError:
        continue
rows = {"looked"}
for proto, port, inode in waiting:
    units = owners.get("socket:[%s]" % inode)
    if proto == "udp" and units and (port in range(low, 65536) or units == {"a session"}):
        continue
    rows.add("%s %d %s" % (proto, port, min(units or {"the kernel"})))
print("\n".join(sorted(rows)))
"""
LISTENING = f"python3 -I -S -B -c '{PROGRAM}'"
# who systemd itself waits for
SOCKETS = "systemctl list-sockets --plain --no-legend --full"


def declared(params, proto, port):
    for one in params["services_minimal__listening"]:
        first, _, last = str(one["port"]).partition("-")
        if one.get("proto", "tcp") == proto and int(first) <= port <= int(last or first):
            return True
    return False


def undeclared(host, params):
    """Protocol, port and unit of what waits for calls without having been declared."""
    lines = host.run(LISTENING).stdout.splitlines()
    if "looked" not in lines:
        return [("nothing", 0, "could be learnt of what listens")]
    rows = [line.split(" ", 2) for line in lines if line != "looked"]
    others = [(p, int(n), unit) for p, n, unit in rows if not declared(params, p, int(n))]
    if not any(unit == "init.scope" for _, _, unit in others):
        return others
    sockets = [line.split() for line in host.run(SOCKETS).stdout.splitlines()]
    units = {words[0].rpartition(":")[2]: words[1] for words in sockets if len(words) > 1}
    return [
        (p, n, units.get(str(n), unit) if unit == "init.scope" else unit) for p, n, unit in others
    ]


def test_no_unwanted_package_is_installed(host, params):
    """Aucun logiciel réputé dangereux n’est installé."""
    kept = {one["name"] for one in params["services_minimal__kept_packages"]}
    unwanted = sorted(set(params["services_minimal__unwanted_packages"]) - kept)
    # dpkg itself is asked for too, so that no answer is not taken for none
    asked = " ".join(["dpkg", *unwanted])
    answer = host.run(f"dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\\n' {asked}")
    found = sorted(
        line.partition(" ")[2]
        for line in answer.stdout.splitlines()
        if line.startswith("installed ")
    )
    expected = ["dpkg"]
    assert found == expected


def test_only_declared_services_wait_for_calls(host, params):
    """Seuls les services déclarés répondent au réseau."""
    found = [
        f"{proto} {port}: {unit}"
        for proto, port, unit in undeclared(host, params)
        if not (proto == "tcp" and port in MAIL)
    ]
    expected = []
    assert found == expected


def test_mail_is_for_the_machine_alone(host, params):
    """La messagerie interne de la machine ne répond pas au réseau."""
    if not params["services_minimal__mail_local_only"]:
        pytest.skip("this machine is a mail server")
    found = [
        f"{proto} {port}: {unit}"
        for proto, port, unit in undeclared(host, params)
        if proto == "nothing" or (proto == "tcp" and port in MAIL)
    ]
    expected = []
    assert found == expected


def test_units_that_are_not_to_run_are_stopped(host, params):
    """Les services écartés sont arrêtés et ne reviennent pas au démarrage."""
    units = params["services_minimal__stopped_units"]
    if not units:
        pytest.skip("no unit is declared as not to run")
    answer = host.run(
        f"systemctl show --property=Id,LoadState,UnitFileState,ActiveState {' '.join(units)}"
    )
    found = {}
    for block in answer.stdout.strip().split("\n\n"):
        said = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        stopped = said.get("ActiveState") in ("inactive", "failed")
        gone = said.get("LoadState") in ("masked", "not-found")
        found[said.get("Id", "nothing")] = "stopped" if stopped and gone else "may run"
    expected = dict.fromkeys(units, "stopped")
    assert found == expected
