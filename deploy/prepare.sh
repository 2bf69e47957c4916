# Sourced by demo.sh and test.sh: stands in the project's root with what a build needs installed.
# Usage: . deploy/prepare.sh; need PACKAGE...

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Installs those of the named Debian packages that are missing.
need() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get -o Acquire::Retries=3 -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}"
}

if ! command -v swift >/dev/null; then
  cat >&2 <<'TEXT'
Swift 6.2 or newer is missing. Get it from https://www.swift.org/install/linux/ , for instance with swiftly:
  curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
  tar zxf swiftly-$(uname -m).tar.gz && ./swiftly init && . ~/.local/share/swiftly/env.sh
TEXT
  exit 69
fi

need libnghttp2-dev libssl-dev libdeflate-dev libzstd-dev pkg-config git ca-certificates
