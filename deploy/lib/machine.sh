# shellcheck shell=bash
# A machine of the testbed: a first process with namespaces of its own for processes, mounts and network. All that runs
# on the machine is below it, so that killing this one process is a power cut: engine, shims, containers and pinode end
# in the same instant, and their mounts with them. To be sourced by testbed.sh, which sets TB_STATE.

machine_dir() { printf '%s/n%s\n' "$TB_STATE" "$1"; }
machine_runs() { recorded "$(machine_dir "$1")/init.pid" >/dev/null; }

# machine_up K: power on. A machine that runs already is left alone.
machine_up() {
    local dir ns parent init offset clocks=() own=()
    # Nothing may be left to a subshell in the background command below: its only child must be the machine.
    dir=$(machine_dir "$1") ns=$(namespace_of "$1")
    mkdir -p "$dir"
    namespace_up "$1"
    if machine_runs "$1"; then return; fi
    machine_clear "$1"
    cat /proc/sys/kernel/random/uuid >"$dir/boot_id"
    if read -r offset 2>/dev/null <"$dir/boot_offset"; then
        clocks=(--time --monotonic "$offset" --boottime "$offset")
    fi
    if shared_is_volume; then
        shared_disk_make "$1"
        own=("$(shared_disk "$1")" "$(shared_dir)")
    fi
    mkdir -p /run/containerd
    setsid nsenter "--net=/run/netns/$ns" \
        unshare --mount --propagation private --pid --fork --mount-proc "${clocks[@]}" \
        bash "$TB_LIB/machine-init" "$dir/boot_id" "${own[@]}" </dev/null >>"$dir/init.log" 2>&1 9>&- &
    parent=$!
    disown
    init=$(only_child "$parent") || init=
    record "$init" "$dir/init.pid" ||
        die "machine $1 did not start: this needs unshare --pid --mount (root, CAP_SYS_ADMIN); its log: $dir/init.log"
    # Its own mounts come first: an engine that starts before them would hide its sockets from itself.
    await "machine $1 is ready" 5 test -e "/proc/$init/root/run/containerd/.machine" ||
        die "machine $1 did not come up; its log: $dir/init.log"
}

# machine_cut K: power off, without a word to anybody on it.
machine_cut() {
    local init
    init=$(machine_dir "$1")/init.pid
    # What was stopped must wake up to bury its child, or the machine never ends.
    signal_recorded KILL "$init" || true
    machine_wake "$1"
    kill_recorded "$init"
    machine_clear "$1"
}

# What an earlier life of the machine left behind.
machine_clear() {
    local dir stray
    dir=$(machine_dir "$1")
    rm -f "$dir"/*.pid "$dir"/*.sock "$dir/docker.pid"
    # A first process whose record was lost (a host that was reset, a folder that was wiped) left its family in the
    # namespace: they are known by being in it.
    for stray in $(ip netns pids "$(namespace_of "$1")" 2>/dev/null); do
        kill -9 "$stray" 2>/dev/null || true
    done
    groups_clear "$1"
}

group_of() { printf 'pinode-%s%s\n' "$TB_PREFIX" "$1"; }

# Control groups outlive their processes; deepest first.
groups_clear() {
    local group
    for group in /sys/fs/cgroup/"$(group_of "$1")" /sys/fs/cgroup/*/"$(group_of "$1")"; do
        [ -d "$group" ] || continue
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}

# machine_exec K COMMAND…: a command on machine K, to its end.
machine_exec() {
    local init
    init=$(recorded "$(machine_dir "$1")/init.pid") || die "machine $1 is off: start it with 'deploy/testbed power $1 --state $TB_STATE'"
    shift
    [ $# -gt 0 ] || misuse "exec needs a command after --"
    nsenter --target "$init" --mount --pid --net --time -- "$@"
}

# machine_signal K PROCESS SIGNAL: to a process that was started on machine K.
machine_signal() {
    local record parent
    [ $# -eq 3 ] || misuse "signal needs a process and a signal, for example: signal 1 pinode STOP"
    record=$(machine_dir "$1")/$2.pid
    # The nsenter that waits for it stops with it, and goes on only when it is told to.
    if [ "$3" = STOP ] && parent=$(recorded "$record") && parent=$(parent_of "$parent"); then
        record "$parent" "${record%.pid}.stopped"
    fi
    if [ "$3" = CONT ]; then machine_wake "$1"; fi
    signal_recorded "$3" "$record" || die "no $2 runs on machine $1"
}

# machine_wake K: whoever stopped because his child was stopped.
machine_wake() {
    local record
    for record in "$(machine_dir "$1")"/*.stopped; do
        [ -e "$record" ] || continue
        signal_recorded CONT "$record" || true
        rm -f "$record"
    done
}

# machine_start K NAME COMMAND…: a process on machine K, recorded in NAME.pid, its words in NAME.log.
machine_start() {
    local dir init name=$2 pid
    dir=$(machine_dir "$1")
    init=$(recorded "$dir/init.pid") || die "machine $1 is off: start it with 'deploy/testbed power $1 --state $TB_STATE'"
    shift 2
    setsid nsenter --target "$init" --mount --pid --net --time -- "$@" </dev/null >>"$dir/$name.log" 2>&1 9>&- &
    pid=$(only_child $!) || pid=
    # Nobody waits for it, and its end is no news for the terminal.
    disown
    record "$pid" "$dir/$name.pid" || {
        tail -n 5 "$dir/$name.log" >&2
        die "$name did not start on machine ${dir##*/n}; its log: $dir/$name.log"
    }
}

# await WHAT SECONDS COMMAND…: until the command succeeds.
await() {
    local tries=$(($2 * 20))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $((tries--)) -gt 0 ] || return 1
        sleep 0.05
    done
}
