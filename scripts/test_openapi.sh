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
. scripts/served.sh
scopes=(--scope predict --scope ingest --scope label --scope read)
key="$(run keys create schemathesis "${scopes[@]}")"

for door in ${DOORS:-axum tiny}; do
  serve "$door"
  printf 'test-openapi: %s\n' "$door"
  (cd "$work" && "$venv/bin/schemathesis" --config-file "$here/scripts/test_openapi/schemathesis.toml" run "$url/openapi.json" --url "$url" \
    --header "Authorization: Bearer $key" --max-examples "${EXAMPLES:-40}" --seed 1 --generation-database none \
    --suppress-health-check all --no-color)
  # What is scraped after all that is still what Prometheus reads.
  "$venv/bin/python" scripts/test_openapi/scrape.py "$url/metrics" "$key"
done
