#!/bin/bash
# Installs what is missing, checks the format and runs every test. Arguments are handed to `swift test`.
set -euo pipefail
. "$(dirname "$0")/prepare.sh"
need python3 python3-venv curl openssl prometheus nghttp2-client

# The system tests speak to the built binary with other people's software from PyPI. Exporters of Jaeger's formats were
# given up years ago: they need old packages around them, and so a place of their own.
python_with() {
  if ! cmp -s "Tests/SystemTests/Peers/$2" "$1/requirements.txt"; then
    rm -rf "$1"
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "Tests/SystemTests/Peers/$2"
    cp "Tests/SystemTests/Peers/$2" "$1/requirements.txt"
  fi
}
python_with .build-python requirements.txt
python_with .build-python-formats requirements-formats.txt

swift format lint --strict --recursive Package.swift Sources Tests loadtest
# The products by name: a plain `--build-tests` would also build the generators that swift-protobuf comes with.
swift build --product longspan
swift build --product longspan-loadtest
swift build --product longspanPackageTests
LONGSPAN_TEST_PYTHON="$PWD/.build-python/bin/python" \
  LONGSPAN_TEST_FORMATS_PYTHON="$PWD/.build-python-formats/bin/python" swift test --skip-build "$@"
