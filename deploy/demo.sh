#!/bin/bash
# Installs what is missing, builds Longspan and runs the demo: three regions, an aggregator and traffic, with real TLS.
# Arguments are handed to `longspan demo`, for instance: deploy/demo.sh --duration 60
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
swift build -c release --product longspan
exec "$(swift build -c release --show-bin-path)/longspan" demo "$@"
