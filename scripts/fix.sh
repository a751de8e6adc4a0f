#!/usr/bin/env bash
# Mend what a program can mend: format, and clippy's own suggestions. Read the difference before committing it.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/with_tools.sh cargo clippy --fix --all-targets --allow-dirty --allow-staged
cargo fmt --all
