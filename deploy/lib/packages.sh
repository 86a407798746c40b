# shellcheck shell=bash
# What the machine lacks, and how it gets it. To be sourced after say.sh.

# As long as another apt may hold its lock (a fresh Pi updates itself for minutes after its first boot), in seconds.
readonly APT_LOCK_SECONDS=600

# wanted_package PROGRAM: which Debian package brings it.
wanted_package() {
    case $1 in
        dockerd | containerd) echo docker.io ;;
        docker) if apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; else echo docker.io; fi ;;
        busybox-static) echo busybox-static ;;
        ip) echo iproute2 ;;
        iptables) echo iptables ;;
        ffmpeg | ffprobe) echo ffmpeg ;;
        cc) echo "gcc libc6-dev" ;;
        curl) echo "curl ca-certificates" ;;
        unshare | nsenter | setsid | flock) echo util-linux ;;
        losetup | mount | umount) echo mount ;;
        script) echo bsdutils ;;
        # With a font: a page without letters is a poor picture.
        chromium) echo "chromium fonts-dejavu-core" ;;
        chromedriver) echo chromium-driver ;;
        mkfs.ext4) echo e2fsprogs ;;
        fsfreeze) echo util-linux ;;
        chattr | lsattr) echo e2fsprogs ;;
        # Its daemon is the brick's, its client mounts.
        glusterd | gluster | glusterfs) echo glusterfs-server ;;
        getfattr | setfattr) echo attr ;;
        *) echo "$1" ;;
    esac
}

# has PROGRAM: is it there? A dynamic busybox is of no use inside an image.
has() {
    case $1 in
        busybox-static) is_static "$(command -v busybox)" ;;
        libfaketime) faketime_library >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# faketime_library: its path; false where it is not installed.
faketime_library() {
    local library
    for library in /usr/lib/*/faketime/libfaketimeMT.so.1; do
        if [ -e "$library" ]; then printf '%s\n' "$library" && return; fi
    done
    return 1
}

is_static() {
    [ -n "$1" ] && ! ldd "$1" >/dev/null 2>&1
}

# need PROGRAM…: says what is missing, installs it, and is sure afterwards.
need() {
    local program missing=() packages=() package
    # Debian keeps some of these where an ordinary user's PATH does not look.
    PATH=$PATH:/usr/sbin:/sbin
    for program in "$@"; do
        has "$program" || missing+=("$program")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "missing: ${missing[*]}. This is no Debian or Raspberry Pi OS: install them with your own package manager, then run this again"
    [ "$(id -u)" = 0 ] ||
        die "missing: ${missing[*]}. Run this as root once (sudo $0), or: sudo apt-get install $(packages_of "${missing[@]}")"
    apt_update
    read -ra packages <<<"$(packages_of "${missing[@]}")"
    step "installing, because ${missing[*]} is missing: ${packages[*]}"
    apt_install "${packages[@]}"
    for package in "${missing[@]}"; do
        has "$package" || die "$package is still missing after installing ${packages[*]}; see 'apt-cache policy ${packages[0]}'"
    done
}

packages_of() {
    local program
    for program in "$@"; do wanted_package "$program"; done | tr ' ' '\n' | sort -u | tr '\n' ' '
}

apt_update() {
    apt-get -o DPkg::Lock::Timeout=$APT_LOCK_SECONDS update -qq >&2 ||
        die "apt-get update failed: check the network and /etc/apt/sources.list, then run this again"
}

# apt_install PACKAGE…: nothing is asked, and what apt has to say is shown only if it fails.
apt_install() {
    local log
    log=$(mktemp)
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=$APT_LOCK_SECONDS \
        install -y -qq --no-install-recommends "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "apt-get install $* failed: read its message above, mend it ('apt-get -f install' often does), then run this again"
    }
    rm -f "$log"
}

# unpacked_registry DIR: Debian's docker-registry below DIR; its program's path. Not installed, because it would be
# started then, on a port that may be somebody's.
unpacked_registry() {
    local program=$1/usr/bin/docker-registry
    if [ ! -x "$program" ]; then
        mkdir -p "$1"
        step "fetching Debian's docker-registry into $1, because images are pulled from a real registry"
        apt_update
        (cd "$1" && apt-get download -qq docker-registry >&2 && dpkg -x docker-registry_*.deb . && rm docker-registry_*.deb) ||
            die "apt-get download docker-registry failed: see 'apt-cache policy docker-registry', then run this again"
    fi
    printf '%s\n' "$program"
}

# need_rust: cargo of the version that the workspace asks for.
need_rust() {
    PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    if ! command -v cargo >/dev/null; then
        need curl
        step "installing Rust, because cargo is missing: https://sh.rustup.rs, minimal profile, into ${CARGO_HOME:-$HOME/.cargo}"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --no-modify-path >&2 ||
            die "could not install Rust from https://sh.rustup.rs: install it by hand (https://rustup.rs), then run this again"
    fi
    need cc
}

# need_lints: what judges Rust's form, from the same toolchain as cargo. rustup's minimal profile leaves it out.
need_lints() {
    local part missing=()
    for part in clippy fmt; do
        cargo "$part" --version >/dev/null 2>&1 || missing+=("${part/#fmt/rustfmt}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v rustup >/dev/null ||
        die "missing: ${missing[*]}, and this cargo ($(command -v cargo)) is not rustup's: install the packages rust-clippy and rustfmt, or take Rust from https://rustup.rs, then run this again"
    step "adding ${missing[*]} to Rust, because cargo has none"
    rustup component add "${missing[@]}" >&2 ||
        die "rustup could not add ${missing[*]}: run 'rustup component add ${missing[*]}' by hand, then run this again"
}
