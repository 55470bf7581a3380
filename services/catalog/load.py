"""Loads files into the catalogue: `python -m services.catalog.load FILE...`, or the samples with `--sample`.

Files are schema.org events (JSON-LD) and seating plans; plans are loaded first, whatever their order. Of each event it says
how it was understood, and of each file what was passed over. A bad file changes nothing, and is reported with the path of its bad
field; the others are loaded all the same. Exit code 1 if any was bad.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from chassis.clock import utc_now
from chassis.db import Database
from chassis.errors import StoreUnavailable
from chassis.version import project_version
from services.catalog.domain import EventDraft, ImportRefused, SeatingPlan
from services.catalog.importers.document import MAX_FILE_BYTES, Reading
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.reporting import event_sentences, passed_over_sentences, plan_sentence, refusal_sentence
from services.catalog.samples.collection import sample_events, sample_plans
from services.catalog.settings import CatalogSettings
from tracing.setup import TracingSettings, set_up_tracing
from tracing.spans import note, span

Content = SeatingPlan | list[EventDraft]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m services.catalog.load", description="Loads events and seating plans."
    )
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="schema.org events or a seating plan, as JSON"
    )
    parser.add_argument("--sample", action="store_true", help="load the sample plans and events")
    parser.add_argument("--if-empty", action="store_true", help="with --sample: only if no event lies ahead")
    options = parser.parse_args(arguments)
    if not options.files and not options.sample:
        parser.error("Name at least one file, or say --sample.")
    try:
        settings = CatalogSettings()
    except ValidationError as error:
        for each in error.errors():
            _tell(f"Setting {'.'.join(map(str, each['loc']))} of {error.title}: {each['msg']}.")
        return 1
    provider = set_up_tracing(
        TracingSettings(
            settings.service_name,
            project_version(),
            settings.environment,
            settings.otlp_endpoint,
            settings.trace_sample_ratio,
            settings.host_name,
        ),
        program="catalog.load",
    )
    try:
        return asyncio.run(load(settings, options.files, sample=options.sample, if_empty=options.if_empty))
    finally:
        provider.shutdown()


async def load(settings: CatalogSettings, files: Iterable[Path], *, sample: bool, if_empty: bool) -> int:
    """Loads samples and files; the exit code. The facts leave with the running service, from its outbox."""
    contents: list[tuple[str, Content, Reading]] = []
    failures = 0
    for file in files:
        reading = Reading()
        try:
            contents.append((str(file), read_file(_bytes_of(file), reading), reading))
        except ImportRefused as refused:
            failures += 1
            _tell(f"{file}:{refusal_sentence(refused)}")
    database = Database(settings)
    importer = Importer(database)
    try:
        if sample and not (if_empty and await importer.has_upcoming_events()):
            contents += [("samples", plan, Reading()) for plan in sample_plans()]
            contents.append(("samples", sample_events(utc_now()), Reading()))
        for name, content, reading in sorted(contents, key=lambda each: not isinstance(each[1], SeatingPlan)):
            try:
                await _import(importer, name, content, reading)
            except ImportRefused as refused:
                failures += 1
                _tell(f"{name}:{refusal_sentence(refused)}")
    except StoreUnavailable:
        _tell("The database does not answer. Start it (`make up`), or check CATALOG_DATABASE_URL; then load again.")
        return 1
    finally:
        await database.close()
    return 1 if failures else 0


async def _import(importer: Importer, name: str, content: Content, reading: Reading) -> None:
    if isinstance(content, SeatingPlan):
        with span("catalog.import_seating_plan"):
            plan = await importer.import_seating_plan(content)
            note({"onsale.seats": plan.seats, "onsale.outcome": plan.outcome})
        sys.stdout.write(f"{name}: {plan_sentence(plan)}\n")
        return
    with span("catalog.import_events", {"onsale.events": len(content)}):
        imported = await importer.import_events(content)
    for draft, event in zip(content, imported, strict=True):
        sys.stdout.writelines(f"{name}: {sentence}\n" for sentence in event_sentences(draft, event, utc_now()))
    sys.stdout.writelines(f"{name}: {sentence}\n" for sentence in passed_over_sentences(reading))


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ImportRefused("", f"The file cannot be read: {error.strerror or error}.") from error


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
