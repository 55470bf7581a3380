#!/usr/bin/env bash
# protobuf 7.36.2, opentelemetry-proto 1.45.2: OTLP's JSON read by protobuf's own JSON gives other trace ids, and no error.
#
# Guessed: OTLP/JSON is the JSON mapping of its protobuf messages, or what is not is refused.
# Seen:    OTLP writes ids as hexadecimal, protobuf's mapping reads bytes as base64. 32 hexadecimal digits are valid base64 of 24
#          bytes, so parsing succeeds with an id of 24 bytes that nobody has; printing gives base64, which OTLP receivers refuse.
# Output:  read: 24 bytes, e5bf1e7df7fbf7cd37f35d37776ebd6fadf7f35ddf73ad1c
#          written: W47/95gDgQPSabYzgT/GDA==
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check protobuf==7.36.2 opentelemetry-proto==1.45.2
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span

sent = "5b8efff798038103d269b633813fc60c"
read = json_format.Parse(f'{{"traceId": "{sent}", "name": "POST /orders"}}', Span())
print(f"read: {len(read.trace_id)} bytes, {read.trace_id.hex()}")
print("written:", json_format.MessageToDict(Span(trace_id=bytes.fromhex(sent)))["traceId"])
PYTHON
)
echo "$seen"
wanted='read: 24 bytes, e5bf1e7df7fbf7cd37f35d37776ebd6fadf7f35ddf73ad1c
written: W47/95gDgQPSabYzgT/GDA=='
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
