#!/usr/bin/env bash
# Run a command with the tools that scripts/setup.sh found or brought:  scripts/with_tools.sh cargo build
set -euo pipefail

exports="$("$(dirname "$0")/setup.sh")"
eval "$exports"
exec "$@"
