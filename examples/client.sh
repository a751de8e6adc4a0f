#!/usr/bin/env bash
# Regent's API by curl: how it is, predict one row and several, say what came true.
#
#   examples/client.sh [URL]       the model `rain` of `regent init --example rain`; http://127.0.0.1:8080 if nobody says
#
# A key, where the server asks for one, is read from REGENT_KEY.
set -euo pipefail
url="${1:-http://127.0.0.1:8080}"

# What is refused is told by the body, so it is shown, and the script ends.
ask() {
  local path="$1"
  shift
  curl --silent --show-error --fail-with-body --retry 4 --max-time 10 ${REGENT_KEY:+--oauth2-bearer "$REGENT_KEY"} "$@" "$url$path"
  echo
}
send() { ask "$1" --header 'Content-Type: application/json' --data "$2"; }

id="$(cat /proc/sys/kernel/random/uuid)"
rainy='{"temperature": -0.4, "dew_point": 0.9, "sea_level_pressure": -0.8, "visibility": -1.2,
        "average_wind_speed": 0.6, "max_sustained_wind_speed": 0.5, "minimum_temperature": -0.1, "maximum_temperature": -0.5}'

ask /health
send /api/v1/predict "{\"request_id\": \"$id\", \"features\": $rainy}"
send /api/v1/predict/batch "{\"rows\": [{\"features\": $rainy}, {\"features\": {\"temperature\": -0.4}}]}"
send /api/v1/labels "{\"request_id\": \"$id\", \"label\": true}"
