#!/usr/bin/env bash
# Licences, bans and sources of all dependencies, and known vulnerabilities where the database can be fetched.
set -euo pipefail

if ! cargo deny --version >/dev/null 2>&1; then
    echo "installing cargo-deny"
    cargo install cargo-deny --locked --target-dir "${CARGO_TARGET_DIR:-target}/cargo-deny"
fi
cargo deny check --hide-inclusion-graph licenses bans sources
# The advisory database is a git repository that closed networks cannot reach: then say so, and go on.
if timeout 60 cargo deny fetch db >/dev/null 2>&1; then
    cargo deny check --hide-inclusion-graph --disable-fetch advisories
else
    echo "advisories: NOT CHECKED, the advisory database cannot be reached from here"
fi
