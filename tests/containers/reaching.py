"""Run in a container: which of these addresses can be connected to? Reads a JSON list of [name, host, port], writes the names."""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

PATIENCE_SECONDS = 1.0


def answers(target: list[str]) -> str | None:
    name, host, port = target
    try:
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS):
            return name
    except OSError:
        return None


with ThreadPoolExecutor(100) as pool:
    found = pool.map(answers, json.loads(sys.argv[1]))
    json.dump(sorted({name for name in found if name}), sys.stdout)
