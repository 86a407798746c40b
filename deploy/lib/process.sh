# shellcheck shell=bash
# Processes that are started here and ended here, and only those. To be sourced after say.sh.
#
# A record is a file "PID START": START is the kernel's start time of that process, so that a number which meanwhile
# belongs to somebody else is never signalled. Nothing is ever looked for by name.

# started_at PID: the kernel's start time, in ticks since boot; nothing where there is no such process.
started_at() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The name in parentheses may hold spaces: what follows the last one begins with field 3.
    stat=${stat##*) }
    # shellcheck disable=SC2086 # fields, on purpose
    set -- $stat
    [ "$1" != Z ] || return 1
    printf '%s\n' "${20}"
}

# parent_of PID
parent_of() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086 # fields, on purpose
    set -- $stat
    printf '%s\n' "$2"
}

# record PID FILE
record() {
    local start
    start=$(started_at "$1") || return 1
    printf '%s %s\n' "$1" "$start" >"$2.new"
    mv "$2.new" "$2"
}

# recorded FILE: prints the PID of the process that the record means, while it lives.
recorded() {
    local pid start
    read -r pid start 2>/dev/null <"$1" || return 1
    [ "$(started_at "$pid")" = "$start" ] || return 1
    printf '%s\n' "$pid"
}

# signal_recorded SIGNAL FILE: true if there was somebody to signal.
signal_recorded() {
    local pid
    pid=$(recorded "$2") || return 1
    kill -s "$1" "$pid" 2>/dev/null
}

# await_end FILE SECONDS: true once the recorded process is gone.
await_end() {
    local tries=$(($2 * 20))
    while recorded "$1" >/dev/null; do
        [ $((tries--)) -gt 0 ] || return 1
        sleep 0.05
    done
}

# end_recorded FILE [SECONDS]: TERM, after SECONDS (10) KILL; the record goes too.
end_recorded() {
    if signal_recorded TERM "$1" && ! await_end "$1" "${2:-10}"; then
        kill_recorded "$1"
    fi
    rm -f "$1"
}

# kill_recorded FILE: KILL; the record goes too.
kill_recorded() {
    if signal_recorded KILL "$1" && ! await_end "$1" 10; then
        die "process $(recorded "$1") ($1) does not die: it hangs in the kernel; see 'dmesg', then reboot"
    fi
    rm -f "$1"
}

# only_child PID: the process that an nsenter or unshare made, seen from here.
only_child() {
    local children tries=100
    while [ $((tries--)) -gt 0 ]; do
        children=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || return 1
        children=${children%% *}
        if [ -n "$children" ]; then
            printf '%s\n' "$children"
            return
        fi
        sleep 0.02
    done
    return 1
}
