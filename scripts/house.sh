# To be sourced: a workspace with a version of the rain example that nobody has promoted yet.
#
#   $work                 a folder for whatever else, which goes when the script ends
#   $house                the workspace in it
#   $regent, $governor    the programs
#   run                   Regent in the workspace

# As `cargo test` builds it, so that LightGBM is not built a second time.
cargo build --locked --bins --examples
regent="$CARGO_TARGET_DIR/debug/regent"
governor="$CARGO_TARGET_DIR/debug/governor"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
house="$work/house"
mkdir "$house"
run() { "$regent" --workspace "$house" -q "$@"; }
run init --example rain >/dev/null
run contract register rain >/dev/null
head -n 2001 data/noaa_rain.csv >"$work/past.csv"
run ingest "$work/past.csv" --contract rain >/dev/null
run train baseline rain >/dev/null
