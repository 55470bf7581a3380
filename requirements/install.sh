#!/bin/sh
# Installs one locked list for the environment /venv, into FOLDER, for the Dockerfile: install.sh LIST FOLDER REPORT
# The index and its certificates are the business of whoever builds: they come as secrets, and stay in no layer.
set -eu
list=$1 folder=$2 report=$3
shared=$(dirname "$list")/base.txt
if [ -s /run/secrets/certificates ]; then export PIP_CERT=/run/secrets/certificates; fi
if [ -s /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi

mkdir -p "$folder"
if [ "$list" != "$shared" ] && { [ ! -f "$list" ] || cmp -s "$list" "$shared"; }; then # nothing is added to what all share
    echo '{"install": []}' > "$report"
else
    /opt/pip/bin/pip --python /venv/bin/python --disable-pip-version-check --no-input install --quiet --progress-bar off \
        --no-deps --require-hashes --only-binary :all: --no-compile --prefix "$folder" --report "$report" --requirement "$list"
fi

# The same packages give the same bytes whenever they are installed: compiled code that names no time (nobody could write
# it later, the root of a container is read-only), and one time for all files.
PYTHONHASHSEED=0 /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash -s "$folder" -p /venv "$folder"
chmod -R u=rwX,go=rX "$folder"
find "$folder" -exec touch --no-dereference --date=@0 {} +
