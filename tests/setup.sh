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

# What GitHub publishes about itself: single files of npm packages, at pinned versions, not committed.
# Of the descriptions only what a validator needs is kept (13 MB become 3, 5 become 2).
fetch() { # fetch PACKAGE VERSION FILE-IN-PACKAGE TARGET [REDUCE]
  local target="tests/fetched/$4" stamp="$1@$2 $3"
  [ -z "${5:-}" ] || stamp="$stamp $(cksum <"$5")"
  [ -s "$target" ] && [ "$(cat "$target.from" 2>/dev/null)" = "$stamp" ] && return
  say "fetching $1@$2, keeping $3 as $target"
  local tmp
  tmp=$(mktemp -d)
  (cd "$tmp" && npm pack --silent "$1@$2" >/dev/null && tar -xzf ./*.tgz "package/$3")
  mkdir -p tests/fetched
  if [ -n "${5:-}" ]; then
    node "$5" "$tmp/package/$3" "$tmp/reduced"
    mv "$tmp/reduced" "$target"
  else
    mv "$tmp/package/$3" "$target"
  fi
  printf '%s' "$stamp" >"$target.from"
  rm -rf "$tmp"
}

reduce=tests/contract/reduce.mjs
fetch @octokit/webhooks-examples 7.6.1 api.github.com/index.json webhooks-examples.json
fetch @octokit/graphql-schema 15.26.1 schema.graphql github.graphql
fetch @octokit/openapi 23.0.2 generated/api.github.com.json rest.json "$reduce"
fetch @octokit/openapi-webhooks 12.1.0 generated/api.github.com.json webhooks.json "$reduce"
say "everything is here"
