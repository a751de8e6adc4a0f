#!/usr/bin/env bash
# Let the governor run fifty years of a weather model: build the release, replay the file, leave the numbers in var/demo.
set -euo pipefail
cd "$(dirname "$0")/.."

exports="$(scripts/setup.sh)"
eval "$exports"
cargo build --locked --release --bins
mkdir -p var/demo
"$CARGO_TARGET_DIR"/release/regent backtest rain data/noaa_rain.csv --baseline-rows 6000 --summary var/demo/summary.json
