"""Does the machine refuse what nobody asked for? Judged by the rules in force in the kernel."""

import ipaddress
import json

LIVE = "/usr/sbin/nft -s -j list table inet kitsurvie"
# the file is loaded in a network of its own, which ends with the command, and changes nothing here;
# two listings that could not be made are not two listings that agree
SAME_AT_START = (
    "live=$(/usr/sbin/nft -s list table inet kitsurvie 2>/dev/null) || "
    "{ echo nothing in force; exit; }; "
    "written=$(unshare -n sh -c '/usr/sbin/nft -f /etc/nftables.d/kitsurvie.nft && "
    "/usr/sbin/nft -s list table inet kitsurvie' 2>/dev/null) || "
    "{ echo nothing written that can be loaded; exit; }; "
    'test "$live" = "$written" && echo same || echo different'
)
LOAD = "/usr/sbin/nft -f /etc/nftables.d/kitsurvie.nft"
# what systemd would run, every drop-in included; the machine's own rules are not ours to load
AT_START = (
    "systemctl is-enabled kitsurvie-firewall.service; "
    "systemctl cat kitsurvie-firewall.service | grep '^ExecStart'; "
    "systemctl cat nftables.service | grep '^Exec.*kitsurvie'; "
    "grep -sE '^[[:space:]]*include[[:space:]]+\"/etc/nftables.d/kitsurvie.nft\"' "
    "/etc/nftables.conf"
)
GUARD = (
    "cat /var/lib/kitsurvie/guard/firewall.restored 2>/dev/null; "
    "test ! -e /etc/systemd/system/kitsurvie-guard-firewall.timer || echo not yet proved; "
    # nothing to say is not the same as no answer
    "echo looked"
)
ALWAYS = [
    "iif lo accept",
    "ct state established,related accept",
    "ct state invalid drop",
    "icmp type destination-unreachable,parameter-problem,time-exceeded accept",
    "icmp type echo-request limit 10/second accept",
    "icmpv6 type destination-unreachable,mld-listener-query,nd-neighbor-advert,nd-neighbor-solicit,"
    "nd-router-advert,nd-router-solicit,packet-too-big,parameter-problem,time-exceeded accept",
    "icmpv6 type echo-request limit 10/second accept",
    "udp sport 67 udp dport 68 accept",
    "ip6 saddr fe80::/10 udp dport 546 accept",
]
DISCOVERY = [
    "ip daddr 224.0.0.251 udp dport 5353 accept",
    "ip6 daddr ff02::fb udp dport 5353 accept",
]


def live(host):
    """The objects of our table as nft lists them; none when the table is not there."""
    answer = host.run(LIVE)
    return json.loads(answer.stdout)["nftables"] if answer.rc == 0 else []


def compact(part):
    """What has no words below, in one form."""
    return json.dumps(part, sort_keys=True, separators=(",", ":"))


def merged(networks):
    """Networks of one family as a line, the same however they were cut: nft joins neighbours."""
    short = ipaddress.collapse_addresses(networks)
    return ",".join(str(n.network_address) if n.num_addresses == 1 else str(n) for n in short)


def networks_of(right):
    """The networks a rule compares an address with: nft lists one, a prefix, a range or a set."""
    if isinstance(right, list):
        return [network for one in right for network in networks_of(one)]
    if isinstance(right, dict):
        ((kind, inner),) = right.items()
        if kind == "prefix":
            return networks_of(f"{inner['addr']}/{inner['len']}")
        if kind == "range":
            return list(ipaddress.summarize_address_range(*map(ipaddress.ip_address, inner)))
        return networks_of(inner)
    return [ipaddress.ip_network(right, strict=False)]


def value(right):
    """What a rule compares with, in one form whatever the version of nft."""
    if isinstance(right, list):
        return ",".join(sorted(value(one) for one in right))
    if isinstance(right, dict):
        if set(right) == {"set"}:
            return value(right["set"])
        if set(right) == {"range"}:
            return "-".join(value(one) for one in right["range"])
        return compact(right)
    return str(right)


def addresses(right):
    """The same for addresses; a set may also be named, or hold more than addresses."""
    try:
        return merged(networks_of(right))
    except (KeyError, TypeError, ValueError):
        return value(right)


def name_of(left):
    """What a rule looks at: `tcp dport`, `ct state`, `iif`; nothing when it is more than a name."""
    if isinstance(left, dict):
        ((what, inner),) = left.items()
        if what == "payload" and set(inner) == {"protocol", "field"}:
            return f"{inner['protocol']} {inner['field']}"
        if what in ("ct", "meta") and set(inner) == {"key"}:
            return f"ct {inner['key']}" if what == "ct" else inner["key"]
    return ""


def comparison(match):
    """One comparison of a rule: `ip saddr 192.0.2.0/24`."""
    name = name_of(match["left"])
    if not name or match["op"] not in ("==", "!=", "in"):
        return compact(match)
    of_address = name in ("ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr")
    said = addresses(match["right"]) if of_address else value(match["right"])
    return f"{name} not {said}" if match["op"] == "!=" else f"{name} {said}"


def words(rule):
    """One rule as a line a person reads: `ip saddr 192.0.2.0/24 tcp dport 631 accept`."""
    said = []
    for part in rule["expr"]:
        ((kind, inner),) = part.items()
        if kind == "match":
            said.append(comparison(inner))
        elif kind == "limit" and set(inner) <= {"rate", "burst", "per"}:
            said.append(f"limit {inner['rate']}/{inner['per']}")
        else:
            said.append(kind if inner is None else compact(part))
    return " ".join(said)


def opening(proto, port, networks):
    """The lines that open one port: one, or one per family of the networks it is open to."""
    if not networks:
        return [f"{proto} dport {port} accept"]
    lines = []
    for family, version in (("ip", 4), ("ip6", 6)):
        own = [n for n in networks_of(networks) if n.version == version]
        lines += [f"{family} saddr {merged(own)} {proto} dport {port} accept"] if own else []
    return lines


def declared(params):
    """Every rule that should be in force."""
    lines = ALWAYS + (DISCOVERY if params["firewall__local_discovery"] else [])
    if params["firewall__ssh_open"]:
        lines += opening("tcp", params["firewall__ssh_port"], params["firewall__ssh_from"])
    for one in params["firewall__open_ports"]:
        lines += opening(one.get("proto", "tcp"), one["port"], one.get("from", []))
    return lines


def test_what_nobody_asked_for_is_refused(host):
    """La machine refuse par défaut toute connexion qui n’a pas été demandée."""
    chains = [item["chain"] for item in live(host) if "chain" in item]
    found = [f"{c.get('hook', 'no hook')} {c['name']}: {c.get('policy', 'none')}" for c in chains]
    expected = ["input input: drop"]
    assert found == expected


def test_only_the_declared_ports_are_open(host, params):
    """Seuls les accès déclarés par le service informatique sont ouverts."""
    rules = [words(item["rule"]) for item in live(host) if "rule" in item]
    found = sorted(rule for rule in rules if "dport" in rule)
    expected = sorted(rule for rule in declared(params) if "dport" in rule)
    assert found == expected


def test_the_rules_in_force_are_the_declared_ones(host, params):
    """Aucune règle n’a été ajoutée, retirée ou déplacée à la main."""
    found = [words(item["rule"]) for item in live(host) if "rule" in item]
    expected = declared(params)
    assert found == expected


def test_the_rules_come_back_at_every_start(host):
    """Le pare-feu se remet en place à chaque démarrage."""
    state, *orders = host.run(AT_START).stdout.splitlines() or ["unknown"]
    after = [f"{on}=-{LOAD}" for on in ("ExecStartPost", "ExecReload", "ExecStopPost")]
    found = {"kitsurvie-firewall.service": state, "what loads the rules": orders}
    expected = {
        "kitsurvie-firewall.service": "enabled",
        "what loads the rules": [f"ExecStart={LOAD}", *after],
    }
    assert found == expected


def test_the_rules_of_the_next_start_are_those_in_force(host):
    """Les règles du prochain démarrage sont celles d’aujourd’hui."""
    found = host.run(SAME_AT_START).stdout.strip()
    expected = "same"
    assert found == expected


def test_the_last_change_was_proved(host):
    """Le dernier changement du pare-feu a été vérifié, et non annulé."""
    found = host.run(GUARD).stdout.splitlines()
    expected = ["looked"]
    assert found == expected
