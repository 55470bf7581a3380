#!/usr/bin/env bash
# aiohttp 3.14.5, its client: a DELETE or PUT whose kept connection ends before the answer is sent a second time, unseen.
#
# Guessed: a client sends a request once, and says by an error that there was no answer; whoever wants retries asks for them.
# Seen:    on a connection that was used before, aiohttp sends GET, HEAD, PUT, DELETE, OPTIONS and TRACE once more by itself. The
#          caller gets the second answer, and its trace hooks report one request and no exception: spans made from them show one
#          call where the server was asked twice. POST is not repeated. No argument of the session switches it off.
# Output:  DELETE: the caller saw 2 calls and no error, the hooks 2 requests, the server 3
#          PUT: the caller saw 2 calls and no error, the hooks 2 requests, the server 3
#          POST: the caller saw 2 calls and ServerDisconnectedError, the hooks 2 requests, the server 2
# Onsale's services try again in one place, each try with its own span (chassis/calls.py, chassis/tests/test_calls.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5
cat > "$folder/ask.py" <<'PYTHON'
import asyncio

import aiohttp


async def main(method):
    heard, hooks = [], []

    async def serve(reader, writer):
        try:
            while True:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
                if len(heard) == 2:  # it has read the request, and ends before it answers
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    async def on_start(_session, _context, _params):
        hooks.append("start")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    error = "no error"
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        for _ in range(2):
            try:
                async with session.request(method, url) as answer:
                    await answer.read()
            except aiohttp.ClientError as problem:
                error = type(problem).__name__
    server.close()
    print(f"{method}: the caller saw 2 calls and {error}, the hooks {len(hooks)} requests, the server {len(heard)}")


for method in ("DELETE", "PUT", "POST"):
    asyncio.run(main(method))
PYTHON
"$folder/venv/bin/python" "$folder/ask.py" | tee "$folder/output"
diff - "$folder/output" <<'OUTPUT'
DELETE: the caller saw 2 calls and no error, the hooks 2 requests, the server 3
PUT: the caller saw 2 calls and no error, the hooks 2 requests, the server 3
POST: the caller saw 2 calls and ServerDisconnectedError, the hooks 2 requests, the server 2
OUTPUT
