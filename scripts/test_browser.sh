#!/usr/bin/env bash
# Let Chromium show the viewer at /docs: every operation that the server describes is there, nothing is warned of, and nothing is asked of
# any other machine. The server listens on this machine alone.
set -euo pipefail
cd "$(dirname "$0")/.."

browser="$(command -v chromium || command -v chromium-browser || command -v google-chrome)" \
  || { printf 'test-browser: Chromium is missing: apt-get install chromium\n' >&2; exit 2; }
exports="$(scripts/setup.sh)"
eval "$exports"
. scripts/served.sh

arguments=(--headless --disable-gpu --user-data-dir="$work/profile" --enable-logging=stderr --virtual-time-budget=20000)
# A browser of root has no sandbox to begin with.
[ "$(id -u)" != 0 ] || arguments+=(--no-sandbox)
described='import json, sys; print(sum(len(path.keys() & {"get", "post"}) for path in json.load(sys.stdin)["paths"].values()))'

for door in axum tiny; do
  serve "$door"
  "$browser" "${arguments[@]}" --dump-dom "$url/docs" >"$work/page" 2>"$work/browser"
  wanted="$(run openapi | python3 -c "$described")"
  shown="$(grep -o 'class="opblock opblock-[a-z]*"' "$work/page" | wc -l)"
  if [ "$shown" != "$wanted" ] || grep -qi 'class="errors\?-wrapper\|warning' "$work/page" || grep -q 'CONSOLE' "$work/browser"; then
    printf 'test-browser: FAILED on %s: %s of %s operations are shown\n' "$door" "$shown" "$wanted" >&2
    grep 'CONSOLE' "$work/browser" >&2 || true
    grep -oi '.\{0,80\}warning.\{0,200\}' "$work/page" | head -n 3 >&2 || true
    exit 1
  fi
  printf 'test-browser: %s shows %s operations, and warns of nothing\n' "$door" "$shown"
done
