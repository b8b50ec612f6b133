# Shared by the scripts of tools/setup, ./run and ./test: where things are, and how progress is shown.
# shellcheck shell=bash

setup_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root_dir=$(cd "$setup_dir/../.." && pwd)
REDOUBT_CACHE=${REDOUBT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/redoubt}
export REDOUBT_CACHE
export CCACHE_DIR=${CCACHE_DIR:-$REDOUBT_CACHE/ccache}
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}
# Nothing is left outside the cache: no download caches of the package clients in the home folder.
export PIP_NO_CACHE_DIR=1
export npm_config_cache=$REDOUBT_CACHE/npm

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
detail() { printf '    %s\n' "$*"; }
die() {
  printf '\nfailed: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '        %s\n' "$line" >&2; done
  exit 1
}

# pinned WORDS: the lines of deps.lock that begin with these words (an extended regular expression)
pinned() { grep -E "^($1) " "$setup_dir/deps.lock"; }

# in_cache NAME FILE INPUT: whether fetch has put FILE there, from this INPUT
in_cache() { [ -e "$REDOUBT_CACHE/$2" ] && [ "$(cat "$REDOUBT_CACHE/stamps/$1" 2>/dev/null)" = "$3" ]; }
# The one item that needs a Debian package of its own to be fetched: its name and file, and its lines of deps.lock.
torch_library=(torch-library deps/torch/lib/libtorch_cpu.so) torch_pin='maven ai.djl.pytorch.*'

# Whether the machine's own Node can build the web UI: the releases that Vite, Vitest and ESLint all take. Debian 12 has
# 18, or none.
node_is_new_enough() {
  local major minor
  command -v npm >/dev/null || return 1
  IFS=. read -r major minor _ < <(node --version 2>/dev/null | sed -n 's/^v\([0-9][0-9.]*\).*/\1/p')
  case "${major:-0}" in
    20) [ "${minor:-0}" -ge 19 ] ;;
    22) [ "${minor:-0}" -ge 13 ] ;;
    *) [ "${major:-0}" -ge 24 ] ;;
  esac
}

# Runs a command with its output in a log; shows the log's end when it fails.
# logged LOG WHAT-TO-DO COMMAND...
logged() {
  local log=$1 advice=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    printf '\n--- last lines of %s ---\n' "$log" >&2
    tail -n 25 "$log" >&2
    die "$*" "$advice" "whole log: $log"
  fi
}

# backend_list WORDS: the model backends to install, from "onnx,tf" or "all", as "onnx tf"; onnx is always among them.
backend_list() {
  local word list=onnx
  [ -n "$1" ] || die "--backends needs a list" "for example: --backends onnx,torch or --backends all"
  for word in ${1//,/ }; do
    case "$word" in
      all) list="onnx torch tf" ;;
      onnx) ;;
      torch | tf) [[ " $list " = *" $word "* ]] || list+=" $word" ;;
      *) die "unknown backend '$word'" "known: onnx, torch, tf, all" ;;
    esac
  done
  printf '%s\n' "$list"
}
