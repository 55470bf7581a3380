#!/usr/bin/env bash
# asyncpg 0.32.0 and psycopg 3.3.9 (libpq), the same address of a database: postgresql://...?connect_timeout=10&channel_binding=prefer
#
# Guessed: both read an address alike, or a driver that does not know an option says so, or leaves it out.
# Seen:    asyncpg reads some options of libpq (sslmode, target_session_attrs, passfile, service) and sends each other one to the server
#          as a setting of the session. Postgres then refuses the login: unrecognized configuration parameter "connect_timeout".
#          Addresses as managed servers hand them out, which psql and psycopg take, so look like a server that does not answer.
# Output:  asyncpg: application_name, channel_binding, connect_timeout, keepalives_idle
#          psycopg: application_name
# Onsale's /readyz says what the server said (chassis/health.py), and its migrations read an address as its services do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check asyncpg==0.32.0 "psycopg[binary]==3.3.9"
cat > "$folder/connect.py" <<'PYTHON'
import asyncio
import contextlib
import struct

import asyncpg
import psycopg

OPTIONS = "sslmode=disable&application_name=tickets&connect_timeout=10&channel_binding=prefer&keepalives_idle=30"
OF_THE_LOGIN = {"user", "database", "client_encoding"}


async def settings_that(connect):
    """The settings with which a driver begins its session, as a server reads them; it then shuts down."""
    read = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        words = (await reader.readexactly(length - 4))[4:].decode().split("\0")
        read.set_result(sorted(set(words[:-2:2]) - OF_THE_LOGIN))
        told = b"SFATAL\0C57P03\0Mthe server shuts down\0\0"
        writer.write(b"E" + struct.pack("!i", len(told) + 4) + told)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with contextlib.suppress(asyncpg.PostgresError, psycopg.Error):
        await connect(f"postgresql://somebody:word@127.0.0.1:{port}/tickets?{OPTIONS}")
    server.close()
    return ", ".join(await read)


async def main():
    print("asyncpg:", await settings_that(asyncpg.connect))
    print("psycopg:", await settings_that(psycopg.AsyncConnection.connect))


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/connect.py" | tee "$folder/output"
diff - "$folder/output" <<'OUTPUT'
asyncpg: application_name, channel_binding, connect_timeout, keepalives_idle
psycopg: application_name
OUTPUT
