# To be sourced: a workspace with a champion, and servers of it on this machine that end with the script.
#
#   $work     a folder that goes when the script ends
#   run       Regent in the workspace
#   serve     start a server behind a door, axum or tiny, and set $url; the one before it is stopped

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
