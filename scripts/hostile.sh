#!/usr/bin/env bash
# Bring everything that strangers send to both doors of a release build, and print what came of it as the table of
# docs/security.md. Connections are made on this machine alone; a thousand and some are open at once, so `ulimit -n` must allow
# 8192 files.
set -euo pipefail
cd "$(dirname "$0")/.."

exports="$(scripts/setup.sh)"
eval "$exports"
ulimit -n 8192 2>/dev/null || {
  printf 'hostile: this shell may open %s files, and 8192 are needed: raise `ulimit -Hn`\n' "$(ulimit -Hn)" >&2
  exit 1
}

table="$(mktemp -d)"
trap 'rm -rf "$table"' EXIT
REGENT_HOSTILE=all REGENT_HOSTILE_TABLE="$table" cargo test --locked "${PROFILE:---release}" --test hostile -- --test-threads 1 "$@"

printf '\n%s, commit %s\n\n' "$(date -u +%F)" "$(git describe --always --dirty 2>/dev/null || printf unknown)"
printf '| attack | door | cases | what came of it |\n|---|---|---:|---|\n'
cat "$table"/*.row
