#!/usr/bin/env bash
# uvicorn 0.54.0 on asyncio (seen with Python 3.11), given a socket that socket.create_server made: every answer waits.
#
# Guessed: asyncio switches Nagle's algorithm off for every TCP connection that it accepts, so it does not matter who made the
#          listening socket; and a choice between uvloop and asyncio changes speed by some percent.
# Seen:    asyncio switches it off only where socket.proto is IPPROTO_TCP. socket.create_server and socket.socket() leave it 0, and
#          accepted sockets inherit that. uvicorn writes head and body apart, so the body waits until the client has acknowledged
#          the head: about 40 ms for each answer on a kept connection. uvloop switches it off whatever proto says.
# Output:  asyncio, a socket without a protocol: TCP_NODELAY 0, answers wait
#          asyncio, a socket that names TCP: TCP_NODELAY 1, answers do not wait
#          uvloop, a socket without a protocol: TCP_NODELAY 1, answers do not wait
# Onsale's tests waited so for a third of the time of a verification (chassis/testing.py names the protocol).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvicorn==0.54.0 h11==0.16.0 uvloop==0.23.0
cat > "$folder/ask.py" <<'PYTHON'
import asyncio
import socket
import statistics
import sys
import time

import uvicorn
import uvloop

ANSWERS = 30
seen = set()


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Looking(uvicorn.Config):
    def load(self):
        super().load()
        made = self.http_protocol_class.connection_made

        def connection_made(protocol, transport):
            seen.add(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            made(protocol, transport)

        self.http_protocol_class.connection_made = connection_made


async def main(listener):
    server = uvicorn.Server(Looking(app, http="h11", log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    took = []
    for _ in range(ANSWERS):
        began = time.perf_counter()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"ok")
        took.append(time.perf_counter() - began)
    writer.close()
    server.should_exit = True
    await serving
    slow = statistics.median(took) > 0.03
    print(f"TCP_NODELAY {seen.pop()}, answers {'wait' if slow else 'do not wait'}")


if sys.argv[2] == "names TCP":
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
else:
    listener = socket.create_server(("127.0.0.1", 0))
(uvloop.run if sys.argv[1] == "uvloop" else asyncio.run)(main(listener))
PYTHON
python="$folder/venv/bin/python"
{
    echo "asyncio, a socket without a protocol: $("$python" "$folder/ask.py" asyncio "names none")"
    echo "asyncio, a socket that names TCP: $("$python" "$folder/ask.py" asyncio "names TCP")"
    echo "uvloop, a socket without a protocol: $("$python" "$folder/ask.py" uvloop "names none")"
} | tee "$folder/output"
diff - "$folder/output" <<'OUTPUT'
asyncio, a socket without a protocol: TCP_NODELAY 0, answers wait
asyncio, a socket that names TCP: TCP_NODELAY 1, answers do not wait
uvloop, a socket without a protocol: TCP_NODELAY 1, answers do not wait
OUTPUT
