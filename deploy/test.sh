#!/bin/bash
# Installs what is missing, checks the format and runs every test. Arguments are handed to `swift test`.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
need python3 python3-venv curl openssl prometheus nghttp2-client

# The system tests speak to the built binary with other people's software from PyPI.
python=.build-python/bin/python
if ! cmp -s Tests/SystemTests/Peers/requirements.txt .build-python/requirements.txt; then
  rm -rf .build-python
  python3 -m venv .build-python
  "$python" -m pip install --quiet --disable-pip-version-check -r Tests/SystemTests/Peers/requirements.txt
  cp Tests/SystemTests/Peers/requirements.txt .build-python/requirements.txt
fi

swift format lint --strict --recursive Package.swift Sources Tests loadtest
# The products by name: a plain `--build-tests` would also build the generators that swift-protobuf comes with.
swift build --product longspan
swift build --product longspan-loadtest
swift build --product longspanPackageTests
LONGSPAN_TEST_PYTHON="$PWD/$python" swift test --skip-build "$@"
