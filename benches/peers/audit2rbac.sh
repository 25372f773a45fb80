#!/usr/bin/env bash
# Builds audit2rbac from its Go module: audit2rbac.sh FILE
#
# Its go.mod replaces modules, so `go install` refuses it; it is built in a copy of its
# own source, with its own go.mod and go.sum. Go checks what it loads against the
# checksum database.
set -euo pipefail

# The newest commit, of 2023-02-08.
readonly MODULE=github.com/liggitt/audit2rbac VERSION=9b0b898

file=$(realpath "$1")
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
if ! download=$(go mod download -json "$MODULE@$VERSION"); then
  jq -r .Error <<<"$download" >&2
  exit 1
fi
source=$(jq -er .Dir <<<"$download")
cp -R "$source" source
chmod -R u+w source
cd source
go build -buildvcs=false -o "$file" ./cmd/audit2rbac
