"""Can people print on the declared printers, and is printing asked from this machine alone?"""

# The same text as files/queues.awk; what changes with every job is left out.
QUEUES_PROGRAM = r"""
/^device for / { name = $3; sub(/:$/, "", name); uri[name] = $4 }
/^printer / { at = $2; state[at] = ($3 == "disabled") ? "stopped" : "runs" }
/^[ \t]+Location: / { place[at] = $0; sub(/^[ \t]+Location: /, "", place[at]) }
/^[^ ]+ not accepting requests / { refuses[$1] = 1 }
/^driver / { sub(/\.ppd$/, "", $2); driver[$2] = 1 }
/^system default destination: / { print "default|" $4 }
END {
  for (name in uri) {
    is = (name in refuses) ? "refuses" : state[name]
    if (!(name in driver)) is = "knows nothing of its printer"
    print "queue|" name "|" uri[name] "|" place[name] "|" is
  }
}
"""
QUEUES = (
    "export LC_ALL=C.UTF-8; { lpstat -v; lpstat -l -p; lpstat -a; lpstat -d; "
    "ls /etc/cups/ppd | sed 's/^/driver /'; } 2>/dev/null "
    f"| awk '{QUEUES_PROGRAM}'"
)
DOORS = (
    "LC_ALL=C sed -nE 's/^[[:space:]]*((SSL)?(Listen|Port)[[:space:]].*)$/\\1/Ip' "
    "/etc/cups/cupsd.conf"
)


def known(host):
    """What cups says of its queues and of its default, a line each."""
    return host.run(QUEUES).stdout.splitlines()


def test_what_prints_is_installed(host, params):
    """Les logiciels qui impriment sont installés."""
    names = ["cups", "cups-client"]
    names += ["avahi-daemon", "ipp-usb"] if params["printing__discovery"] else []
    asked = "dpkg-query -W -f '${Package} ${db:Status-Status}\\n' " + " ".join(names)
    found = sorted(set(host.run(asked).stdout.splitlines()))
    expected = sorted(f"{name} installed" for name in names)
    assert found == expected


def test_printing_starts_with_the_machine(host):
    """L’impression est prête dès que l’ordinateur démarre."""
    found = host.run("systemctl is-enabled cups.service").stdout.strip()
    expected = "enabled"
    assert found == expected


def test_printing_is_asked_from_this_machine_alone(host, params):
    """Personne ne peut faire imprimer cet ordinateur depuis le réseau."""
    lines = host.run(DOORS).stdout.splitlines()
    found = sorted({" ".join(line.split()) for line in lines})
    expected = sorted(f"Listen {where}" for where in params["printing__listen"])
    assert found == expected


def test_the_declared_printers_are_there(host, params):
    """Chaque imprimante déclarée est là, au bon endroit, et prête à imprimer."""
    lines = known(host)
    alive = host.run("lpstat -r").stdout.strip()
    queues = params["printing__queues"]
    wanted = {q["name"]: f"queue|{q['name']}|{q['uri']}|{q['location']}|runs" for q in queues}
    seen = {line.split("|")[1]: line for line in lines if line.startswith("queue|")}
    there = {name: seen.get(name, "missing") for name in wanted}
    found = {"cups": alive, **there}
    expected = {"cups": "scheduler is running", **wanted}
    assert found == expected


def test_the_usual_printer_comes_first(host, params):
    """L’imprimante habituelle est proposée en premier."""
    first = params["printing__default_queue"]
    lines = known(host)
    alive = host.run("lpstat -r").stdout.strip()
    chosen = [line.removeprefix("default|") for line in lines if line.startswith("default|")]
    found = {"cups": alive, "first": chosen if first else []}
    expected = {"cups": "scheduler is running", "first": [first] if first else []}
    assert found == expected


def test_the_operators_may_manage_printers(host, params):
    """Les personnes désignées peuvent débloquer les imprimantes."""
    answer = host.run("getent group lpadmin")
    group = answer.stdout.strip().split(":")
    members = group[-1].split(",")
    found = {
        "group": group[0],
        "operators": [name for name in params["printing__operators"] if name in members],
    }
    expected = {"group": "lpadmin", "operators": list(params["printing__operators"])}
    assert found == expected
