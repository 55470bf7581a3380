#!/usr/bin/env bash
# websockets 17.4: a plain ws:// address goes to the proxy of https, also to the loopback, and not to the proxy of http.
#
# Guessed: ws:// asks HTTP's proxy if any, as http:// does, and 127.0.0.1 needs none.
# Seen:    https_proxy comes before http_proxy for ws://, too (as RFC 6455, 4.1, proposes), and the loopback is no exception unless
#          no_proxy names it: on a company's machine a test of a server beside itself ends at the company's proxy.
# Output:  ws://127.0.0.1:8000/live http://secure.example:3128
#          wss://shop.example/live http://secure.example:3128
#          with no_proxy: None
# Onsale's own sockets to its servers say proxy=None.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check websockets==17.4
seen=$("$folder/venv/bin/python" - <<'PYTHON'
import os

from websockets.proxy import get_proxy
from websockets.uri import parse_uri

for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ |= {"http_proxy": "http://plain.example:3128", "https_proxy": "http://secure.example:3128"}
for uri in ("ws://127.0.0.1:8000/live", "wss://shop.example/live"):
    print(uri, get_proxy(parse_uri(uri)))
os.environ["no_proxy"] = "127.0.0.1"
print("with no_proxy:", get_proxy(parse_uri("ws://127.0.0.1:8000/live")))
PYTHON
)
echo "$seen"
wanted='ws://127.0.0.1:8000/live http://secure.example:3128
wss://shop.example/live http://secure.example:3128
with no_proxy: None'
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
