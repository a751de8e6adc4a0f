#!/usr/bin/env bash
# Let `model-signing` for Python and Regent judge each other's signatures over a whole bundle, and each other's forgeries. Python
# comes into a folder under the cache once; the judging itself runs without a network where the system lets it.
#
#   REGENT_CACHE    where the Python environment lives    (default: $XDG_CACHE_HOME/regent or ~/.cache/regent)
set -euo pipefail
cd "$(dirname "$0")/.."

exports="$(scripts/setup.sh)"
eval "$exports"
cache="${REGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/regent}"
venv="$cache/signing-1.1.1"
if ! "$venv/bin/python" -c 'import model_signing' 2>/dev/null; then
  printf 'test-signing: bringing model-signing 1.1.1 into %s\n' "$venv" >&2
  python3 -m venv "$venv"
  # 1.1.1 imports OpenSSL and does not ask for it.
  "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check model-signing==1.1.1 pyopenssl
fi
. scripts/house.sh
offline=()
unshare --net --map-root-user true 2>/dev/null && offline=(unshare --net --map-root-user)
python() { "${offline[@]}" "$venv/bin/python" -m model_signing "$@" >"$work/said" 2>&1; }

shown=0
show() {
  local what="$1" wanted="$2" found=0
  shift 2
  "$@" >"$work/said" 2>&1 || found=$?
  case "$wanted:$found" in
    yes:0 | no:[1-9]*) printf 'ok    %s\n' "$what" ;;
    *)
      printf 'FAILED %s (exit %s)\n' "$what" "$found"
      cat "$work/said"
      exit 1
      ;;
  esac
  shown=$((shown + 1))
}

bundle="$house/registry/rain/1.0.0"
signatures="$house/registry/rain/signatures/1.0.0"

run signing keygen --out "$work/ours.pem" >/dev/null
run registry sign rain 1.0.0 --key "$work/ours.pem" >/dev/null
ours="$(echo "$signatures"/*.json)"
show "Python verifies what Regent signed" yes python verify key "$bundle" --public_key "$work/ours.pub.pem" --signature "$ours"

show "Python signs with a key that Regent made" yes \
  python sign key "$bundle" --private_key "$work/ours.pem" --signature "$work/theirs-1.json"
show "Regent files it" yes run registry sign rain 1.0.0 --attach "$work/theirs-1.json"
rm -f "$ours"
show "Regent verifies what Python signed with that key" yes run registry verify rain 1.0.0 --key "$work/ours.pub.pem"

openssl ecparam -name prime256v1 -genkey -out "$work/openssl.pem" 2>/dev/null
openssl ec -in "$work/openssl.pem" -pubout -out "$work/openssl.pub.pem" 2>/dev/null
show "Regent refuses a key that has signed nothing" no run registry verify rain 1.0.0 --key "$work/openssl.pub.pem"
show "Python signs with a key that OpenSSL made" yes \
  python sign key "$bundle" --private_key "$work/openssl.pem" --signature "$work/theirs-2.json"
show "Regent files it" yes run registry sign rain 1.0.0 --attach "$work/theirs-2.json"
show "Regent verifies it" yes run registry verify rain 1.0.0 --key "$work/openssl.pub.pem"
rm -rf "$signatures"
run registry sign rain 1.0.0 --key "$work/openssl.pem" >/dev/null
ours="$(echo "$signatures"/*.json)"
show "Python verifies what Regent signed with OpenSSL's key" yes \
  python verify key "$bundle" --public_key "$work/openssl.pub.pem" --signature "$ours"

"$regent" --workspace "$house" -q registry export rain 1.0.0 --out "$work/rain.tar" >/dev/null
mkdir "$work/unpacked" && tar -xf "$work/rain.tar" -C "$work/unpacked"
show "Python verifies what GNU tar unpacks of an export" yes python verify key "$work/unpacked/rain/1.0.0" \
  --public_key "$work/openssl.pub.pem" --signature "$(echo "$work"/unpacked/rain/signatures/1.0.0/*.json)"

show "Python refuses another key" no python verify key "$bundle" --public_key "$work/ours.pub.pem" --signature "$ours"
chmod u+w "$bundle/metrics.json"
printf ' ' >>"$bundle/metrics.json"
show "Python refuses a changed file" no python verify key "$bundle" --public_key "$work/openssl.pub.pem" --signature "$ours"
show "Regent refuses a changed file" no run registry verify rain 1.0.0 --key "$work/openssl.pub.pem"
python sign key "$bundle" --private_key "$work/openssl.pem" --signature "$work/theirs-3.json"
show "Regent files no signature of changed bytes" no run registry sign rain 1.0.0 --attach "$work/theirs-3.json"

printf 'test-signing: %d of %d hold%s\n' "$shown" "$shown" "${offline:+, Python without a network}"
