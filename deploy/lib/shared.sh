# shellcheck shell=bash
# The shared folder of a testbed: TB_STATE/shared on every machine. TB_SHARED is `folder`, one folder of this host, or
# `glusterfs`, a volume over a glusterd on each machine, made by the scripts that make it on Pis. To be sourced by
# testbed.sh.

shared_dir() { printf '%s/shared\n' "$TB_STATE"; }
shared_is_volume() { [ "$TB_SHARED" = glusterfs ]; }

# shared_script K SCRIPT WORDS…: a script of deploy/glusterfs on machine K. Its daemons must not hold the testbed's lock.
shared_script() {
    local k=$1 script=$2
    shift 2
    machine_exec "$k" "$TB_LIB/../glusterfs/$script" "$@" 9>&- 2>&1 | sed "/ next, /d; s/^/       n$k /" >&2
}

# shared_disk K: what of the shared folder is on machine K's own disk, and outlives a power cut.
shared_disk() { printf '%s/glusterfs\n' "$(machine_dir "$1")"; }

shared_disk_make() {
    local k disk
    disk=$(shared_disk "$1")
    mkdir -p "$disk"/{home,log,under}
    {
        echo "127.0.0.1 localhost"
        for k in $(seq "$TB_NODES"); do echo "$(address_of "$k") n$k"; done
    } >"$disk/hosts"
}

shared_brick() { printf '%s/brick\n' "$(shared_disk "$1")"; }

# shared_up: the volume over all machines, mounted on each. Harmless where it is.
shared_up() {
    local k places=()
    shared_is_volume || return 0
    shared_on_all shared_node
    for k in $(seq "$TB_NODES"); do places+=("n$k:$(shared_brick "$k")"); done
    shared_script 1 volume "${places[@]}"
    shared_on_all shared_mount
}

# shared_on_all FUNCTION: on all machines at once; each has said by itself what failed.
shared_on_all() {
    local k pid running=()
    for k in $(seq "$TB_NODES"); do
        "$1" "$k" &
        running+=($!)
    done
    for pid in "${running[@]}"; do wait "$pid" || die "the shared folder was not made, for the reason above"; done
}

shared_node() { shared_script "$1" node --brick "$(shared_brick "$1")"; }

# shared_power K: as after a boot.
shared_power() {
    shared_is_volume || return 0
    shared_node "$1"
    shared_mount "$1"
}

shared_mount() {
    local k members=()
    for k in $(seq "$TB_NODES"); do members+=("n$k"); done
    shared_script "$1" mount "${members[@]}" --at "$(shared_dir)"
}

# shared_healed K: as machine K sees it, every brick has everything.
shared_healed() {
    local counts
    counts=$(machine_exec "$1" gluster --mode=script volume heal pinode info 2>/dev/null | sed -n 's/^Number of entries: //p')
    [ "$(grep -cx 0 <<<"$counts")" = "$TB_NODES" ]
}

# shared_clear: folders that can hold nothing can also not be removed.
shared_clear() {
    local under
    for under in "$TB_STATE"/n*/glusterfs/under; do
        if [ -d "$under" ]; then chattr -i "$under" 2>/dev/null || true; fi
    done
}
