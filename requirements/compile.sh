#!/bin/sh
# Locks every dependency by hash, for all platforms and Pythons that the project supports.
# The files hold no index address: whoever installs uses the index that they trust.
set -eu
cd "$(dirname "$0")/.."
uv="${UV:-.venv/bin/uv}"
# Whoever has an extra has a list; who has none, takes what all images share (base.txt).
images=$("${PYTHON:-.venv/bin/python}" -c '
import tomllib
extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
print(*(name for name in extras if name not in {"local", "test"}))')

lock() { # the output's name, the extras; versions follow the file named in $constraint
    out=$1; shift
    flags=""; for extra in "$@"; do flags="$flags --extra $extra"; done
    # shellcheck disable=SC2086 # the flags are words
    "$uv" pip compile pyproject.toml $flags --quiet --universal --generate-hashes --no-emit-index-url \
        --no-annotate --python-version 3.11 ${constraint:+--constraint "$constraint"} \
        --custom-compile-command "make lock" --output-file "requirements/$out.txt"
}

constraint=""
# shellcheck disable=SC2086
lock dev $images local test
# All other lists take exactly the versions that the whole was tested with.
constraint=$(mktemp)
trap 'rm -f "$constraint"' EXIT
sed -nE 's/^([a-z0-9._-]+)(\[[a-z,]+\])?(==[^ ]+)( ;[^\\]*)? *\\?$/\1\3\4/p' requirements/dev.txt > "$constraint"
# shellcheck disable=SC2086
lock run $images local
lock base # what all images share
for image in $images; do lock "$image" "$image"; done

# Programs with environments of their own, since what they need is not what we need: checkov checks manifests and the
# Dockerfile, Locust shows a rehearsal on its page, and pretix sells beside us in `make bench-pretix`.
for program in checkov locust pretix; do
    "$uv" pip compile "requirements/$program.in" --quiet --universal --generate-hashes --no-emit-index-url \
        --no-annotate --python-version 3.11 --custom-compile-command "make lock" --output-file "requirements/$program.txt"
done
