#!/usr/bin/env bash
# Let Schemathesis ask the server whatever its own description says may be asked, and hold every answer to that description. Python
# comes into a folder under the cache once; the server listens on this machine alone.
#
#   REGENT_CACHE    where the Python environment lives    (default: $XDG_CACHE_HOME/regent or ~/.cache/regent)
#   EXAMPLES        how many requests are made up for each operation    (default: 40)
#   DOORS           which doors are asked    (default: axum tiny)
set -euo pipefail
cd "$(dirname "$0")/.."
here="$PWD"

exports="$(scripts/setup.sh)"
eval "$exports"
cache="${REGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/regent}"
venv="$cache/schemathesis-4.32.5"
if ! "$venv/bin/python" -c 'import prometheus_client, schemathesis' 2>/dev/null; then
  printf 'test-openapi: bringing schemathesis 4.32.5 into %s\n' "$venv" >&2
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check schemathesis==4.32.5 prometheus-client==0.26.0
fi
# As `cargo test` builds it, so that LightGBM is not built a second time.
cargo build --locked --bins --examples
regent="$CARGO_TARGET_DIR/debug/regent"
governor="$CARGO_TARGET_DIR/debug/governor"

work="$(mktemp -d)"
server=
stop() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" || true
  fi
  server=
}
trap 'stop; rm -rf "$work"' EXIT

house="$work/house"
mkdir "$house"
run() { "$regent" --workspace "$house" -q "$@"; }
run init --example rain >/dev/null
run contract register rain >/dev/null
head -n 2001 data/noaa_rain.csv >"$work/past.csv"
run ingest "$work/past.csv" --contract rain >/dev/null
run train baseline rain >/dev/null
for _ in 1 2; do "$governor" --workspace "$house" -q >/dev/null; done
scopes=(--scope predict --scope ingest --scope label --scope read)
key="$(run keys create schemathesis "${scopes[@]}")"

for door in ${DOORS:-axum tiny}; do
  "$regent" --workspace "$house" serve rain --door "$door" --listen 127.0.0.1:0 2>"$work/said" &
  server=$!
  url=
  for _ in $(seq 300); do
    url="$(sed -n 's/^listening on //p' "$work/said")"
    [ -n "$url" ] && break
    sleep 0.1
  done
  [ -n "$url" ] || { cat "$work/said" >&2 && exit 1; }
  printf 'test-openapi: %s\n' "$door"
  (cd "$work" && "$venv/bin/schemathesis" --config-file "$here/scripts/test_openapi/schemathesis.toml" run "$url/openapi.json" --url "$url" \
    --header "Authorization: Bearer $key" --max-examples "${EXAMPLES:-40}" --seed 1 --generation-database none \
    --suppress-health-check all --no-color)
  # What is scraped after all that is still what Prometheus reads.
  "$venv/bin/python" scripts/test_openapi/scrape.py "$url/metrics" "$key"
  stop
done
