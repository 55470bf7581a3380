#!/usr/bin/env bash
# FastAPI 0.165.0: naming the response class that is the default anyway changes what a route answers.
#
# Guessed: `response_class=JSONResponse` says what is so without it, and both routes answer the same bytes.
# Seen:    without it, a model is written by pydantic, and a number that is none comes as null with 200; with it, the standard
#          library writes, refuses such a number, and the route answers 500.
# Output:  left out: 200 {"ratio":null}
#          said: 500 Internal Server Error
# Onsale's router of declared operations leaves it to FastAPI, by its own marker for a default (chassis/operations.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastapi==0.165.0 httpx==0.28.1
seen=$("$folder/venv/bin/python" -W ignore - <<'PYTHON'
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel


class Share(BaseModel):
    ratio: float = float("nan")


app = FastAPI()


@app.get("/left-out")
def left_out() -> Share:
    return Share()


@app.get("/said", response_class=JSONResponse)
def said() -> Share:
    return Share()


client = TestClient(app, raise_server_exceptions=False)
for words, path in (("left out", "/left-out"), ("said", "/said")):
    answer = client.get(path)
    print(f"{words}:", answer.status_code, answer.text)
PYTHON
)
echo "$seen"
wanted='left out: 200 {"ratio":null}
said: 500 Internal Server Error'
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
