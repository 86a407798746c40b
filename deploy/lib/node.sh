# shellcheck shell=bash
# One pinode a machine. To be sourced by testbed.sh; PINODE names the binary.

# Longest wait for a node's port, in seconds.
readonly NODE_SECONDS=30

node_url() { printf 'http://%s:7373\n' "$(address_of "$1")"; }
node_answers() { curl -sf -m 2 "$(node_url "$1")/healthz" -o /dev/null; }

# peers_list: the first nodes name each other, and later ones name them.
peers_list() {
    local k list=
    for k in $(seq "${PINODE_FOUNDERS:-$TB_NODES}"); do list+=,$(address_of "$k"):7374; done
    printf '%s\n' "${list#,}"
}

# node_start K: `pinode join` on machine K; one that runs already is left alone.
node_start() {
    local dir clock=()
    dir=$(machine_dir "$1")
    if [ -n "${PINODE_FAKETIME:-}" ]; then mapfile -t clock < <(faketime_env "$dir/wall_offset"); fi
    [ -x "${PINODE:-}" ] || die "no pinode at '${PINODE:-}': build it (cargo build) or set PINODE to the binary"
    if recorded "$dir/pinode.pid" >/dev/null; then return; fi
    machine_start "$1" pinode env -u DOCKER_HOST -u PINODE_HOST "${clock[@]}" "$PINODE" join --name "n$1" \
        --listen "$(address_of "$1"):7373" --peer-listen "$(address_of "$1"):7374" --peers "$(peers_list)" \
        --data-dir "$dir/pinode" --docker-host "$(engine_host "$1")" --shared-dir "$(shared_dir)" \
        --insecure --socket "$dir/pinode.sock"
}

# faketime_env FILE: what makes a process read its wall clock through FILE, again and again; no other clock is touched.
faketime_env() {
    local library
    library=$(faketime_library)
    [ -e "$1" ] || printf '+0\n' >"$1"
    printf '%s\n' "LD_PRELOAD=$library" "FAKETIME_TIMESTAMP_FILE=$1" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
}

# True once there is nothing more to wait for.
node_answers_or_ended() { node_answers "$1" || ! recorded "$(machine_dir "$1")/pinode.pid"; }

# node_await K: until its port answers; tells the reason where it ended instead.
node_await() {
    local dir
    dir=$(machine_dir "$1")
    if ! { await "the node answers" $NODE_SECONDS node_answers_or_ended "$1" && node_answers "$1"; }; then
        tail -n 8 "$dir/pinode.log" >&2
        die "node n$1 does not answer at $(node_url "$1"); its log: $dir/pinode.log"
    fi
}

node_stop() { end_recorded "$(machine_dir "$1")/pinode.pid" 15; }
node_kill() { kill_recorded "$(machine_dir "$1")/pinode.pid"; }
