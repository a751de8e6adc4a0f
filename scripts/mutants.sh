#!/usr/bin/env bash
# Break the code in every small way that cargo-mutants knows, one at a time, and see which of them no test notices (hours). What
# decides is tried whole, by the tests of the library, and so is the store. `promote` needs the story as well: its mutants come in
# random order, so that whatever was tried when you stop is a fair sample.
#
#   scripts/mutants.sh [govern] [policy] [store] [promote]     (default: govern and policy)
#   REGENT_MUTANTS_SHARD=0/10                                  every tenth only
set -euo pipefail
cd "$(dirname "$0")/.."

version="27.1.0"
cache="${REGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/regent}"
folder="$cache/tools/cargo-mutants-$version"
if [ ! -x "$folder/bin/cargo-mutants" ]; then
  printf 'mutants: building cargo-mutants %s into %s (once)\n' "$version" "$folder" >&2
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  CARGO_TARGET_DIR="$work" CARGO_PROFILE_DEV_DEBUG=0 \
    cargo install cargo-mutants --version "$version" --locked --debug --quiet --root "$folder"
fi
exports="$(scripts/setup.sh)"
eval "$exports"
export PATH="$folder/bin:$PATH" CARGO_TARGET_DIR="$cache/target-mutants" PROPTEST_CASES=48
# Each is compiled once and run once: what a compiler saves by trying harder is lost.
export CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_DEV_DEBUG=0
# One test that fails is enough; the harness takes `--fail-fast` from whoever calls it a nightly's.
host="$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')"
export "CARGO_TARGET_${host}_RUNNER=env RUSTC_BOOTSTRAP=1"

# The chapters of the story that a governor plays in.
chapters=(a_model_is_born a_candidate_rises a_bad_candidate a_human_intervenes a_training_in_flight a_model_from_elsewhere
  only_what_verifies the_power_fails the_world_drifts labels_come_in windows_are_looked_at what_was_decided people_are_told
  somebody_looks commands:: an_auditor_comes::a_)

[ $# -gt 0 ] || set -- govern policy
for part in "$@"; do
  case "$part" in
    govern | policy) tests=(--cargo-arg=--lib) only=(govern policy promote --skip tests::model) seconds=300 ;;
    store) tests=(--cargo-arg=--lib) only=(store registry) seconds=60 ;;
    promote) tests=(--shuffle --cargo-arg=--lib --cargo-arg=--test=story) only=(promote:: "${chapters[@]}") seconds=400 ;;
    *)
      printf 'mutants: %s is none of govern, policy, store and promote\n' "$part" >&2
      exit 2
      ;;
  esac
  printf '\n── %s ──\n' "$part"
  mkdir -p "var/mutants/$part"
  # A mutant that no test notices ends cargo-mutants with 2; the others are still to be tried.
  cargo mutants "${tests[@]}" --file "src/$part/**/*.rs" --file "src/$part/*.rs" --timeout "$seconds" \
    ${REGENT_MUTANTS_SHARD:+--shard "$REGENT_MUTANTS_SHARD"} --output "var/mutants/$part" \
    -- -- -Zunstable-options --fail-fast "${only[@]}" || true
done
