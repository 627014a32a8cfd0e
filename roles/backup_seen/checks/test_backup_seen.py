"""Was a backup made lately, whichever tool made it? Verified; nothing is ever applied."""

import shlex

import pytest

# the newest is not looked for, only whether one is new enough: the answer stays the same all day
FILE = (
    "test -e {path} || echo gone; "
    "find {path} -maxdepth 3 {kind} -mtime -{days} -printf recent -quit 2>/dev/null; echo; "
    'test "$(stat -c %d {path} 2>/dev/null)" != "$(stat -c %d /)" || echo same disk'
)
# a start that is done: of a service that ends by itself (oneshot), it says that all went well
UNIT = (
    "journalctl -q _PID=1 UNIT={unit} JOB_TYPE=start JOB_RESULT=done --since=-{days}days "
    "-n 1 -o cat 2>/dev/null | grep -c . | sed 's/^1$/recent/'"
)
LAST_RUN = "systemctl show -p LoadState -p Type -p Result {unit} 2>/dev/null"
TIMERS = (
    "by=$(systemctl show --value -p TriggeredBy {unit} 2>/dev/null) && "
    "systemctl is-active ${{by:-nothing.timer}} 2>/dev/null"
)


def named(proof):
    """A proof as the report names it."""
    where = proof.get("unit") or proof.get("marker") or proof.get("path", "nothing to look at")
    return where + ("/" + proof["name"] if proof.get("name") else "")


def question(proof, days):
    """The command that says `recent` where the proof is new enough, and `same disk` of a file."""
    if proof.get("unit"):
        return UNIT.format(unit=shlex.quote(proof["unit"]), days=days)
    path = shlex.quote(proof.get("marker") or proof.get("path", "/nonexistent"))
    kind = "! -type d"
    if proof.get("name"):
        kind = "-name " + shlex.quote(proof["name"]) + " ! -empty"
    elif not proof.get("marker"):
        kind = "! -type d ! -empty"
    return FILE.format(path=path, kind=kind, days=days)


def asked(host, proofs, params):
    """What the machine answers of each proof, by its name; all of them in one command."""
    days = params["backup_seen__max_age_days"]
    parts = [question(proof, int(proof.get("max_age_days") or days)) for proof in proofs]
    said = host.run("; echo ----; ".join([*parts, "echo"])).stdout.split("----")
    answers = {named(proof): text.splitlines() for proof, text in zip(proofs, said, strict=False)}
    return {named(proof): answers.get(named(proof), []) for proof in proofs}


def each(host, proofs, command):
    """The lines that `command` prints of each service among the proofs, by its name."""
    units = [proof["unit"] for proof in proofs if proof.get("unit")]
    if not units:
        pytest.skip("no service of systemd was declared to make a backup")
    parts = [command.format(unit=shlex.quote(unit)) for unit in units]
    said = host.run("; echo ----; ".join([*parts, "echo"])).stdout.split("----")
    answers = {unit: sorted(text.split()) for unit, text in zip(units, said, strict=False)}
    return {unit: answers.get(unit, []) for unit in units}


def test_a_backup_is_declared(host, params):
    """On sait où voir la sauvegarde de ce serveur."""
    proofs = params["backup_seen__proofs"]
    known = {} if proofs else asked(host, params["backup_seen__known"], params)
    seen = any("recent" in lines for lines in known.values())
    found = "declared" if proofs or seen else "no backup has been declared, and none was found"
    expected = "declared"
    assert found == expected


def test_a_recent_backup_exists(host, params):
    """La dernière sauvegarde est récente."""
    proofs = params["backup_seen__proofs"]
    if not proofs:
        pytest.skip("no backup has been declared")
    answers = asked(host, proofs, params)
    found = {
        name: "recent" if "recent" in lines else "not there" if "gone" in lines else "too old"
        for name, lines in answers.items()
    }
    expected = dict.fromkeys(answers, "recent")
    assert found == expected


def test_the_backup_is_not_on_the_disk_it_saves(host, params):
    """La sauvegarde n’est pas sur le disque qu’elle doit remplacer."""
    files = [one for one in params["backup_seen__proofs"] if one.get("path")]
    if not files:
        pytest.skip("no backup was declared that can be seen from this machine")
    if params["backup_seen__same_disk_reason"]:
        pytest.skip("accepted: " + params["backup_seen__same_disk_reason"])
    answers = asked(host, files, params)
    # of what could not be looked at, nobody knows where it lies
    found = {
        name: "same disk" if "same disk" in lines else "elsewhere" if lines else "unknown"
        for name, lines in answers.items()
    }
    expected = dict.fromkeys(answers, "elsewhere")
    assert found == expected


def test_the_last_backup_went_well(host, params):
    """Le dernier essai de sauvegarde a réussi."""
    found = each(host, params["backup_seen__proofs"], LAST_RUN)
    # a service that stays up is done as soon as it has begun, which proves no backup
    expected = {unit: ["LoadState=loaded", "Result=success", "Type=oneshot"] for unit in found}
    assert found == expected


def test_the_next_backup_is_planned(host, params):
    """La prochaine sauvegarde est programmée."""
    found = each(host, params["backup_seen__proofs"], TIMERS)
    expected = {unit: ["active"] for unit in found}
    assert found == expected
