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
