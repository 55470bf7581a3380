"""`python -m tracing.store import FILE`: puts a trace that somebody attached into a running store, or into any OTLP backend."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import httpx

from tracing.files import document_of
from tracing.model import Trace, traces_from_otlp
from tracing.reader import DEFAULT_STORE

DEFAULT_OTLP = "http://127.0.0.1:4318"
TIMEOUT_SECONDS = 30.0


class ImportRefused(Exception):
    """The file is no trace, or nobody took it; the message says what to do."""


def import_file(path: Path, otlp_url: str) -> list[Trace]:
    """Sends what a file holds; the traces in it. Spans that are there already stay as they are. Raises ImportRefused."""
    try:
        document = document_of(path.read_bytes())
        traces = traces_from_otlp(document)
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise ImportRefused(f"{path} holds no trace. {error}") from error
    address = f"{otlp_url.rstrip('/')}/v1/traces"
    try:
        answer = httpx.post(address, json=document, timeout=TIMEOUT_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise ImportRefused(
            f"Nobody takes traces at {address} ({type(error).__name__}): start a store (make up), or name another with --otlp."
        ) from error
    if not answer.is_success:
        raise ImportRefused(f"{address} refused the trace with status {answer.status_code}: {answer.text[:300]}")
    return traces


def main(arguments: list[str]) -> int:
    """The command line. The exit code is 1 if nothing was taken."""
    parser = argparse.ArgumentParser(prog="python -m tracing.store import", description=__doc__)
    parser.add_argument("file", type=Path, help="OTLP JSON lines, as the page of a trace exports them")
    parser.add_argument("--otlp", default=DEFAULT_OTLP, metavar="URL", help=f"where to (default {DEFAULT_OTLP})")
    parser.add_argument("--store", default=DEFAULT_STORE, metavar="URL", help="where its pages are, for the links")
    chosen = parser.parse_args(arguments)
    try:
        traces = import_file(chosen.file, chosen.otlp)
    except ImportRefused as error:
        print(error, file=sys.stderr)
        return 1
    for trace in traces:
        print(f"{len(trace.spans)} spans: {chosen.store.rstrip('/')}/trace/{trace.trace_id}")
    return 0
