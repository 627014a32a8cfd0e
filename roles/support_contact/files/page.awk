# First file (dates=1): "year month day measure", the latest first. Second file (dates=0): a page with marks in it.
#   A@@fr M@@with %s@@without@@B       the date of M in place of %s, or the other text
#   @@by date fr M@@with %s and %t@@item@@   for the last three dates: the items of that day in place of %t
#   (%n in an item is a new line)
#   @@otherwise@@text@@                if none of the lines above had a date
BEGIN {
    split("janvier février mars avril mai juin juillet août septembre octobre novembre décembre", fr, " ")
    split("January February March April May June July August September October November December", en, " ")
}

function told(language, measure, day) {
    day = days[measure] + 0
    if (language == "fr") return (day == 1 ? "1er" : day) " " fr[months[measure] + 0] " " years[measure]
    return day " " en[months[measure] + 0] " " years[measure]
}

# in place of sub(), to which an & of a title would mean something
function put(text, mark, value, at) {
    at = index(text, mark)
    return at ? substr(text, 1, at - 1) value substr(text, at + length(mark)) : text
}

dates {
    years[$4] = $1; months[$4] = $2; days[$4] = $3
    order[++known] = $4
    next
}

/@@(fr|en) [a-z0-9_]+@@/ {
    split($0, part, "@@"); split(part[2], word, " ")
    print part[1] ((word[2] in days) ? put(part[3], "%s", told(word[1], word[2])) : part[4]) part[5]
    next
}

/^@@by date / {
    split($0, part, "@@"); split(part[2], word, " ")
    language = word[3]; frame = part[3]; title[word[4]] = put(part[4], "%n", "\n")
    next
}

/^@@otherwise@@/ {
    lines = 0; date = ""; titles = ""
    for (i = 1; i <= known + 1; i++) {
        measure = order[i]
        if (i <= known && !(measure in title)) continue
        if (titles != "" && (i > known || told(language, measure) != date)) {
            if (++lines <= 3) print put(put(frame, "%s", date), "%t", titles)
            titles = ""
        }
        if (i > known) break
        date = told(language, measure)
        titles = titles title[measure]
    }
    split($0, part, "@@")
    if (!lines) print part[3]
    for (measure in title) delete title[measure]
    next
}

{ print }
