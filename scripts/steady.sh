#!/usr/bin/env bash
# Load servers of a release build and stop, kill, fill, double and swap them, and print what came of it as the table of
# docs/nothing-lost.md. Workspaces lie in memory (/dev/shm); as root it also fills a small file system. REGENT_FAULTS_DIR names
# another folder.
set -euo pipefail
cd "$(dirname "$0")/.."

exports="$(scripts/setup.sh)"
eval "$exports"

table="$(mktemp -d)"
trap 'rm -rf "$table"' EXIT
REGENT_FAULTS=all REGENT_FAULTS_TABLE="$table" cargo test --locked "${PROFILE:---release}" --test steady -- --test-threads 1 "$@"

printf '\n%s, commit %s\n\n' "$(date -u +%F)" "$(git describe --always --dirty 2>/dev/null || printf unknown)"
printf '| under load | where | times | what came of it | seconds |\n|---|---|---:|---|---:|\n'
cat "$table"/*.row
