# Sourced by demo.sh and test.sh: stands in the project's root with what a build needs installed.
# Usage: . deploy/prepare.sh; need PACKAGE...

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# stop MESSAGE: what is needed is not there.
stop() {
  echo "$1" >&2
  exit 69
}

# Installs those of the named Debian packages that are missing.
need() {
  local missing=() package as_root=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "this is not a Debian system; going on as if these packages, or their like, were there: $*" >&2
    return
  fi
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  echo "installing: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || stop "neither root nor sudo: have someone run apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  # A source of packages that cannot be reached need not be one of ours; the next command tells.
  ${as_root[@]+"${as_root[@]}"} apt-get -o Acquire::Retries=3 -qq update ||
    echo "apt-get update failed; trying anyway" >&2
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y --no-install-recommends install "${missing[@]}" </dev/null ||
    stop "apt-get could not install: ${missing[*]}"
}

# True where `swift` is there and new enough.
has_swift() {
  command -v swift >/dev/null || return 1
  [[ $(swift --version 2>/dev/null) =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]] || return 1
  ((BASH_REMATCH[1] > 6 || (BASH_REMATCH[1] == 6 && BASH_REMATCH[2] >= 2)))
}

# swiftly adds itself to the path of new shells only.
if ! has_swift && [ -r ~/.local/share/swiftly/env.sh ]; then . ~/.local/share/swiftly/env.sh; fi
has_swift || stop 'Swift 6.2 or newer is missing. Get it from https://www.swift.org/install/linux/, for instance so:
  curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
  tar zxf swiftly-$(uname -m).tar.gz && ./swiftly init && . ~/.local/share/swiftly/env.sh'

need libnghttp2-dev libssl-dev libdeflate-dev libzstd-dev libsqlite3-dev pkg-config git ca-certificates
