# shellcheck shell=bash
# Images without a registry: a folder becomes a tar in a cache, and the tar an image in each engine. To be sourced after
# say.sh.

# The label by which an engine is known to hold this very image.
readonly IMAGE_KEY=pinode.image.key

image_cache() {
    local cache=/var/cache/pinode
    [ "$(id -u)" = 0 ] || cache=${XDG_CACHE_HOME:-$HOME/.cache}/pinode
    mkdir -p "$cache" 2>/dev/null || die "cannot make $cache: set XDG_CACHE_HOME to a folder that you may write to"
    printf '%s\n' "$cache"
}

# image_tar NAME KEY FUNCTION: prints the path of the cached tar; FUNCTION fills a folder where there is none yet.
image_tar() {
    local cache tar root
    cache=$(image_cache)
    tar=$cache/$1-$2.tar
    if [ ! -s "$tar" ]; then
        root=$(mktemp -d "$cache/$1.XXXXXX")
        "$3" "$root" || { rm -rf "$root"; return 1; }
        tar -C "$root" --owner=0 --group=0 -cf "$tar.$$" . || { rm -rf "$root" "$tar.$$"; die "cannot write $tar: is the disk full (df $cache)?"; }
        rm -rf "$root"
        # Older ones are of no use any more.
        find "$cache" -maxdepth 1 -name "$1-*.tar" -delete
        mv "$tar.$$" "$tar"
    fi
    printf '%s\n' "$tar"
}

# image_load HOST TAG KEY TAR [CHANGE…]: into one engine, unless it holds this very image.
image_load() {
    local host=$1 tag=$2 key=$3 tar=$4 changes=() change
    shift 4
    if [ "$(docker -H "$host" image inspect --format "{{ index .Config.Labels \"$IMAGE_KEY\" }}" "$tag" 2>/dev/null)" = "$key" ]; then
        note "$tag is in $host already"
        return
    fi
    for change in "$@" "LABEL $IMAGE_KEY=$key"; do changes+=(--change "$change"); done
    docker -H "$host" import "${changes[@]}" "$tar" "$tag" >/dev/null ||
        die "the engine at $host did not take the image $tag: is it running (docker -H $host info), and is there room (df)?"
    note "$tag is in $host"
}

# image_busybox ROOT: a static busybox, under all its names.
image_busybox() {
    local name
    mkdir -p "$1/bin" "$1/tmp" "$1/etc" "$1/proc" "$1/sys" "$1/dev"
    ln -s bin "$1/sbin"
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$1/etc/passwd"
    cp "$(command -v busybox)" "$1/bin/busybox"
    for name in $("$1/bin/busybox" --list); do
        [ "$name" = busybox ] || ln -s busybox "$1/bin/$name"
    done
}

# image_program ROOT PROGRAM: a program of this machine with the libraries that it names.
image_program() {
    local file
    file=$(command -v "$2")
    mkdir -p "$1/usr/bin"
    cp -L "$file" "$1/usr/bin/$2"
    ldd "$file" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
        [ ! -e "$1$library" ] || continue
        mkdir -p "$1${library%/*}"
        cp -L "$library" "$1$library"
    done
}
