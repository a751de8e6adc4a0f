#!/usr/bin/env bash
# The gate: it reads, judges and changes nothing (`make fix` is the one that mends). Every part runs, so that one run names all
# that is wrong; the last lines say which parts failed.
#
# One order and one set of features throughout: parts that see the dev-dependencies share one build of LightGBM (`cargo doc`
# sees them only when it is asked for examples; `cargo build` alone would build LightGBM a second time).
set -uo pipefail
cd "$(dirname "$0")/.."

exports="$(scripts/setup.sh)" || exit 1
eval "$exports"

for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 || {
    printf 'check: cargo %s is missing: rustup component add rustfmt clippy\n' "$component" >&2
    exit 1
  }
done

failed=()
part() {
  local name="$1" start=$SECONDS
  shift
  printf '\n── %s ──\n' "$name"
  if "$@"; then
    printf '── %s: passed in %d s\n' "$name" $((SECONDS - start))
  else
    printf '── %s: FAILED after %d s\n' "$name" $((SECONDS - start))
    failed+=("$name")
  fi
}

documentation() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --examples --document-private-items
}

part "format (mend: make fix)" cargo fmt --all --check
part "lints (mend: make fix)" cargo clippy --locked --all-targets -- -D warnings
part "lints of the long suites" cargo clippy --locked --test '*' -- -D warnings
part "tests and tidy" cargo test --locked --no-fail-fast
part "a few faults (all: make test-faults, make test-steady)" cargo test --locked --test power --test steady
part "documentation" documentation
part "dependencies" scripts/deny.sh

if [ ${#failed[@]} -gt 0 ]; then
  printf '\nmake check: FAILED: %s\n' "$(printf '%s; ' "${failed[@]}")" >&2
  exit 1
fi
printf '\nmake check: all parts passed in %d s\n' "$SECONDS"
