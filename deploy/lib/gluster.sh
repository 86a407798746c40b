# shellcheck shell=bash
# What the scripts in deploy/glusterfs have in common: the names, and how glusterd is asked. To be sourced after say.sh.

readonly GLUSTER_VOLUME=pinode
# Not the mount point of a disk but a folder in it: a disk that is not mounted is then noticed, and its brick stays down.
readonly GLUSTER_BRICK=/var/lib/pinode-brick
# Copies of every file. Three is the fewest where one node may die while the other two agree on what is right.
# shellcheck disable=SC2034 # for who sources this
readonly GLUSTER_COPIES=3
# By which nodes see that they share a folder; the same as pinode's.
readonly GLUSTER_ID=.pinode-shared

# Nothing is asked: the answers are in the scripts' manuals.
gluster_do() { gluster --mode=script "$@"; }

# Without the socket there is no need to ask, which takes seconds.
gluster_answers() { [ -S /run/glusterd.socket ] && gluster_do pool list >/dev/null 2>&1; }

# gluster_bricks: the volume's bricks, HOST:FOLDER, in the order of their groups; nothing where there is none.
gluster_bricks() { { gluster_do volume info $GLUSTER_VOLUME 2>/dev/null || true; } | sed -n 's/^Brick[0-9]*: \([^ ]*\).*/\1/p'; }

# gluster_volume_says FIELD [REMOTE…]
gluster_volume_says() {
    local field=$1
    shift
    { gluster_do "$@" volume info $GLUSTER_VOLUME 2>/dev/null || true; } | sed -n "s/^$field: //p"
}

# gluster_host PLACE, gluster_brick PLACE: the two parts of HOST[:FOLDER].
gluster_host() { printf '%s\n' "${1%%:*}"; }
gluster_brick() { case $1 in *:*) printf '%s\n' "${1#*:}" ;; *) printf '%s\n' $GLUSTER_BRICK ;; esac; }

# gluster_place PLACE: both parts, the folder filled in; what is neither is refused.
gluster_place() {
    [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*(:/[^:[:space:]]+)?$ ]] || misuse "$1: write HOST or HOST:/FOLDER, for example pi2 or pi2:/mnt/disk/brick"
    case $1 in
        localhost* | 127.*) die "$1: the other nodes must reach it by this name, too: write this node's own name or address" ;;
    esac
    printf '%s:%s\n' "$(gluster_host "$1")" "$(gluster_brick "$1")"
}

# gluster_make_id DIR: whole or not at all, and by one of all nodes: a link is made once. What each writes for it bears
# the id's own name: two nodes may have one host name, and one process number when they boot from copies of a card.
gluster_make_id() {
    if [ -s "$1/$GLUSTER_ID" ]; then return; fi
    local id new
    id=$(tr -d - </proc/sys/kernel/random/uuid)
    new=$1/$GLUSTER_ID.$id
    printf '%s\n' "$id" >"$new"
    ln "$new" "$1/$GLUSTER_ID" 2>/dev/null || true
    rm -f "$new"
    [ -s "$1/$GLUSTER_ID" ] || die "cannot write to $1: is a majority of the bricks up? gluster volume status $GLUSTER_VOLUME"
}

has_systemd() { [ -d /run/systemd/system ]; }
