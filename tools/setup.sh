#!/usr/bin/env bash
# What the build needs from the system: a C compiler (SQLCipher, zstd), the OpenSSL library with its headers, pkg-config,
# and for tests the openssl command and python3. Installs what is missing when run as root on Debian, else names it.
set -euo pipefail

missing=()
need() { # package, then a command that succeeds when it is there
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
need gcc sh -c 'command -v cc'
need make sh -c 'command -v make'
need pkg-config sh -c 'command -v pkg-config'
need libssl-dev sh -c 'pkg-config --atleast-version=3.0 openssl'
need openssl sh -c 'command -v openssl'
need python3 sh -c 'command -v python3'

if ((${#missing[@]})); then
    if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
        echo "installing: ${missing[*]}"
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
    else
        echo "These packages are missing: ${missing[*]}" >&2
        echo "Install them, for example: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi
command -v cargo >/dev/null || { echo "Rust is missing: install it with rustup, version 1.95 or later." >&2; exit 1; }
