#!/usr/bin/env bash
# Bring what the build of LightGBM needs and print it as `export` lines for `eval`.
#
# LightGBM's sources need CMake >= 3.28 and its bindings need libclang. The system's are taken when they are new enough;
# otherwise their wheels are unpacked into a folder under the user's cache. Nothing needs root, nothing is asked, and two
# runs at once do not disturb each other.
#
#   REGENT_CACHE           where tools and build results live       (default: $XDG_CACHE_HOME/regent or ~/.cache/regent)
#   REGENT_SYSTEM_TOOLS    `none` takes the wheels even where the system's tools would do
#   LIBCLANG_PATH, CMAKE, CARGO_TARGET_DIR, BINDGEN_EXTRA_CLANG_ARGS    are kept where they are set
set -euo pipefail

cache="${REGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/regent}"
tools="$cache/tools"
rust_needed="1.95"
cmake_needed="3.28"
cmake_wheel="cmake==3.31.6"
libclang_wheel="libclang==18.1.1"

fail() {
  printf 'setup: %s\n' "$1" >&2
  printf 'setup: see the README, "What the build needs".\n' >&2
  exit 1
}

# The first number with a dot that a program says of itself is at least the one needed.
at_least() {
  local version
  version="$("$2" --version 2>/dev/null | sed -n '1s/[^0-9]*\([0-9]*\.[0-9]*\).*/\1/p')"
  [ -n "$version" ] && [ "$(printf '%s\n%s\n' "$1" "$version" | sort -V | head -n 1)" = "$1" ]
}

system_cmake() {
  [ "${REGENT_SYSTEM_TOOLS:-}" = none ] && return
  local cmake
  cmake="$(command -v cmake)" && at_least "$cmake_needed" "$cmake" && printf '%s' "$cmake"
}

# The newest folder with the C interface of clang; libclang-cpp.so, which lies beside it, is another library.
system_libclang() {
  [ "${REGENT_SYSTEM_TOOLS:-}" = none ] && return
  local library
  for library in $(compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' | sort -rV) \
    /usr/lib/*-linux-gnu/libclang*.so* /usr/lib64/libclang*.so* /usr/local/lib/libclang*.so*; do
    case "${library##*/}" in
      libclang-cpp*) ;;
      libclang.so* | libclang-[0-9]*.so*) [ -e "$library" ] && printf '%s' "${library%/*}" && return ;;
    esac
  done
}

# A folder with an unpacked wheel, made once: `--target` needs no virtual environment and no root. It is filled under a name of
# its own and renamed, so that whoever sees the folder sees all of it.
wheel() {
  local folder="$tools/$1" part
  if [ ! -d "$folder" ]; then
    command -v python3 >/dev/null || fail "$1 is needed, and python3 is not there to bring it: install python3 (with venv or pip), or $2"
    mkdir -p "$tools"
    part="$(mktemp -d "$tools/.part.XXXXXX")"
    trap 'rm -rf "$part"' EXIT
    printf 'setup: bringing %s into %s\n' "$1" "$tools" >&2
    if python3 -m pip --version >/dev/null 2>&1; then
      set -- "$1" "$2" python3 -m pip
    elif python3 -m venv "$part/venv" >/dev/null 2>&1; then
      set -- "$1" "$2" "$part/venv/bin/python" -m pip
    else
      fail "python3 has neither pip nor venv to bring $1: install python3-pip or python3-venv, or $2"
    fi
    PIP_ROOT_USER_ACTION=ignore "${@:3}" install --quiet --no-input --disable-pip-version-check --only-binary :all: --target "$part/wheel" "$1" >&2 ||
      fail "pip could not install $1: check the network, or $2"
    # Another run may have been first; then its folder is as good.
    mv -T "$part/wheel" "$folder" 2>/dev/null || [ -d "$folder" ] || fail "could not write $folder"
    rm -rf "$part"
    trap - EXIT
  fi
  printf '%s' "$folder"
}

command -v cargo >/dev/null || fail "cargo is missing: install Rust $rust_needed or newer"
at_least "$rust_needed" rustc || fail "Rust $rust_needed or newer is needed; here is $(rustc --version)"
command -v c++ >/dev/null && command -v cc >/dev/null || fail "a C++ compiler is missing: install g++ or clang++"
command -v make >/dev/null || fail "make is missing: LightGBM is built with it"

cmake="${CMAKE:-$(system_cmake || true)}"
if [ -z "$cmake" ]; then
  folder="$(wheel "$cmake_wheel" "install CMake $cmake_needed or newer")"
  cmake="$folder/cmake/data/bin/cmake"
  at_least "$cmake_needed" "$cmake" || fail "$cmake_wheel did not bring a working $cmake: remove $folder, or install CMake $cmake_needed or newer"
fi

libclang="${LIBCLANG_PATH:-$(system_libclang || true)}"
if [ -z "$libclang" ]; then
  folder="$(wheel "$libclang_wheel" "install libclang-dev")"
  libclang="$folder/clang/native"
  [ -e "$libclang/libclang.so" ] || fail "$libclang_wheel did not bring $libclang/libclang.so: remove $folder, or install libclang-dev"
fi

printf 'export CMAKE=%q\n' "$cmake"
printf 'export LIBCLANG_PATH=%q\n' "$libclang"
# The libclang wheel carries no headers of its own; the C compiler's serve as well.
printf 'export BINDGEN_EXTRA_CLANG_ARGS=%q\n' "${BINDGEN_EXTRA_CLANG_ARGS:--I$(cc -print-file-name=include)}"
printf 'export CARGO_TARGET_DIR=%q\n' "${CARGO_TARGET_DIR:-$cache/target}"
