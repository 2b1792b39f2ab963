#!/usr/bin/env bash
# Checks what building and running beamline needs. Says so in one line where nothing is missing.
#
# On Debian and Ubuntu the missing packages are installed through apt-get; elsewhere they are named
# and the script stops. Exit code 0: nothing is missing (any more); 3: something is.
#
# BEAMLINE_SETUP_ROOT is a folder to look for the system's files in, for the tests of this script.
# Kept to what bash 3.2 knows, which is what macOS ships.
# shellcheck disable=SC2317  # the has_ functions are called by name
set -euo pipefail

root=${BEAMLINE_SETUP_ROOT-}
manifest=${BASH_SOURCE[0]%/*}/../Cargo.toml
system=$(uname -s)

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# The major and minor number in a line, as one number that compares.
version() {
    [[ $1 =~ ([0-9]+)\.([0-9]+) ]] && echo $((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2]))
}

check_rust() {
    local line tool found needed=
    while IFS= read -r line; do
        if [[ $line =~ ^rust-version\ *=\ *\"([0-9.]+)\" ]]; then needed=${BASH_REMATCH[1]}; fi
    done <"$manifest"
    for tool in rustc cargo; do
        found=$("$tool" --version 2>/dev/null) || found="no $tool"
        if (($(version "$found" || echo 0) < $(version "$needed"))); then
            say "Rust $needed or newer is needed, found: $found."
            say "Run the one line that https://rustup.rs gives, or 'rustup update' where rustup is installed;"
            say "then open a new shell and try again."
            exit 3
        fi
    done
}

# Whether any of the given paths exists: a pattern that matches nothing stays as it is.
any_exists() {
    local path
    for path in "$@"; do
        if [[ -e $path ]]; then return 0; fi
    done
    return 1
}

has_compiler() { have make && { have cc || have gcc || have clang; }; }
has_pkg_config() { have pkg-config || have pkgconf; }

has_hdf5() {
    if [[ -n ${HDF5_DIR-} ]]; then
        [[ -e $HDF5_DIR/include/H5public.h ]]
        return
    fi
    if have pkg-config && pkg-config --atleast-version=1.10 hdf5 2>/dev/null; then return; fi
    any_exists "$root"/usr/include/{hdf5/serial/,}H5public.h && return
    [[ $system == Darwin ]] && have brew && [[ -e $(brew --prefix hdf5 2>/dev/null)/include/H5public.h ]]
}

has_loader() {
    [[ $system == Darwin ]] && return
    if have ldconfig && [[ $(ldconfig -p 2>/dev/null) == *libvulkan.so.1* ]]; then return; fi
    any_exists "$root"/{usr/,usr/local/,}lib{,64}{,/*-linux-gnu*}/libvulkan.so.1 \
        "$root"/run/opengl-driver/lib/libvulkan.so.1
}

# The loader reads drivers from the variables where one is set, else from these folders.
has_driver() {
    [[ $system == Darwin ]] && return
    local listed=${VK_DRIVER_FILES:-${VK_ICD_FILENAMES-}} entry
    if [[ -n $listed ]]; then
        local IFS=:
        for entry in $listed; do
            any_exists "$entry" && return
        done
        say "VK_DRIVER_FILES or VK_ICD_FILENAMES names no file that exists: $listed"
        exit 3
    fi
    any_exists "$root"/{usr/share,usr/local/share,etc,usr/local/etc,run/opengl-driver/share}/vulkan/icd.d/*.json \
        "$root${XDG_DATA_HOME:-${HOME-}/.local/share}"/vulkan/icd.d/*.json \
        "$root"/etc/vulkan/nvidia_icd.json "$root"/usr/share/nvidia/nvidia_icd.json
}

# The package of a need, by family of systems. The table that everything below reads.
package() {
    case $1:$2 in
        debian:compiler) echo build-essential ;;
        debian:pkg_config) echo pkg-config ;;
        debian:hdf5) echo libhdf5-dev ;;
        debian:loader) echo libvulkan1 ;;
        *:driver) [[ $1 == arch ]] && echo vulkan-swrast || echo mesa-vulkan-drivers ;;
        fedora:compiler) echo gcc make ;;
        fedora:pkg_config) echo pkgconf-pkg-config ;;
        fedora:hdf5) echo hdf5-devel ;;
        fedora:loader) echo vulkan-loader ;;
        arch:compiler) echo base-devel ;;
        arch:loader) echo vulkan-icd-loader ;;
        macos:compiler) echo make ;;
        *:pkg_config) echo pkgconf ;;
        *:hdf5) echo hdf5 ;;
        *) echo "$2" ;;
    esac
}

family() {
    [[ $system == Darwin ]] && echo macos && return
    local ids=
    if [[ -r $root/etc/os-release ]]; then
        # shellcheck disable=SC1091
        ids=$(set +u && . "$root/etc/os-release" && echo "$ID $ID_LIKE")
    fi
    case " $ids " in
        *" debian "* | *" ubuntu "*) echo debian ;;
        *" fedora "* | *" rhel "*) echo fedora ;;
        *" arch "*) echo arch ;;
        *) echo other ;;
    esac
}

missing_needs() {
    local need
    for need in compiler pkg_config hdf5 loader driver; do
        "has_$need" || printf '%s ' "$need"
    done
}

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        say "this needs root and there is no sudo. As root: $*"
        return 1
    fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2; }

# Lists are fetched first where there are none, and once more where they turn out to be stale.
apt_install() {
    if ! any_exists "$root"/var/lib/apt/lists/*_Packages*; then
        apt update && apt install -y --no-install-recommends "$@"
    else
        apt install -y --no-install-recommends "$@" ||
            { apt update && apt install -y --no-install-recommends "$@"; }
    fi
}

check_rust
missing=$(missing_needs)
if [[ -z $missing ]]; then
    echo "setup: nothing is missing"
    exit 0
fi

family=$(family)
packages=
for need in $missing; do
    packages="$packages $(package "$family" "$need")"
done
packages=${packages# }

case $family in
    debian)
        say "missing: ${missing% }; installing $packages"
        # shellcheck disable=SC2086
        apt_install $packages || { say "apt-get could not install $packages"; exit 3; }
        missing=$(missing_needs)
        [[ -z $missing ]] || { say "still missing after the installation: ${missing% }"; exit 3; }
        echo "setup: installed $packages"
        exit 0
        ;;
    fedora) say "missing; run: sudo dnf install $packages" ;;
    arch) say "missing; run: sudo pacman -S --needed $packages" ;;
    macos)
        say "missing; run: brew install $packages"
        case $missing in *compiler*) say "a C compiler comes with: xcode-select --install" ;; esac
        ;;
    *)
        say "missing: ${missing% }. This system is not known here. Needed are a C compiler with make,"
        say "pkg-config, HDF5 1.10 or later with headers, a Vulkan loader (libvulkan.so.1) and a Vulkan"
        say "driver; Mesa's lavapipe is one that needs no GPU."
        ;;
esac
exit 3
