"""The store as a process: its bound, its data, its start and its end."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from os import urandom
from pathlib import Path

import httpx
import pytest

from tracing.reader import TraceReader, TraceUnknown
from tracing.store.database import FILE_NAME, reading
from tracing.store.queries import span_count
from tracing.tests.running_store import ROOT, Telemetry, buy, running_store, store_command, trace_id_of
from tracing.tests.test_store_receiving import PROTOBUF, export, send


def test_the_oldest_traces_make_room_for_new_ones(tmp_path: Path) -> None:
    ids = [urandom(16) for _ in range(30)]
    with running_store(tmp_path, "--max-spans", "100") as store, TraceReader(store.url) as reader:
        for trace_id in ids:
            body = export(*[(trace_id, urandom(8)) for _ in range(10)]).SerializeToString()
            assert send(store, body, PROTOBUF).status_code == 200
            with reading(tmp_path / FILE_NAME) as reads:
                assert span_count(reads) <= 100
        for trace_id in ids[-10:]:
            assert len(reader.trace(trace_id.hex()).spans) == 10, "a trace is kept whole"
        for trace_id in ids[:-10]:
            with pytest.raises(TraceUnknown):
                reader.trace(trace_id.hex())


def test_a_trace_beyond_the_bound_does_not_stop_the_store(tmp_path: Path) -> None:
    huge, small = urandom(16), urandom(16)
    with running_store(tmp_path, "--max-spans", "50") as store, TraceReader(store.url) as reader:
        send(store, export(*[(huge, urandom(8)) for _ in range(80)]).SerializeToString(), PROTOBUF)
        send(store, export((small, urandom(8))).SerializeToString(), PROTOBUF)
        assert len(reader.trace(small.hex()).spans) == 1
        with reading(tmp_path / FILE_NAME) as reads:
            assert span_count(reads) <= 50


def test_traces_survive_a_restart_and_still_count(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        telemetry = Telemetry(store.otlp_url)
        root = buy(telemetry)
        telemetry.close()
    with running_store(tmp_path, "--max-spans", "7") as store, TraceReader(store.url) as reader:
        assert len(reader.trace(trace_id_of(root)).spans) == 6
        newer = urandom(16)
        send(store, export((newer, urandom(8)), (newer, urandom(8))).SerializeToString(), PROTOBUF)
        with pytest.raises(TraceUnknown):
            reader.trace(trace_id_of(root))


def test_data_of_the_version_before_is_taken_over_with_its_links(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        telemetry = Telemetry(store.otlp_url)
        first = buy(telemetry)
        telemetry.span("tickets", "replay", links=[first.get_span_context()]).end()
        telemetry.close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript("DROP TABLE link; PRAGMA user_version = 1")
    connection.close()
    with running_store(tmp_path) as store:
        assert "Linked from" in httpx.get(f"{store.url}/trace/{trace_id_of(first)}").text


def test_pages_and_exports_have_their_own_ports(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        assert store.url != store.otlp_url
        assert httpx.get(f"{store.url}/livez").text == "ok\n"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_and_leaves_one_file(tmp_path: Path, ending: signal.Signals) -> None:
    with running_store(tmp_path) as store:
        assert store.process is not None
        store.process.send_signal(ending)
        assert store.process.wait(10) in (0, -ending)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def start(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


def test_a_port_that_is_taken_gives_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for option in ("--port", "--otlp-port"):
            tried = start(*store_command(tmp_path, option, port))
            assert tried.returncode == 1
            assert f"Port {port} is taken by another process" in tried.stderr
            assert f"choose another port with {option}" in tried.stderr


@pytest.mark.parametrize("damage", ["no database", "another version"])
def test_data_that_cannot_be_used_gives_a_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / FILE_NAME
    if damage == "no database":
        path.write_bytes(b"This is no database. " * 500)
    else:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    tried = start(*store_command(tmp_path))
    assert tried.returncode == 1
    assert f"{path}" in tried.stderr
    assert "Delete it and start again" in tried.stderr
    assert "Traceback" not in tried.stderr


def test_a_folder_that_cannot_be_made_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tried = start(*store_command(tmp_path / "file" / "data"))
    assert tried.returncode == 1
    assert "choose another with --data" in tried.stderr


def test_options_that_make_no_sense_are_explained() -> None:
    tried = start(sys.executable, "-m", "tracing.store", "--data", "x", "--max-spans", "0")
    assert tried.returncode == 2
    assert "give a whole number above 0" in tried.stderr
