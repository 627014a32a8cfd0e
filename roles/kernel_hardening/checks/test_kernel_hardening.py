"""Does the kernel keep to itself what nobody needs, now and after the next start?"""

import pytest

CONTAINER = "systemd-detect-virt --container"
# every file in the order in which it is read at the start, each below a line that names it
AT_START = "all=$(systemd-analyze cat-config sysctl.d) && echo \"$all\" | grep -E '^(# /|[^#;])'"
# the two places where a person writes; on Debian 12 the first is read by the name of 99-sysctl.conf
WRITTEN_BY_HAND = (
    "find /etc -maxdepth 2 -type f \\( -path /etc/sysctl.conf -o -path '/etc/sysctl.d/*.conf' \\) "
    "! -name zzz-kitsurvie.conf -exec grep -HE '^[[:space:]]*-?[[:space:]]*[a-z]' {} +; echo looked"
)
LIVE = "cd /proc/sys && grep -sH . {}; true"
REDIRECTED = (
    "cd /proc/sys/net && ls -d ipv4/conf/all/accept_redirects && grep -LxF 0 "
    "ipv4/conf/*/accept_redirects ipv4/conf/*/send_redirects ipv4/conf/*/shared_media"
)
GRUB = "test -x /usr/sbin/update-grub && test -e /boot/grub/grub.cfg && echo grub"
NEXT_START = "sed -n 's,^[[:space:]]*linux.*/vmlinu[^ ]*,,p' /boot/grub/grub.cfg"
THIS_START = "cat /proc/cmdline"
# hard limits of sessions, in the order in which they are read; those of one account are the site's
LIMITS = (
    "cat /etc/security/limits.conf "
    "$(find /etc/security/limits.d -name '*.conf' | LC_ALL=C sort) | LC_ALL=C sed -nE "
    "'s/^[[:space:]]*(\\*|root)[[:space:]]+(hard|-)[[:space:]]+core[[:space:]]+([^[:space:]]+).*/"
    "\\1 \\3/p'"
)
OF_SERVICES = "systemctl show -p DefaultLimitCORE --value"
COLLECTED = (
    "systemd-analyze cat-config systemd/coredump.conf 2>/dev/null "
    "| sed -nE 's/^(Storage|ProcessSizeMax)[[:space:]]*=[[:space:]]*/\\1 /p'"
)
GUARD = (
    "cat /var/lib/kitsurvie/guard/kernel_hardening.restored 2>/dev/null; "
    "test ! -e /etc/systemd/system/kitsurvie-guard-kernel_hardening.timer || echo not yet proved; "
    # nothing to say is not the same as no answer
    "echo looked"
)

MEMORY = {"vm.mmap_min_addr": "65536"}
SECRETS = {
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "kernel.pid_max": "65536",
    "kernel.perf_cpu_time_max_percent": "1",
    "kernel.perf_event_max_sample_rate": "1",
    # the guide asks that nobody but root reads them: on Debian's kernel that is 3, its own default
    "kernel.perf_event_paranoid": "3",
    "kernel.randomize_va_space": "2",
    "kernel.sysrq": "0",
    "kernel.unprivileged_bpf_disabled": "1",
    # stopping at once, and starting again, as nobody is there to press the button
    "kernel.panic_on_oops": "1",
    "kernel.panic": "60",
}
SPYING = {"kernel.yama.ptrace_scope": "1"}
FORWARDING = {"net.ipv4.ip_forward": "0"}
NETWORK = {
    "net.core.bpf_jit_harden": "2",
    "net.ipv4.conf.all.accept_local": "0",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.all.secure_redirects": "0",
    "net.ipv4.conf.default.secure_redirects": "0",
    "net.ipv4.conf.all.shared_media": "0",
    "net.ipv4.conf.default.shared_media": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.default.accept_source_route": "0",
    "net.ipv4.conf.all.arp_filter": "1",
    "net.ipv4.conf.all.arp_ignore": "2",
    "net.ipv4.conf.all.route_localnet": "0",
    "net.ipv4.conf.all.drop_gratuitous_arp": "1",
    "net.ipv4.conf.all.rp_filter": "1",
    "net.ipv4.conf.default.rp_filter": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.icmp_ignore_bogus_error_responses": "1",
    "net.ipv4.ip_local_port_range": "32768 65535",
    "net.ipv4.tcp_rfc1337": "1",
    "net.ipv4.tcp_syncookies": "1",
}
IPV6 = {"accept_redirects": "0", "accept_source_route": "0"}
IPV6_STATIC = {
    "router_solicitations": "0",
    "accept_ra_rtr_pref": "0",
    "accept_ra_pinfo": "0",
    "accept_ra_defrtr": "0",
    "autoconf": "0",
    "max_addresses": "1",
}
IPV6_UNUSED = {"disable_ipv6": "1"}
FILES = {
    "fs.suid_dumpable": "0",
    "fs.protected_fifos": "2",
    "fs.protected_regular": "2",
    "fs.protected_symlinks": "1",
    "fs.protected_hardlinks": "1",
}
TERMINALS = {"dev.tty.ldisc_autoload": "0"}
FORGED = {"net.ipv4.conf.all.log_martians": "1", "net.ipv4.conf.default.log_martians": "1"}
OTHERS = FILES, TERMINALS, FORGED


def in_a_container(host):
    """What holds the machine, when that is a container: its kernel is that of another machine."""
    kind = host.run(CONTAINER).stdout.strip()
    return "" if kind == "none" else kind


def only_with_a_kernel_of_its_own(host):
    kind = in_a_container(host)
    if kind:
        pytest.skip(f"the kernel belongs to the machine that holds this container ({kind})")


def network(params):
    return NETWORK if params["kernel_hardening__router"] else {**FORWARDING, **NETWORK}


def ipv6(params):
    used = params["kernel_hardening__ipv6"]
    each = {
        **IPV6,
        **(IPV6_STATIC if used != "automatic" else {}),
        **(IPV6_UNUSED if used == "unused" else {}),
    }
    return {f"net.ipv6.conf.{on}.{key}": v for on in ("all", "default") for key, v in each.items()}


def asked(params, *tables):
    """The settings of these tables, as this machine's exceptions change them."""
    other = {one["key"]: one["value"] for one in params["kernel_hardening__exceptions"]}
    return {
        key: str(other.get(key, value)).strip() for table in tables for key, value in table.items()
    }


def everything(params):
    return asked(params, MEMORY, SECRETS, SPYING, network(params), ipv6(params), *OTHERS)


def key_of(written):
    """`net/ipv4/ip_forward` and `net.ipv4.ip_forward` are one key; the first separator decides."""
    name = written.strip().lstrip("-").strip()
    separators = [char for char in name if char in "./"]
    return name.translate(str.maketrans("./", "/.")) if separators[:1] == ["/"] else name


def assignments(lines):
    """(file, key, value) of each line of a listing whose files are named by lines of their own."""
    file = "?"
    said = []
    for line in lines:
        if line.startswith("# /"):
            file = line[2:].strip()
        elif "=" in line and not line.lstrip().startswith(("#", ";")):
            key, _, value = line.partition("=")
            said.append((file, key_of(key), " ".join(value.split())))
    return said


def at_start(host):
    """What each key is at the next start, and the file that says so: the last one wins."""
    answer = host.run(AT_START)
    if answer.rc != 0:
        return {}
    return {key: (value, file) for file, key, value in assignments(answer.stdout.splitlines())}


def in_force(host, keys):
    """What the kernel says now; a key it does not know is not there."""
    paths = " ".join(sorted(key.replace(".", "/") for key in keys))
    rows = (line.partition(":") for line in host.run(LIVE.format(paths)).stdout.splitlines())
    return {path.replace("/", "."): " ".join(value.split()) for path, _, value in rows}


def differing(said, expected):
    return {key: said.get(key, "not set") for key in expected}


def test_the_protections_come_back_at_every_start(host, params):
    """Les protections du cœur du système se remettent en place à chaque démarrage."""
    expected = everything(params)
    last_words = at_start(host)
    found = {}
    for key, value in expected.items():
        said, file = last_words.get(key, ("not set", ""))
        found[key] = said if said == value else f"{said} {file}".strip()
    assert found == expected


def test_no_other_file_says_otherwise(host, params):
    """Aucun autre fichier ne demande le contraire des protections."""
    lines = host.run(WRITTEN_BY_HAND).stdout.splitlines()
    wanted = everything(params)
    rows = (line.partition(":") for line in lines if ":" in line)
    said = [(file, *one[1:]) for file, _, text in rows for one in assignments([text])]
    other = [f"{file}: {key} = {v}" for file, key, v in said if wanted.get(key, v) != v]
    found = {"the files could be read": lines[-1:] == ["looked"], "otherwise": sorted(other)}
    expected = {"the files could be read": True, "otherwise": []}
    assert found == expected


def test_the_kernel_keeps_its_secrets(host, params):
    """Le cœur du système ne livre pas ses secrets aux programmes."""
    only_with_a_kernel_of_its_own(host)
    expected = asked(params, MEMORY, SECRETS)
    found = differing(in_force(host, expected), expected)
    assert found == expected


def test_a_program_does_not_spy_on_its_neighbours(host, params):
    """Un programme ne peut pas espionner ceux qui tournent à côté de lui."""
    only_with_a_kernel_of_its_own(host)
    expected = asked(params, SPYING)
    found = differing(in_force(host, expected), expected)
    assert found == expected


def test_no_program_has_forgotten_drivers_loaded(host, params):
    """Aucun programme ne peut faire charger de vieux pilotes dont personne ne se sert."""
    only_with_a_kernel_of_its_own(host)
    expected = asked(params, TERMINALS)
    found = differing(in_force(host, expected), expected)
    assert found == expected


def test_a_program_that_crashes_leaves_no_memory_behind(host, params):
    """Un programme qui tombe en panne ne laisse pas sur le disque ce qu’il avait en mémoire."""
    if params["kernel_hardening__core_dumps"]:
        pytest.skip("core dumps are wanted here: kernel_hardening__core_dumps")
    found = {
        "sessions": dict(line.split() for line in host.run(LIMITS).stdout.splitlines()),
        "services": host.run(OF_SERVICES).stdout.strip(),
        "collected": dict(line.split() for line in host.run(COLLECTED).stdout.splitlines()),
    }
    expected = {
        "sessions": {"*": "0", "root": "0"},
        "services": "0",
        "collected": {"Storage": "none", "ProcessSizeMax": "0"},
    }
    assert found == expected


def test_links_and_shared_folders_are_no_traps(host, params):
    """Les dossiers partagés ne peuvent pas servir de piège contre un autre utilisateur."""
    only_with_a_kernel_of_its_own(host)
    expected = asked(params, FILES)
    found = differing(in_force(host, expected), expected)
    assert found == expected


def test_the_network_cannot_be_led_astray(host, params):
    """La machine ne se laisse pas détourner par un voisin malveillant du réseau."""
    expected = asked(params, network(params), FORGED)
    if in_a_container(host):
        # of the whole machine, not of one network: a container does not see it
        expected.pop("net.core.bpf_jit_harden")
    found = differing(in_force(host, expected), expected)
    assert found == expected


def test_no_interface_makes_an_exception(host, params):
    """Aucune carte réseau ne fait exception."""
    excepted = {one["key"].rpartition(".")[2] for one in params["kernel_hardening__exceptions"]}
    lines = host.run(REDIRECTED).stdout.splitlines()
    others = [line for line in lines[1:] if line.rpartition("/")[2] not in excepted]
    found = {"there are interfaces": lines[:1], "exceptions": others}
    expected = {"there are interfaces": ["ipv4/conf/all/accept_redirects"], "exceptions": []}
    assert found == expected


def test_ipv6_is_used_as_declared(host, params):
    """Le nouveau protocole d’Internet (IPv6) n’est utilisé que de la façon déclarée."""
    expected = asked(params, ipv6(params))
    said = in_force(host, expected)
    if not said and "ipv6.disable=1" in host.run(THIS_START).stdout.split():
        pytest.skip("the kernel was started without IPv6")
    found = differing(said, expected)
    assert found == expected


def only_where_grub_starts_the_kernel(host):
    only_with_a_kernel_of_its_own(host)
    if host.run(GRUB).stdout.strip() != "grub":
        pytest.skip("another program than GRUB starts this machine: its options are set there")


def test_the_next_start_protects_the_memory(host, params):
    """Le prochain démarrage protégera la mémoire."""
    only_where_grub_starts_the_kernel(host)
    options = params["kernel_hardening__boot_options"]
    starts = [set(line.split()) for line in host.run(NEXT_START).stdout.splitlines()]
    missing = [one for one in options if not all(one in words for words in starts)]
    found = {"the menu could be read": bool(starts), "missing": missing}
    expected = {"the menu could be read": True, "missing": []}
    assert found == expected


def test_the_memory_is_protected(host, params):
    """La mémoire est protégée depuis le dernier démarrage."""
    only_where_grub_starts_the_kernel(host)
    words = host.run(THIS_START).stdout.split()
    missing = [one for one in params["kernel_hardening__boot_options"] if one not in words]
    found = {"the options could be read": bool(words), "missing": missing}
    expected = {"the options could be read": True, "missing": []}
    assert found == expected


def test_the_last_change_was_proved(host):
    """Le dernier changement a été vérifié, et non annulé."""
    found = host.run(GUARD).stdout.splitlines()
    expected = ["looked"]
    assert found == expected
