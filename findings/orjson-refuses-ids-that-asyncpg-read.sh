#!/usr/bin/env bash
# asyncpg 0.32.0 with orjson 3.13.0: an id that came from the database is a UUID and cannot be written as one.
#
# Guessed: asyncpg reads a uuid column as uuid.UUID, and orjson writes UUIDs by itself.
# Seen:    it is a class of asyncpg's own: isinstance() and == say it is a UUID, and orjson, which looks at
#          the exact type, raises TypeError. A test that makes its rows by hand does not see it.
# Output:  equal: True an instance: True
#          ours: "12345678-1234-4678-9234-567812345678"
#          theirs: Type is not JSON serializable: asyncpg.pgproto.pgproto.UUID
# Onsale writes such documents with default=str (services/inventory/queries.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check asyncpg==0.32.0 orjson==3.13.0
seen=$("$folder/venv/bin/python" - <<'PYTHON'
import uuid

import orjson
from asyncpg.pgproto.pgproto import UUID  # the class of what a uuid column gives

text = "12345678-1234-4678-9234-567812345678"
ours, theirs = uuid.UUID(text), UUID(text)
print("equal:", ours == theirs, "an instance:", isinstance(theirs, uuid.UUID))
print("ours:", orjson.dumps(ours).decode())
try:
    orjson.dumps(theirs)
except TypeError as error:
    print("theirs:", error)
PYTHON
)
echo "$seen"
wanted='equal: True an instance: True
ours: "12345678-1234-4678-9234-567812345678"
theirs: Type is not JSON serializable: asyncpg.pgproto.pgproto.UUID'
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
