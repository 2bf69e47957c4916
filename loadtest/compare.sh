#!/bin/bash
# Measures Longspan beside nginx, rotel and, where OTELCOL names a binary, the OpenTelemetry Collector.
# Builds what is missing, installs nginx, h2load, openssl and rotel; arguments go to compare.py (--help).
# LONGSPAN and LOADTEST name other binaries than those of the release build here.
set -euo pipefail
. "$(dirname "$0")/../deploy/prepare.sh"
need nginx-light nghttp2-client openssl python3 python3-venv
. loadtest/binaries.sh

# A peer, if PyPI has it for this machine; the table says when it is not there.
if [ ! -x .build-compare/bin/python ]; then python3 -m venv .build-compare; fi
.build-compare/bin/python -m pip install --quiet --disable-pip-version-check --pre rotel ||
  echo "rotel cannot be installed here; going on without it" >&2

exec .build-compare/bin/python loadtest/compare.py --longspan "$LONGSPAN" --loadtest "$LOADTEST" \
  ${OTELCOL:+--otelcol "$OTELCOL"} "$@"
