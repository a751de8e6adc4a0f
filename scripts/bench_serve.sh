#!/usr/bin/env bash
# Measure `regent serve` beside its limit and its peers: the same model of 20 features and 200 trees of 31 leaves, loaded by wrk over
# loopback, one server after the other, in turns. Python and the peers come into folders under the cache once; wrk is a package of the
# system (`apt-get install wrk`).
#
#   SECONDS_EACH    how long each measurement takes            (default: 10)
#   ROUNDS          turns of every server                      (default: 3)
#   CONNECTIONS     how many connections                       (default: 1 16 64 256)
#   ONLY            only servers whose name has this text; other than all prints only   (default: all)
#   REGENT_CACHE    where the environments and the workspace live   (default: $XDG_CACHE_HOME/regent or ~/.cache/regent)
set -euo pipefail
cd "$(dirname "$0")/.."

command -v wrk > /dev/null || { printf 'bench-serve: wrk is missing: apt-get install wrk\n' >&2; exit 2; }
exports="$(scripts/setup.sh)"
eval "$exports"
cache="${REGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/regent}"

# bring FOLDER PACKAGE…: a Python environment of its own; one that cannot be had leaves its server out.
bring() {
  local venv="$1"
  shift
  if [ ! -e "$venv/complete" ]; then
    printf 'bench-serve: bringing %s into %s\n' "$*" "$venv" >&2
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check "$@" && touch "$venv/complete"
  fi
}
bring "$cache/bench-serve-3" lightgbm numpy fastapi "uvicorn[standard]" polars
bring "$cache/bench-serve-mlserver-1" mlserver mlserver-lightgbm \
  || printf 'bench-serve: MLServer cannot be had here and is left out\n' >&2
# As `cargo test --release` builds it, so that LightGBM is not built a second time.
cargo build --locked --release --bins --examples
"$cache/bench-serve-3/bin/python" scripts/bench_serve/forest.py "$CARGO_TARGET_DIR/release/examples/score_forest"
"$cache/bench-serve-3/bin/python" scripts/bench_serve/run.py "$CARGO_TARGET_DIR/release" "$cache" \
  "${SECONDS_EACH:-10}" "${ROUNDS:-3}" "${CONNECTIONS:-1 16 64 256}" "${ONLY:-}"
if [ -z "${ONLY:-}" ]; then
  "$cache/bench-serve-3/bin/python" scripts/bench_serve/files.py "$CARGO_TARGET_DIR/release" "$cache"
fi
