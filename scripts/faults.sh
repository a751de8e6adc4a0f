#!/usr/bin/env bash
# Bring every fault to the programs, at every point, and print what came of it as the table of docs/reliability.md. It needs
# strace (in Debian the package `strace`) and ptrace; as root it also fills a small file system. Workspaces are copied into
# memory (/dev/shm); REGENT_FAULTS_DIR names another folder.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v strace >/dev/null; then
  printf 'faults: strace is missing: install the package `strace` (Debian: apt-get install strace)\n' >&2
  exit 1
fi
exports="$(scripts/setup.sh)"
eval "$exports"

table="$(mktemp -d)"
trap 'rm -rf "$table"' EXIT
REGENT_FAULTS=all REGENT_FAULTS_TABLE="$table" cargo test --locked --test power "$@"

printf '\n%s, commit %s\n\n' "$(date -u +%F)" "$(git describe --always --dirty 2>/dev/null || printf unknown)"
printf '| fault | where | points | what came of it | seconds |\n|---|---|---:|---|---:|\n'
cat "$table"/*.row
cat "$table"/*.row | awk -F'|' '{ points += $4; seconds += $6 } END { printf "| **all** | | %d | | %.0f |\n", points, seconds }'
