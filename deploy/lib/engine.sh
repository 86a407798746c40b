# shellcheck shell=bash
# One Docker Engine a machine, with a containerd apart from it: an engine can be killed and brought back while its
# containers go on (live-restore). To be sourced by testbed.sh.

# Longest wait for an engine, in seconds: a Pi with a slow card needs most of it after a power cut.
readonly ENGINE_SECONDS=60

engine_host() { printf 'unix://%s/docker.sock\n' "$(machine_dir "$1")"; }

engine_answers() {
    curl -sf -m 5 --unix-socket "$(machine_dir "$1")/docker.sock" http://engine/_ping -o /dev/null
}

# engines_up K…: containerd, then dockerd, on all of these machines at once; what runs already is left alone.
engines_up() {
    local k
    for k; do recorded "$(machine_dir "$k")/containerd.pid" >/dev/null || containerd_start "$k"; done
    for k; do containerd_await "$k"; done
    for k; do recorded "$(machine_dir "$k")/dockerd.pid" >/dev/null || dockerd_start "$k"; done
    for k; do engine_await "$k"; done
}

engine_await() {
    local dir
    dir=$(machine_dir "$1")
    await "the engine answers" $ENGINE_SECONDS engine_answers "$1" || {
        tail -n 5 "$dir/dockerd.log" >&2
        die "the Docker Engine of machine $1 did not answer within $ENGINE_SECONDS s; its log: $dir/dockerd.log"
    }
}

containerd_start() {
    local dir
    dir=$(machine_dir "$1")
    rm -f "$dir/containerd.sock" "$dir/containerd.sock.ttrpc"
    printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >"$dir/containerd.toml"
    machine_start "$1" containerd containerd --config "$dir/containerd.toml" --log-level warn \
        --address "$dir/containerd.sock" --root "$dir/containerd" --state "$dir/containerd-state"
}

containerd_await() {
    local dir
    dir=$(machine_dir "$1")
    await "containerd listens" $ENGINE_SECONDS test -S "$dir/containerd.sock" ||
        die "containerd of machine $1 did not come up; its log: $dir/containerd.log"
}

dockerd_start() {
    local dir
    dir=$(machine_dir "$1")
    # A record of an earlier life names a number that anybody may have by now; dockerd would refuse to start.
    rm -f "$dir/docker.pid" "$dir/docker.sock"
    # The host's /etc/docker/daemon.json is not ours, hence a file of our own.
    printf '{ "live-restore": true }\n' >"$dir/daemon.json"
    machine_start "$1" dockerd dockerd --config-file "$dir/daemon.json" --host "$(engine_host "$1")" \
        --containerd "$dir/containerd.sock" --data-root "$dir/root" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" \
        --iptables=false --bridge=none --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$(group_of "$1")" \
        --log-level warn
}

# engine_kill K: kill -9 of dockerd and containerd; the containers go on below their shims.
engine_kill() {
    local dir
    dir=$(machine_dir "$1")
    kill_recorded "$dir/dockerd.pid"
    kill_recorded "$dir/containerd.pid"
}

# engine_stop K: TERM of dockerd; containerd and the containers go on.
engine_stop() { end_recorded "$(machine_dir "$1")/dockerd.pid" 30; }
