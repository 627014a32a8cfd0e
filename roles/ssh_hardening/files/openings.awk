BEGIN {
  count = split("permitrootlogin passwordauthentication kbdinteractiveauthentication " \
    "challengeresponseauthentication skeyauthentication permitemptypasswords " \
    "hostbasedauthentication gssapiauthentication", word, " ")
  for (i = 1; i <= count; i++) watched[word[i]] = 1
  top = 1; path[1] = "/etc/ssh/sshd_config"; busy[path[1]] = 1
  while (top) {
    status = (getline line < path[top])
    if (status != 1) {
      if (status == -1) print path[top] ": cannot be read"
      close(path[top]); delete busy[path[top]]
      number[top] = inside[top] = 0; top--
      continue
    }
    number[top]++
    gsub(/[ \t\r="]+/, " ", line)
    count = split(line, word, " ")
    keyword = tolower(word[1]); value = tolower(word[2])
    where = path[top] ":" number[top] ": "
    if (keyword == "match") inside[top] = 1
    if (keyword in watched) {
      if (value != "no" && (inside[top] || !(keyword in settled)))
        print where keyword " " value (inside[top] ? ", in a Match block" : "")
      if (!inside[top]) settled[keyword] = 1
    }
    if (keyword != "include") continue
    conditional = inside[top]; found = 0
    for (i = 2; i <= count && word[i] !~ /^#/; i++) {
      if (word[i] !~ /^[A-Za-z0-9_.\/*?-]+$/) {
        print where "an Include that is not followed"
        continue
      }
      list = "LC_ALL=C ls -d " (word[i] ~ /^\// ? "" : "/etc/ssh/") word[i] " 2>/dev/null"
      while ((list | getline one) == 1) name[++found] = one
      close(list)
    }
    for (; found; found--) if (!(name[found] in busy)) {
      path[++top] = name[found]; busy[name[found]] = 1
      number[top] = 0; inside[top] = conditional
    }
  }
  while ((getline line < "/etc/default/ssh") == 1) {
    options++
    if (line !~ /^[ \t]*SSHD_OPTS=/) continue
    sub(/^[ \t]*SSHD_OPTS=/, "", line); gsub(/[^A-Za-z0-9\/_.=-]+/, " ", line)
    count = split(tolower(line), word, " ")
    for (i = 1; i <= count; i++) {
      one = word[i]
      if (one == "-o" || one == "-f") one = one word[++i]
      where = "/etc/default/ssh:" options ": "
      if (one ~ /^-f/) print where "another file of settings"
      if (one !~ /^-o/) continue
      split(substr(one, 3), pair, "=")
      if ((pair[1] in watched) && pair[2] != "no") print where pair[1] " " pair[2]
    }
  }
}
