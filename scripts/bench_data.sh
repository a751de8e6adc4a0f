#!/usr/bin/env bash
# Measure `regent check` and `regent ingest --dry-run` beside their peers on generated files of 1,000,000 rows × 25 columns, as whole
# processes in turns. Python and the peers come into a folder under the cache once; the files are made there too.
#
#   ROUNDS          turns of every program                          (default: 3)
#   ROWS            rows of a file; other than 1000000 prints only  (default: 1000000)
#   ONLY            only programs whose line has this text          (default: all)
#   REGENT_CACHE    where the environment and the files live        (default: $XDG_CACHE_HOME/regent or ~/.cache/regent)
set -euo pipefail
cd "$(dirname "$0")/.."

exports="$(scripts/setup.sh)"
eval "$exports"
cache="${REGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/regent}"
venv="$cache/bench-data-1"
if [ ! -e "$venv/complete" ]; then
  printf 'bench-data: bringing pandas, SciPy, polars, pandera and Evidently into %s\n' "$venv" >&2
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check \
    numpy 'pandas<3' scipy polars pyarrow pandera
  # Evidently asks for much, and not for the pandas it works with; without it its line says that it failed, and the others stand.
  "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check evidently 'pandas<3' || true
  touch "$venv/complete"
fi
# As `cargo test --release` builds it, so that LightGBM is not built a second time.
cargo build --locked --release --bins --examples
limit="$(mktemp -d)"
trap 'rm -rf "$limit"' EXIT
rustc -O --edition 2024 -o "$limit/limit" scripts/bench_data/limit.rs
"$venv/bin/python" scripts/bench_data/run.py "$CARGO_TARGET_DIR/release/regent" "$limit/limit" "$cache" \
  "${ROUNDS:-3}" "${ROWS:-1000000}" "${ONLY:-}"
