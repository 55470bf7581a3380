#!/usr/bin/env bash
# cloudevents 2.2.0: a boolean attribute is "True" in HTTP's binary mode, where the specification writes `true`.
#
# Guessed: the type system of CloudEvents 1.0 is followed: the canonical text of a Boolean is `true` or `false`.
# Seen:    the header is Python's `True`; the structured mode of the same event has JSON's true. Who compares with "true", as the
#          specification has it, takes it for false.
# Output:  binary: True
#          structured: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cloudevents==2.2.0 python-dateutil
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

attributes = {"id": "1", "source": "/orders", "type": "order_confirmed.v1", "specversion": "1.0", "replayed": True}
event = CloudEvent(attributes, {"total_minor": 4500})
print("binary:", to_binary_event(event).headers["ce-replayed"])
print("structured:", b'"replayed": true' in to_structured_event(event).body)
PYTHON
)
echo "$seen"
wanted='binary: True
structured: True'
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
