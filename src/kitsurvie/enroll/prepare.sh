# Run once as root on a machine being enrolled, by /bin/sh on its standard input. Before this text
# come the assignments that are its only data, quoted by the sender:
#   administrators   one line each: name, base64 of that account's public keys, and `adopt` where an
#                    account of that name, if there is one already, is known to be that person's
#   login            the account we came in by
# It speaks in lines that start with "kitsurvie ": say (progress), did (a change made), warn,
# hostkey, failed (code, then a sentence), done. It is safe to run again: what is there is left.

say() { printf 'kitsurvie %s\n' "$*"; }

fail() {
    code=$1
    shift
    # only one line, and nothing that could pass for one of ours
    say failed "$code" "$(printf '%s' "$*" | tr '\n\r\t' '   ' | cut -c1-400)"
    exit 1
}

known_debian() {
    [ -r /etc/os-release ] || fail os "a system without /etc/os-release"
    id=$(sed -n 's/^ID="\{0,1\}\([a-z0-9._-]*\)"\{0,1\}$/\1/p' /etc/os-release)
    version=$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9.]*\)"\{0,1\}$/\1/p' /etc/os-release)
    pretty=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)
    case "$id/$version" in
        debian/12 | debian/13) say os "$version" ;;
        *) fail os "${pretty:-$id $version}" ;;
    esac
}

# Writing 64 KiB where we are about to write tells more than df: quotas, inodes and read-only too.
room_on_disk() {
    for folder in /etc /home /var/lib "${TMPDIR:-/tmp}"; do
        [ -d "$folder" ] || continue
        probe=$(mktemp "$folder/.kitsurvie.XXXXXX" 2>&1) || fail disk "$folder: $probe"
        if ! trouble=$(head -c 65536 /dev/zero 2>&1 >"$probe"); then
            rm -f "$probe"
            fail disk "$folder: ${trouble:-no room}"
        fi
        rm -f "$probe"
    done
}

apt_install() {
    apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
        -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
        install "$@"
}

packages() {
    missing=
    command -v sudo >/dev/null && command -v visudo >/dev/null || missing="sudo"
    python3 -I -S -c '' >/dev/null 2>&1 || missing="$missing python3"
    [ -n "$missing" ] || return 0
    say say "installing $missing"
    log=$(mktemp) || fail disk "the temporary folder cannot be written"
    # $missing is a list of our own words: it is split on purpose
    if ! apt_install $missing >"$log" 2>&1; then
        { apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 update \
            && apt_install $missing; } >>"$log" 2>&1
    fi
    # apt may complain of one thing and have installed what we need all the same
    if ! python3 -I -S -c '' >/dev/null 2>&1 || ! command -v visudo >/dev/null; then
        why=$(grep -a '^E:' "$log" | tail -n 1)
        full=$(grep -a -i -m 1 'no space left\|enough free space' "$log")
        rm -f "$log"
        [ -z "$full" ] || fail disk "$full"
        fail packages "$missing: ${why:-apt-get failed without a reason}"
    fi
    rm -f "$log"
    for package in $missing; do say did "installed $package"; done
}

# An account that was there before us may be somebody's at the town hall, who would become an
# administrator without a password and without a word. It is not when it is ours, is an
# administrator already, is the one we came in by, or has no password.
nobodys_else() {
    [ "$1" != "$login" ] || return 0
    ! id -nG "$1" | tr ' ' '\n' | grep -qx sudo || return 0
    ! awk -v name="$1" '$1 == name { found = 1 } END { exit !found }' \
        /etc/sudoers.d/00-kitsurvie 2>/dev/null || return 0
    case $(getent shadow "$1" | cut -d: -f2) in '!'* | '*'*) return 0 ;; esac
    return 1
}

account() {
    name=$1
    if entry=$(getent passwd "$name"); then
        uid=$(printf '%s' "$entry" | cut -d: -f3)
        [ "$uid" -ge 1000 ] || fail account "$name is an account of the system (uid $uid)"
        [ "$2" = adopt ] || nobodys_else "$name" || fail taken "$name"
    else
        # '*' is no password at all; useradd's own '!' would mean a locked account, which sshd
        # turns away, keys included, where PAM is off
        trouble=$(useradd -m -K HOME_MODE=0700 -s /bin/bash -p '*' "$name" 2>&1) \
            || fail account "$name: $trouble"
        entry=$(getent passwd "$name") || fail account "$name cannot be found once created"
        say did "created the account $name"
    fi
    home=$(printf '%s' "$entry" | cut -d: -f6)
    case $(printf '%s' "$entry" | cut -d: -f7) in
        */nologin | */false)
            trouble=$(usermod -s /bin/bash "$name" 2>&1) || fail account "$name: $trouble"
            say did "gave $name a shell"
            ;;
    esac
    if [ ! -d "$home" ]; then
        trouble=$(install -d -m 0700 -o "$name" -g "$(id -g "$name")" "$home" 2>&1) \
            || fail account "$name: $trouble"
        say did "created the home of $name"
    fi
}

# The account's own rights write in its home: root following a link there would be a gift.
# Our keys go first, bare: sshd obeys the first line that matches, and an older line may hold
# the same key with a forced command.
write_keys='
    umask 077
    mkdir -p "$HOME/.ssh" && chmod 0700 "$HOME/.ssh" && cd "$HOME/.ssh" || exit 2
    new=$(mktemp .authorized_keys.XXXXXX) || exit 2
    trap "rm -f \"$new\"" EXIT
    cat >"$new" || exit 2
    if [ -e authorized_keys ]; then
        # how many keys are not ours; whether each of ours is there, bare, before any forced command
        told=$(awk "NR == FNR { ours[\$1, \$2]; body[\$2]; missing++; next }
            /^[[:space:]]*(#|\$)/ { next }
            (\$1, \$2) in ours { if (!bare[\$2]++) missing--; next }
            { others++; for (i = 3; i <= NF; i++) if (\$i in body && !bare[\$i]) bound = 1 }
            END { print others + 0, (missing || bound) ? \"rewrite\" : \"keep\" }" \
            "$new" authorized_keys) || exit 2
        echo "others ${told% *}"
        if [ "${told#* }" = keep ]; then chmod 0600 authorized_keys; exit; fi
        rest=$(awk "NR == FNR { ours[\$1, \$2]; next } !((\$1, \$2) in ours)" "$new" \
            authorized_keys) || exit 2
        [ -z "$rest" ] || printf "%s\n" "$rest" >>"$new" || exit 2
    fi
    chmod 0600 "$new" && mv -f "$new" authorized_keys && echo changed
'

keys() {
    name=$1
    home=$(getent passwd "$name" | cut -d: -f6)
    said=$(printf '%s' "$2" | base64 -d | setpriv --reuid="$(id -u "$name")" \
        --regid="$(id -g "$name")" --init-groups --reset-env -- /bin/sh -c \
        "HOME=\$1 PATH=/usr/bin:/bin LC_ALL=C; export HOME PATH LC_ALL; $write_keys" sh "$home" 2>&1) \
        || fail keys "$name: $said"
    case $said in *changed*) say did "wrote the keys of $name" ;; esac
    others=$(printf '%s\n' "$said" | sed -n 's/^others //p')
    if [ "${others:-0}" -gt 0 ]; then
        say warn "$name already had $others key(s) that the inventory does not name: they are kept"
    fi
}

# The accounts measure writes the same file with more in it, and a syndicate may have rules of its
# own: what grants enough, in sudo's own words, is left alone.
granted() {
    [ -r "$1" ] || return 1
    printf '%s\n' "$administrators" | while read -r name _; do
        sudo -n -l -U "$name" 2>/dev/null | tail -n 1 | grep -q 'NOPASSWD: ALL$' || exit 1
    done
}

sudoers() {
    file=/etc/sudoers.d/00-kitsurvie
    ! granted "$file" || return 0
    # sudo reads no file with a dot in its name: a half-written one never counts
    new=$(mktemp /etc/sudoers.d/.kitsurvie.XXXXXX 2>&1) || fail disk "/etc/sudoers.d: $new"
    {
        echo '# Written by kitsurvie: the named administrators of this machine.'
        printf '%s\n' "$administrators" | while read -r name _; do
            echo "$name ALL=(ALL:ALL) NOPASSWD: ALL"
        done
    } >"$new"
    chmod 0440 "$new"
    if ! trouble=$(visudo -c -f "$new" 2>&1); then
        rm -f "$new"
        fail sudoers "$trouble"
    fi
    visudo -c >/dev/null 2>&1 && sound=yes || sound=
    before=
    if [ -e "$file" ]; then before=$(mktemp) && cp -p "$file" "$before"; fi
    mv -f "$new" "$file"
    # what was sound and is so no more is our doing: then nothing of ours stays
    if ! trouble=$(visudo -c 2>&1) && [ -n "$sound" ]; then
        if [ -n "$before" ]; then mv -f "$before" "$file"; else rm -f "$file"; fi
        fail sudoers "$trouble"
    fi
    [ -z "$before" ] || rm -f "$before"
    [ -n "$sound" ] || say warn "visudo found fault with this machine's sudoers before we came"
    say did "wrote $file"
}

host_keys() {
    files=$(sshd -T 2>/dev/null | sed -n 's/^hostkey //p')
    [ -n "$files" ] || files=$(echo /etc/ssh/ssh_host_*_key)
    for file in $files; do
        [ -r "$file.pub" ] || continue
        while read -r type body _; do say hostkey "$type" "$body"; done <"$file.pub"
    done
}

main() {
    umask 022
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    LC_ALL=C
    DEBIAN_FRONTEND=noninteractive
    NEEDRESTART_SUSPEND=1
    export PATH LC_ALL DEBIAN_FRONTEND NEEDRESTART_SUSPEND
    unset TMPDIR
    [ "$(id -u)" = 0 ] || fail root "not root after all"
    known_debian
    room_on_disk
    packages
    # first all of them: none gets a key before it is known that each account may be had
    for pass in account keys; do
        for line in $(printf '%s\n' "$administrators" | tr ' ' ':'); do
            rest=${line#*:}
            case $pass in
                account) account "${line%%:*}" "${rest#*:}" ;;
                keys) keys "${line%%:*}" "${rest%%:*}" ;;
            esac
        done
    done
    sudoers
    host_keys
    say done
    exit 0
}

# all of it was read before any of it runs: a line that drops midway does nothing
main </dev/null
