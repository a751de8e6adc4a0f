# To be sourced: a workspace with a champion (scripts/house.sh), and servers of it on this machine that end with the script.
#
#   serve     start a server behind a door, axum or tiny, and set $url; the one before it is stopped

. scripts/house.sh

server=
stop() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" || true
  fi
  server=
}
trap 'stop; rm -rf "$work"' EXIT

for _ in 1 2; do "$governor" --workspace "$house" -q >/dev/null; done

serve() {
  stop
  "$regent" --workspace "$house" serve rain --door "$1" --listen 127.0.0.1:0 2>"$work/said" &
  server=$!
  url=
  for _ in $(seq 300); do
    url="$(sed -n 's/^listening on //p' "$work/said")"
    [ -n "$url" ] && return
    sleep 0.1
  done
  cat "$work/said" >&2
  exit 1
}
