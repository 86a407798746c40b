# shellcheck shell=bash
# How these scripts speak: a step, a note, an error with the way out. To be sourced; it does nothing by itself.

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    say_bold=$'\e[1m' say_red=$'\e[31m' say_plain=$'\e[0m'
else
    say_bold='' say_red='' say_plain=''
fi

# step TEXT: what begins now, with the seconds since the script began.
step() {
    printf '%s[%3ds] %s%s\n' "$say_bold" "$SECONDS" "$*" "$say_plain" >&2
}

# note TEXT: something worth knowing inside a step.
note() {
    printf '       %s\n' "$*" >&2
}

# die TEXT: what failed, and what to do about it.
die() {
    printf '%s%s: %s%s\n' "$say_red" "${0##*/}" "$*" "$say_plain" >&2
    exit 1
}

# misuse TEXT: the command line is wrong.
misuse() {
    printf '%s: %s (see %s --help)\n' "${0##*/}" "$*" "$0" >&2
    exit 2
}

# help_of FILE: the comment at the top of a script is its manual.
help_of() {
    sed -n '2,/^[^#]/{/^#/!d; s/^# \{0,1\}//; p;}' "$1"
}
