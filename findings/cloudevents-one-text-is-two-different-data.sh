#!/usr/bin/env bash
# cloudevents 2.2.0: JSON that is given as text is a document in binary mode and a string in structured mode.
#
# Guessed: both modes carry the same data, whichever a producer chooses (the specification calls them two encodings of one event).
# Seen:    with datacontenttype application/json and data that is JSON as str, the receiver of the binary mode gets a dict, that of the
#          structured mode the text itself: a consumer that works in one mode fails when the producer changes to the other.
# Output:  binary: dict {'total_minor': 4500}
#          structured: str {"total_minor": 4500}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cloudevents==2.2.0 python-dateutil
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

attributes = {"id": "1", "source": "/orders", "type": "t", "specversion": "1.0", "datacontenttype": "application/json"}
event = CloudEvent(attributes, '{"total_minor": 4500}')
binary = http.from_binary_event(http.to_binary_event(event)).get_data()
structured = http.from_structured_event(http.to_structured_event(event)).get_data()
print("binary:", type(binary).__name__, binary)
print("structured:", type(structured).__name__, structured)
PYTHON
)
echo "$seen"
wanted='binary: dict {'"'"'total_minor'"'"': 4500}
structured: str {"total_minor": 4500}'
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
