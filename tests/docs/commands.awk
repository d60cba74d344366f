# The commands of Markdown documents, a line each: FILE, a tab, the command. Those are the lines of
# blocks that are indented or fenced (of no language or sh), and code in the text that begins as a
# command does and says more than a name.

function say(command) {
    sub(/[ \t]+#.*$/, "", command)
    gsub(/[ \t]+/, " ", command)
    sub(/^ /, "", command)
    sub(/ $/, "", command)
    if (command != "") print FILENAME "\t" command
}

function lines_of_block(line) {
    sub(/^[ \t]+/, "", line)
    if (line ~ /^#/) return
    if (sub(/\\$/, "", line)) {
        pending = pending line " "
        return
    }
    say(pending line)
    pending = ""
}

FNR == 1 { fence = ""; pending = ""; indent = 0; blank = 1; block = 0 }

/^ *```/ {
    if (fence != "") fence = ""
    else {
        language = $0
        sub(/^ *```/, "", language)
        fence = language == "" || language == "sh" ? "commands" : "other"
    }
    next
}
fence == "commands" { lines_of_block($0); next }
fence == "other" { next }

/^[ \t]*$/ { blank = 1; next }
# A block in a list's item stands four columns behind the item's text.
/^ *([-*]|[0-9]+\.) / {
    match($0, /^ *([-*]|[0-9]+\.) +/)
    indent = RLENGTH
    block = 0
}
/^[^ ]/ { if ($0 !~ /^([-*]|[0-9]+\.) /) indent = 0 }
{
    match($0, /^ */)
    if (RLENGTH >= indent + 4 && (blank || block)) {
        block = 1
        blank = 0
        lines_of_block($0)
        next
    }
    block = 0
    blank = 0
    rest = $0
    while (match(rest, /`[^`]+`/)) {
        code = substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
        plain = code
        while (sub(/^[A-Z_]+=("[^"]*"|[^ ]*) /, "", plain)) continue
        if (plain ~ /^(make|cargo|dune|git|grep|nm|ocamlopt) [^ ]/ ||
            plain ~ /^(\.ci|scripts|tests|fuzz|bench|_build|target)\/[^ ]* [^ ]/)
            say(code)
    }
}
