# Building, for ./run and ./test. Source lib.sh first.
# shellcheck shell=bash

jobs=$(nproc)
# The model backends to build, as backend_list prints them.
backends=onnx

# The machine's Node where it is new enough, else the one in the cache.
use_node() { node_is_new_enough || export PATH="$REDOUBT_CACHE/node/bin:$PATH"; }

# Shows a build's "[17/340] ..." lines as one moving line on a terminal, as every tenth part elsewhere.
show_progress() {
  local line done total shown=0 tty=
  [ -t 1 ] && tty=1
  while IFS= read -r line; do
    [[ "$line" =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    done=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
    if [ "$tty" ]; then
      printf '\r    %d of %d steps' "$done" "$total"
      shown=1
    elif [ $((done * 10 / total)) -gt "$shown" ]; then
      printf '    %d of %d steps\n' "$done" "$total"
      shown=$((done * 10 / total))
    fi
  done
  [ "$tty" ] && [ "$shown" = 1 ] && printf '\n'
  return 0
}

# build_preset PRESET [TARGET...]: configures when needed and builds; fails with the compiler's last words.
build_preset() {
  local preset=$1
  shift
  local dir=$root_dir/build/$preset log=$root_dir/build/logs/$preset.log
  mkdir -p "$root_dir/build/logs"
  local list=${backends// /;}
  # A build folder made for another cache, other backends, or what a preset was before, would go on using it.
  if [ ! -e "$dir/build.ninja" ] || [ "$root_dir/CMakePresets.json" -nt "$dir/CMakeCache.txt" ] ||
    ! grep -qxF "REDOUBT_CACHE:PATH=$REDOUBT_CACHE" "$dir/CMakeCache.txt" ||
    ! grep -qxF "REDOUBT_BACKENDS:STRING=$list" "$dir/CMakeCache.txt"; then
    rm -f "$dir/CMakeCache.txt"
    (cd "$root_dir" && logged "$root_dir/build/logs/$preset-configure.log" "see the message above" \
      cmake --preset "$preset" -DREDOUBT_CACHE="$REDOUBT_CACHE" -DREDOUBT_BACKENDS="$list")
  fi
  local targets=()
  [ $# -eq 0 ] || targets=(--target "$@")
  # -k 0 would bury the first error; ninja stops at it.
  if ! cmake --build "$dir" -j "$jobs" "${targets[@]}" 2>&1 | tee "$log" | show_progress; then
    grep -n -m 1 -A 30 -E '^FAILED|error:|Error ' "$log" >&2 || tail -n 30 "$log" >&2
    die "the $preset build" "mend the error above, then run again" "whole log: $log"
  fi
}

# built_backends PRESET: the backends that a build folder was made with, else the default.
built_backends() {
  local list
  list=$(sed -n 's/^REDOUBT_BACKENDS:STRING=//p' "$root_dir/build/$1/CMakeCache.txt" 2>/dev/null)
  list=${list:-onnx}
  printf '%s\n' "${list//;/ }"
}

# node_modules FOLDER: the packages of FOLDER's lock file, installed into the cache; prints their path.
node_modules() {
  local folder=$1 hash target log
  hash=$(sha256sum <"$folder/package-lock.json" | cut -c 1-16)
  target=$REDOUBT_CACHE/node_modules/$(basename "$folder")-$hash
  log=$REDOUBT_CACHE/logs/npm-$(basename "$folder").log
  if [ ! -e "$target/done" ]; then
    detail "fetching the node packages of ${folder#"$root_dir"/}" >&2
    rm -rf "$target"
    mkdir -p "$target"
    cp "$folder/package.json" "$folder/package-lock.json" "$target/"
    [ ! -e "$folder/.npmrc" ] || cp "$folder/.npmrc" "$target/"
    logged "$log" "check that this machine reaches the npm registry, then run again" \
      npm ci --prefix "$target" --no-audit --no-fund --loglevel=error
    rm -rf "$npm_config_cache"
    touch "$target/done"
  fi
  printf '%s\n' "$target/node_modules"
}

# A checksum over every file of the given folders, for "has anything changed".
tree_hash() {
  (cd "$root_dir" && find "$@" -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -print0 2>/dev/null |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
}

# prepare_web FOLDER COPY: a working copy of FOLDER in COPY with node_modules linked (its own, or those of web/ when it
# has no lock file), so that the source tree stays as it was cloned.
prepare_web() {
  local folder=$1 copy=$2 modules
  if [ -e "$folder/package-lock.json" ]; then
    modules=$(node_modules "$folder")
  else
    modules=$(node_modules "$root_dir/web")
  fi
  mkdir -p "$copy"
  rsync -a --delete --exclude /node_modules --exclude /dist "$folder/" "$copy/"
  if [ "$(readlink "$copy/node_modules")" != "$modules" ]; then
    rm -rf "$copy/node_modules"
    ln -s "$modules" "$copy/node_modules"
  fi
}

# web_copy PRESET: the working copy of web/. Its scripts read ../src/server/api/openapi.json, so that is linked too.
web_copy() {
  local ui=$root_dir/build/$1/ui
  mkdir -p "$ui"
  ln -sfn "$root_dir/src" "$ui/src"
  prepare_web "$root_dir/web" "$ui/web"
}

# build_web PRESET: the web UI into build/PRESET/share/redoubt/web.
build_web() {
  local dir=$root_dir/build/$1 target=$root_dir/build/$1/share/redoubt/web input
  input=$(tree_hash web src/server/api/openapi.json)
  if [ -e "$target/index.html" ] && [ "$(cat "$dir/web.stamp" 2>/dev/null)" = "$input" ]; then
    return 0
  fi
  use_node
  web_copy "$1"
  (cd "$dir/ui/web" && logged "$root_dir/build/logs/web-$1.log" "mend the error above, then run again" npm run build)
  mkdir -p "$target"
  rsync -a --delete "$dir/ui/web/dist/" "$target/"
  printf '%s\n' "$input" >"$dir/web.stamp"
}
