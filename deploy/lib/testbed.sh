# shellcheck shell=bash
# Several machines on one: all state in one folder, TB_STATE, and nothing of it outside but names that begin with
# TB_PREFIX. To be sourced; the caller then calls testbed_open.

TB_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/lib/say.sh
. "$TB_LIB/say.sh"
# shellcheck source=deploy/lib/process.sh
. "$TB_LIB/process.sh"
# shellcheck source=deploy/lib/packages.sh
. "$TB_LIB/packages.sh"
# shellcheck source=deploy/lib/network.sh
. "$TB_LIB/network.sh"
# shellcheck source=deploy/lib/machine.sh
. "$TB_LIB/machine.sh"
# shellcheck source=deploy/lib/shared.sh
. "$TB_LIB/shared.sh"
# shellcheck source=deploy/lib/engine.sh
. "$TB_LIB/engine.sh"
# shellcheck source=deploy/lib/node.sh
. "$TB_LIB/node.sh"

# Who holds a prefix on this host: a link to the folder.
readonly TB_HOLDERS=/run/pinode-testbed
# A socket's path may have 107 bytes; the longest below the folder needs about 40.
readonly TB_STATE_BYTES=64
readonly TB_PROGRAMS=(dockerd containerd docker ip iptables curl unshare nsenter setsid flock)

# testbed_open STATE [PREFIX SUBNET NODES SHARED]: names the testbed; what is not given is read from its folder.
testbed_open() {
    TB_STATE=$(realpath -m "$1")
    if [ $# -eq 5 ]; then
        TB_PREFIX=$2 TB_SUBNET=$3 TB_NODES=$4 TB_SHARED=$5
        [[ $TB_PREFIX =~ ^[a-z][a-z0-9]{0,5}$ ]] || die "--prefix $TB_PREFIX: one to six small letters and digits"
        [[ $TB_SUBNET =~ ^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$ ]] || die "--subnet $TB_SUBNET: three numbers, for example 10.77.1"
        [[ $TB_NODES =~ ^[1-9][0-9]?$ ]] || die "--nodes $TB_NODES: a number from 1 to 99"
        [[ $TB_SHARED =~ ^(folder|glusterfs)$ ]] || die "--shared $TB_SHARED: folder or glusterfs"
        [ ${#TB_STATE} -le $TB_STATE_BYTES ] || die "--state $TB_STATE: too long for sockets below it; at most $TB_STATE_BYTES bytes"
    elif [ -e "$TB_STATE/testbed.conf" ]; then
        read -r TB_PREFIX TB_SUBNET TB_NODES TB_SHARED <"$TB_STATE/testbed.conf"
        TB_SHARED=${TB_SHARED:-folder}
    else
        die "no testbed in $TB_STATE: make one with 'deploy/testbed up --state $TB_STATE'"
    fi
}

# testbed_up: machines and engines; what is up already is left alone, what an earlier run left broken is mended.
testbed_up() {
    [ "$(id -u)" = 0 ] || die "network namespaces and Docker Engines need root: sudo $0"
    need "${TB_PROGRAMS[@]}"
    [ -z "${PINODE_FAKETIME:-}" ] || need libfaketime
    ! shared_is_volume || need glusterd gluster glusterfs getfattr chattr
    testbed_claim
    mkdir -p "$(shared_dir)"
    printf '%s %s %s %s\n' "$TB_PREFIX" "$TB_SUBNET" "$TB_NODES" "$TB_SHARED" >"$TB_STATE/testbed.conf"
    bridge_up
    local k all
    for k in $(seq "$TB_NODES"); do machine_up "$k"; done
    shared_up
    mapfile -t all < <(seq "$TB_NODES")
    engines_up "${all[@]}"
}

# testbed_power K: machine, shared folder and engine come back; its pinode does not.
testbed_power() {
    machine_up "$1"
    shared_power "$1"
    engines_up "$1"
}

# Two testbeds with one prefix would unplug each other.
testbed_claim() {
    local holder
    mkdir -p "$TB_HOLDERS"
    exec 9>"$TB_HOLDERS/$TB_PREFIX.lock"
    flock -w 120 9 || die "another run is making or removing the testbed '$TB_PREFIX' since 2 minutes: wait, or use another --prefix"
    holder=$(readlink "$TB_HOLDERS/$TB_PREFIX" || true)
    if [ -n "$holder" ] && [ "$holder" != "$TB_STATE" ] && testbed_lives "$holder"; then
        die "the prefix '$TB_PREFIX' belongs to the running testbed in $holder: choose another with --prefix, or 'deploy/testbed down --state $holder'"
    fi
    ln -sfn "$TB_STATE" "$TB_HOLDERS/$TB_PREFIX"
}

testbed_lives() {
    local init
    for init in "$1"/n*/init.pid; do
        if recorded "$init" >/dev/null; then return; fi
    done
    return 1
}

# testbed_nodes_up: a pinode on each machine, and until each answers.
testbed_nodes_up() {
    local k
    for k in $(seq "$TB_NODES"); do node_start "$k"; done
    for k in $(seq "$TB_NODES"); do node_await "$k"; done
}

# testbed_down: nothing is left, on disk or in the kernel.
testbed_down() {
    local k
    testbed_claim
    for k in $(seq "$TB_NODES"); do
        machine_cut "$k"
        namespace_down "$k"
    done
    shared_clear
    bridge_down
    rm -f "$TB_HOLDERS/$TB_PREFIX"
    rm -rf "$TB_STATE"
}

# testbed_hosts: all nodes, as PINODE_HOST wants them.
testbed_hosts() {
    local k list=
    for k in $(seq "$TB_NODES"); do list+=,$(node_url "$k"); done
    printf '%s\n' "${list#,}"
}
