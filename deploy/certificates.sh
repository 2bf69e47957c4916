#!/bin/bash
# Makes an authority, the aggregator's certificate and one certificate a region, to try Longspan with mutual TLS.
# Usage: deploy/certificates.sh DIRECTORY AGGREGATOR-HOST REGION...
# Files that are there already are kept, so that a region can be added later.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 64
fi
directory=$1 host=$2
shift 2
mkdir -p "$directory"
cd "$directory"
umask 077

# key NAME: a private key, unless there is one.
key() { [ -s "$1.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }

# leaf NAME SUBJECT-ALTERNATIVE-NAME USAGE: a certificate of the authority, good for 90 days.
leaf() {
  key "$1"
  [ -s "$1.crt" ] && return
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  printf '%s\n' "subjectAltName=$2" "extendedKeyUsage=$3" basicConstraints=critical,CA:false \
    keyUsage=critical,digitalSignature >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 90 -extfile "$1.ext" -out "$1.crt" \
    2>/dev/null
  rm "$1.csr" "$1.ext"
  echo "$directory/$1.crt: $2"
}

key ca
if [ ! -s ca.crt ]; then
  openssl req -x509 -new -key ca.key -subj '/CN=Longspan trial authority' -days 365 \
    -addext basicConstraints=critical,CA:true,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt
  echo "$directory/ca.crt: the authority; keep ca.key away from the relays"
fi

if [[ $host =~ ^[0-9.]+$ || $host == *:* ]]; then name=IP:$host; else name=DNS:$host; fi
leaf aggregator "$name" serverAuth
for region in "$@"; do leaf "relay-$region" "URI:spiffe://longspan.test/region/$region" clientAuth; done
