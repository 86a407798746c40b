# shellcheck shell=bash
# One bridge, and one network namespace a machine, joined by veth pairs. The bridge has an address, so that the host's
# own command line and browser reach the machines. To be sourced by testbed.sh, which sets TB_PREFIX and TB_SUBNET.

bridge_name() { printf 'br-%s\n' "$TB_PREFIX"; }
namespace_of() { printf '%s%s\n' "$TB_PREFIX" "$1"; }
address_of() { printf '%s.%s\n' "$TB_SUBNET" "$1"; }

bridge_up() {
    local bridge
    bridge=$(bridge_name)
    if ! ip link show "$bridge" >/dev/null 2>&1; then
        refuse_taken_subnet
        ip link add "$bridge" type bridge ||
            die "cannot make the bridge $bridge: this needs root and CAP_NET_ADMIN (in a container: --privileged)"
        ip addr add "$TB_SUBNET.254/24" dev "$bridge"
    fi
    ip link set "$bridge" up
    bridge_rule C || bridge_rule I
}

# Where another Docker Engine has set FORWARD to DROP, and bridges pass through iptables, ours must be let through.
bridge_rule() {
    local bridge
    bridge=$(bridge_name)
    command -v iptables >/dev/null || return 0
    iptables -w 5 "-$1" FORWARD -i "$bridge" -o "$bridge" -j ACCEPT 2>/dev/null
}

refuse_taken_subnet() {
    local taken
    taken=$(ip -o -4 addr show to "$TB_SUBNET.0/24" | awk '{ print $2; exit }')
    [ -z "$taken" ] || die "the network $TB_SUBNET.0/24 is in use by $taken: choose another with --subnet A.B.C"
}

bridge_down() {
    local bridge
    bridge=$(bridge_name)
    while bridge_rule D && command -v iptables >/dev/null; do :; done
    ip link del "$bridge" 2>/dev/null || true
}

# namespace_up K: a namespace with eth0 at address K, plugged into the bridge. Harmless where it is there already.
namespace_up() {
    local ns outer inner
    ns=$(namespace_of "$1") outer=v-$TB_PREFIX-$1 inner=vi-$TB_PREFIX-$1
    if [ ! -e "/run/netns/$ns" ]; then
        ip netns add "$ns" ||
            die "cannot make the network namespace $ns: this needs root and CAP_SYS_ADMIN (in a container: --privileged)"
    fi
    if ! ip -n "$ns" link show eth0 >/dev/null 2>&1; then
        ip link del "$outer" 2>/dev/null || true
        ip link add "$outer" type veth peer name "$inner"
        ip link set "$inner" netns "$ns" name eth0
        ip -n "$ns" addr add "$(address_of "$1")/24" dev eth0
    fi
    ip link set "$outer" master "$(bridge_name)" up
    ip -n "$ns" link set lo up
    ip -n "$ns" link set eth0 up
    ip -n "$ns" route replace default via "$TB_SUBNET.254"
}

namespace_down() {
    ip link del "v-$TB_PREFIX-$1" 2>/dev/null || true
    ip netns del "$(namespace_of "$1")" 2>/dev/null || true
}
