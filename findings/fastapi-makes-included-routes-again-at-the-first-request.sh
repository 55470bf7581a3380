#!/usr/bin/env bash
# FastAPI 0.165.0: a router that is included makes all of its routes a second time, when the first request comes.
#
# Guessed: `include_router` copies the routes into the application, as it did for years; the first request finds them ready.
# Seen:    a route's handler is made when it is added to its router, nothing happens when the router is included, and the
#          first request that comes by makes the handlers of all routes of the router again: the first caller waits for it,
#          and what is measured at the start is not what is served. `app.add_api_route` makes each once.
# Output:  added to a router: 50 handlers made, included: 50, after the first request: 100, after the second: 100
#          added to the application: 50 handlers made, after the first request: 50
# Onsale's chassis gives routes to the application as they were made (chassis/service.py, chassis/tests/test_service.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastapi==0.165.0 httpx==0.28.1
cat > "$folder/ask.py" <<'PYTHON'
import asyncio

import httpx
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

made = 0


class Counted(APIRoute):
    def get_route_handler(self):
        global made
        made += 1
        return super().get_route_handler()


async def answer():
    return {}


async def ask(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as http:
        assert (await http.get("/0")).status_code == 200


router, app = APIRouter(route_class=Counted), FastAPI()
for number in range(50):
    router.add_api_route(f"/{number}", answer)
said = f"added to a router: {made} handlers made"
app.include_router(router)
said += f", included: {made}"
asyncio.run(ask(app))
said += f", after the first request: {made}"
asyncio.run(ask(app))
print(f"{said}, after the second: {made}")

made, app = 0, FastAPI()
app.router.route_class = Counted
for number in range(50):
    app.add_api_route(f"/{number}", answer)
said = f"added to the application: {made} handlers made"
asyncio.run(ask(app))
print(f"{said}, after the first request: {made}")
PYTHON
"$folder/venv/bin/python" "$folder/ask.py" | tee "$folder/output"
diff - "$folder/output" <<'OUTPUT'
added to a router: 50 handlers made, included: 50, after the first request: 100, after the second: 100
added to the application: 50 handlers made, after the first request: 50
OUTPUT
