# shellcheck shell=bash
# One pinode a machine. To be sourced by testbed.sh; PINODE names the binary.

# Longest wait for a node's port, in seconds.
readonly NODE_SECONDS=30

node_url() { printf 'http://%s:7373\n' "$(address_of "$1")"; }
node_answers() { curl -sf -m 2 "$(node_url "$1")/healthz" -o /dev/null; }

# peers_list: the first nodes name each other.
peers_list() {
    local k list=
    for k in $(seq "$TB_NODES"); do list+=,$(address_of "$k"):7374; done
    printf '%s\n' "${list#,}"
}

# node_start K: `pinode join` on machine K; one that runs already is left alone.
node_start() {
    local dir
    dir=$(machine_dir "$1")
    [ -x "${PINODE:-}" ] || die "no pinode at '${PINODE:-}': build it (cargo build) or set PINODE to the binary"
    if recorded "$dir/pinode.pid" >/dev/null; then return; fi
    machine_start "$1" pinode env -u DOCKER_HOST -u PINODE_HOST "$PINODE" join --name "n$1" \
        --listen "$(address_of "$1"):7373" --peer-listen "$(address_of "$1"):7374" --peers "$(peers_list)" \
        --data-dir "$dir/pinode" --docker-host "$(engine_host "$1")" --shared-dir "$TB_STATE/shared" \
        --insecure --socket "$dir/pinode.sock"
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
