# Sourced by compare.sh and counts.sh: sets LONGSPAN and LOADTEST, which may name other binaries than those of the
# release build here, and builds what is missing.

build() {
  [ -x "$2" ] || swift build -c release --product "$1"
}
LONGSPAN=${LONGSPAN:-.build/release/longspan}
LOADTEST=${LOADTEST:-.build/release/longspan-loadtest}
build longspan "$LONGSPAN"
build longspan-loadtest "$LOADTEST"
