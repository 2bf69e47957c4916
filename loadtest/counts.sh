#!/bin/bash
# Counts instructions and allocations a span with valgrind's callgrind; fails where they are more than counts.json
# allows. Builds what is missing and installs valgrind; arguments go to counts.py (--help).
# LONGSPAN and LOADTEST name other binaries than those of the release build here.
set -euo pipefail
. "$(dirname "$0")/../deploy/prepare.sh"
need valgrind binutils python3
. loadtest/binaries.sh

exec python3 loadtest/counts.py --longspan "$LONGSPAN" --loadtest "$LOADTEST" "$@"
