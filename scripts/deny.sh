#!/usr/bin/env bash
# Judge the dependencies by deny.toml: licences, banned crates, sources, and known vulnerabilities where their database can be
# reached. cargo-deny is built once, into the tool folder, without optimisation: two minutes instead of ten, and the check
# itself takes five seconds either way.
set -euo pipefail
cd "$(dirname "$0")/.."

version="0.20.2"
folder="${REGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/regent}/tools/cargo-deny-$version"

if [ ! -x "$folder/bin/cargo-deny" ]; then
  printf 'deny: building cargo-deny %s into %s (once)\n' "$version" "$folder" >&2
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  CARGO_TARGET_DIR="$work" CARGO_PROFILE_DEV_DEBUG=0 \
    cargo install cargo-deny --version "$version" --locked --debug --quiet --root "$folder"
fi
deny="$folder/bin/cargo-deny"

if timeout 120 "$deny" fetch db >/dev/null 2>&1; then
  "$deny" --locked check
else
  printf 'deny: the database of advisories cannot be reached from here; bans, licences and sources are checked without it\n' >&2
  "$deny" --locked check bans licenses sources
fi
