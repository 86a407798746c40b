# shellcheck shell=bash
# One node on the local Docker Engine, for who may not make machines. To be sourced after testbed.sh; the caller sets
# `state`, `here` and PINODE.
# shellcheck disable=SC2154

readonly SINGLE_PORT=7373

single_host() { printf 'http://127.0.0.1:%s\n' "$SINGLE_PORT"; }

single_up() {
    docker info >/dev/null 2>&1 ||
        die "no Docker Engine answers to $(id -un): install and start one (sudo apt-get install docker.io), and be in its group (sudo usermod -aG docker $(id -un), then log in again)"
    "$here/images/build"
    mkdir -p "$state/shared"
    step "starting one node on the local Docker Engine"
    "$PINODE" join --name demo --listen "127.0.0.1:$SINGLE_PORT" --data-dir "$state/n1" --shared-dir "$state/shared" \
        --socket "$state/pinode.sock" </dev/null >>"$state/pinode.log" 2>&1 &
    record $! "$state/pinode.pid"
    await "the node answers" 30 curl -sf -m 2 "$(single_host)/healthz" -o /dev/null || {
        tail -n 8 "$state/pinode.log" >&2
        die "the node does not answer; its log: $state/pinode.log"
    }
}

single_down() {
    [ -d "$state" ] || return 0
    end_recorded "$state/pinode.pid" 15
    # Containers wrote there as root; only a container may remove it.
    docker run --rm --network none --entrypoint /bin/rm -v "$state/shared:/shared" pinode/film:local -rf /shared/films >/dev/null 2>&1 || true
    rm -rf "$state"
}
