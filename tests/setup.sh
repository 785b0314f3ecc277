#!/usr/bin/env bash
# Installs what `make test` needs and this machine lacks. Safe to run twice, as root or with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

need_package() { # need_package COMMAND DEBIAN-PACKAGE
  command -v "$1" >/dev/null 2>&1 && return
  say "installing $2 (for $1)"
  as_root apt-get update -qq
  as_root apt-get install -y -qq "$2" >/dev/null
}

need_package cc build-essential
need_package npm npm

if ! cargo nextest --version >/dev/null 2>&1; then
  say "installing cargo-nextest"
  cargo install --locked --quiet cargo-nextest
fi

# GitHub's own example payloads: one file of an npm package, at a pinned version, not committed.
fetch() { # fetch PACKAGE VERSION FILE-IN-PACKAGE TARGET
  local target="tests/fetched/$4"
  [ -s "$target" ] && return
  say "fetching $1@$2"
  local tmp
  tmp=$(mktemp -d)
  (cd "$tmp" && npm pack --silent "$1@$2" >/dev/null && tar -xzf ./*.tgz "package/$3")
  mkdir -p tests/fetched
  mv "$tmp/package/$3" "$target"
  rm -rf "$tmp"
}

fetch @octokit/webhooks-examples 7.6.1 api.github.com/index.json webhooks-examples.json
say "everything is here"
