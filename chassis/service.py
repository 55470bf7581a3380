"""A service: its parts, started and stopped in the right order, behind one ASGI application."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind
from starlette.routing import Route

from chassis.asking import Client
from chassis.broker import Broker
from chassis.bus import Bus
from chassis.calls import Calls, ServiceCalls
from chassis.crowds import Crowd
from chassis.db import Database
from chassis.documented import ANY_PAGE, ANY_REFUSAL, Documented
from chassis.edge import EdgeMiddleware, KeptPins
from chassis.errors import NotAuthenticated, safe_text
from chassis.facts import CloudEvent
from chassis.failpoints import arm
from chassis.firehose import Firehose
from chassis.forgetting import BATCH, EVERY_SECONDS, Forgetting
from chassis.health import Check, Readiness, make_health_router
from chassis.identity import access_of
from chassis.inbox import Inbox
from chassis.inside import carry_to
from chassis.keeping import SparesWhatIsKept
from chassis.lag import lag_of
from chassis.late import late_work, watch_of
from chassis.logs import log, set_up_logs
from chassis.migrated import migrations_of, newest_migration
from chassis.operations import Operation
from chassis.over_bus import CallsOverBus
from chassis.passing_on import PassingOn
from chassis.people import KEYS_PATH, PEOPLE_ISSUER, PersonVerifier
from chassis.problems import ErrorPage, handle_errors, problem_response
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.tokens import CallerVerifier, ServiceTokens, load_signing_key
from chassis.version import project_version
from chassis.watching import LETTERS, OUTBOX, Watch, Watching
from chassis.work import Queue
from chassis.worker import Worker
from tracing.asgi import ParentOf, TracingMiddleware
from tracing.export import MetricsExport
from tracing.http_client import BUS
from tracing.instruments import Instrument
from tracing.measured import MetricsMiddleware
from tracing.messaging import message_attributes
from tracing.metrics import Metrics
from tracing.setup import TracingSettings, resource_of, set_up_tracing
from tracing.spans import continued

OnFact = Callable[[CloudEvent], Awaitable[None]]

CANCEL_AGAIN_SECONDS = 0.5

# How long a start waits to be known by the trace store, which may be away.
KNOWN_SECONDS = 0.5

_LOG = log(__name__)
Asked = TypeVar("Asked", bound=Client)


class Service:
    """Collects what a service is made of and builds its application. Nothing connects before the application starts.

    `errors` is the base class of the domain's errors; `error_page` shows problems as pages instead of documents.
    `trace_parent` lets an edge continue a trace that it remembers itself; then headers from outside are not trusted.
    `streams` are path prefixes of long-lived responses: no deadline, and a span that ends when the response begins.
    `pins` lets an edge keep for whoever wrote something how far replicas have to be before they may show it.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        title: str,
        errors: type[Exception] | None = None,
        error_page: ErrorPage | None = None,
        trace_parent: ParentOf | None = None,
        streams: tuple[str, ...] = (),
        pins: KeptPins | None = None,
    ) -> None:
        if settings.drill:
            from chassis.drills import switch_on  # only then: see there

            switch_on(settings.service_name, settings.drill)
        self.settings = settings
        self._title = title
        self._errors = errors
        self._error_page = error_page
        self._trace_parent = trace_parent
        self._streams = streams
        self._pins = pins
        self._telemetry = TracingSettings(
            settings.service_name,
            project_version(),
            settings.environment,
            settings.otlp_endpoint,
            settings.trace_sample_ratio,
            settings.host_name,
        )
        self.metrics = Metrics(resource_of(self._telemetry))
        self._watching = Watching(self.metrics)
        self.broker = Broker(settings.nats_url.get_secret_value(), settings.service_name, self.metrics)
        self.bus = Bus(self.broker, self.metrics)
        self._calls_over_bus = CallsOverBus(self.broker, settings.service_name) if settings.transport == "bus" else None
        self._firehose = Firehose(self.broker, self.metrics)
        self._tokens = ServiceTokens(settings.service_name, load_signing_key(settings.key_file))
        self._readiness = Readiness(alive=lambda: self.broker.beyond_repair)
        self._databases: list[Database] = []
        self._queues: dict[Database, tuple[Queue, ...]] = {}
        self._clients: list[Calls] = []
        self._tasks: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = []
        self._managed: list[AbstractAsyncContextManager[Any]] = []
        self._routers: list[APIRouter] = []
        self._passed_on: list[Route] = []
        self._mounts: list[tuple[str, Any, str]] = []
        self._gauges: dict[str, Callable[[], int]] = {}
        self.inboxes: list[Inbox] = []
        # What it asks of whom: read by the contracts.
        self.clients: list[type[Client]] = []
        self.strangers: list[str] = []
        # Read by the protocol of our servers.
        self.crowds: list[Crowd] = []

    def database(self, *, url: str | None = None) -> Database:
        """The service's database (or, with `url`, one more shard of it), with its outbox relayed to the firehose."""
        number = len(self._databases)
        pool = f"{self.settings.service_name}-{number}" if number else self.settings.service_name
        database = Database(self.settings, url=url, metrics=self.metrics, pool=pool)
        self._databases.append(database)
        self._queues[database] = ()
        self._watching.database(database, OUTBOX, LETTERS)
        relay = Relay(database, self.settings.outbox_poll_seconds)
        self._tasks.append(("outbox relay", lambda: relay.run(self._firehose)))
        forgetting = Forgetting(database, self.settings, lambda: [inbox.consumer for inbox in self.inboxes])
        self.work(Worker(f"forget_old_rows{number or ''}", forgetting, EVERY_SECONDS, batch=BATCH))
        return database

    def client_of(self, kind: type[Asked], base_url: str, *more: Any) -> Asked:
        """The client of another of our services, by its class (chassis/asking.py); `more` is what else its __init__ takes."""
        self.clients.append(kind)
        return kind(self._calls_to(kind.provider, base_url), *more)

    def _calls_to(self, provider: str, base_url: str) -> ServiceCalls:
        address, carry = base_url, carry_to(provider)
        if carry is None and self._calls_over_bus is not None:
            address, carry = f"{BUS}://{provider}", self._calls_over_bus.to(provider)
        calls = ServiceCalls(provider, address, self._tokens, metrics=self.metrics, carry=carry)
        self._clients.append(calls)
        return calls

    def stranger(self, provider: str, base_url: str, *, timeout_seconds: float = 5.0) -> Calls:
        """Calls to a service that is not ours: it gets no tokens and no trace headers."""
        self.strangers.append(provider)
        calls = Calls(provider, base_url, timeout_seconds=timeout_seconds, metrics=self.metrics)
        self._clients.append(calls)
        return calls

    def hear(self, inbox: Inbox, database: Database | None = None) -> None:
        """Consumes the facts of an inbox; each takes effect once."""
        self.inboxes.append(inbox)
        receive = inbox.receiver(database or self._databases[0])
        subjects = sorted(inbox.subscriptions)
        self._watching.consumer(inbox.consumer, lambda: lag_of(self.broker, inbox.consumer, subjects))
        self._tasks.append((f"inbox {inbox.consumer}", lambda: self._firehose.consume(inbox.consumer, receive)))

    def listen(self, subject: str, on_fact: OnFact, *, on_gap: Callable[[], None] | None = None) -> None:
        """Hears facts in every process, from now on, perhaps twice: for dropping caches.

        They are heard as they go by, without a memory. `on_gap` is called with each connection that is made: what was published before it
        was not heard.
        """

        async def on_message(message: Msg) -> None:
            try:
                event = CloudEvent.model_validate_json(message.data)
                attributes = message_attributes("process", message.subject, message_id=str(event.id))
                with continued(f"hear {event.type}", event.traceparent, attributes, SpanKind.CONSUMER):
                    await on_fact(event)
            except Exception as error:  # noqa: BLE001  # one bad fact must not end the subscription
                _LOG.warning("a fact was not understood", subject=message.subject, error=safe_text(error))

        self.broker.subscribe(subject, on_message, on_gap)

    @property
    def is_on_bus(self) -> bool:
        """Whether it is asked over the bus and opens no port: with that transport all but what browsers talk to."""
        return self._calls_over_bus is not None and not self.settings.is_for_browsers

    async def is_ready(self) -> bool:
        """Whether it can answer at this moment, as `/readyz` says."""
        state, _ = await self._readiness.report()
        return state != "not ready"

    @property
    def subjects(self) -> list[str]:
        """The subjects that every process of the service listens to, of the bus and of the firehose."""
        return self.broker.subjects

    def work(self, worker: Worker) -> Worker:
        """Runs a worker as long as the service runs. Returns it, so that others can wake it."""
        worker.metrics = self.metrics
        self._tasks.append((f"worker {worker.name}", worker.run))
        return worker

    def remembers(self, database: Database, *queues: Queue) -> None:
        """Says which rows of a database are work: `/work` and metrics tell of them when it is late."""
        self._queues[database] += queues
        self.watch(database, watch_of(queues))

    def watch(self, database: Database, *watches: Watch) -> None:
        """Shows in metrics what rows of a database say, looked at every few seconds."""
        self._watching.database(database, *watches)

    def measure(self, instrument: Instrument, read: Callable[[], float]) -> None:
        """Shows a number of this process in metrics."""
        self._watching.measure(instrument, read)

    def needs(self, name: str, check: Check) -> None:
        """Something that it cannot serve without, besides its databases: what it lacks is said at `/readyz`."""
        self._readiness.checks[name] = check

    def gauge(self, name: str, read: Callable[[], int]) -> None:
        """Shows a number at `/load`: how much waits here, for whoever decides how many processes there should be."""
        self._gauges[name] = read

    def manage(self, resource: AbstractAsyncContextManager[Any]) -> None:
        """Opens a resource at the start and closes it at the end."""
        self._managed.append(resource)

    def include(self, router: APIRouter) -> None:
        """Adds routes."""
        self._routers.append(router)

    def crowd(self, operation: Operation, part: str) -> None:
        """Crowds come with requests of this operation, each for one `part` of its path: see chassis/crowds.py."""
        self.crowds.append(Crowd(operation.method, operation.path, part, self.metrics))

    def pass_on(self, method: str, path: str, provider: str) -> None:
        """Over the bus, who is not ours reaches an open operation of a provider here: it has no port. Over HTTP it has its own."""
        if self._calls_over_bus is not None:
            app = PassingOn(provider, carry_to(provider) or self._calls_over_bus.to(provider))
            self._passed_on.append(Route(path, app, methods=[method], include_in_schema=False))

    def mount(self, path: str, app: Any, name: str) -> None:
        """Adds an ASGI application under a path, e.g. static files."""
        self._mounts.append((path, app, name))

    def build(self) -> FastAPI:
        """The application, for `uvicorn --factory`. Raises ValueError if a route does not say who may call it."""
        settings = self.settings
        set_up_logs(settings.service_name, settings.log_format, settings.log_level)
        arm(settings.crash_at)
        app = Documented(
            title=self._title,
            version=project_version(),
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            # Starlette's own would name whatever host the request names: see chassis/manners.py.
            redirect_slashes=False,
            responses=ANY_PAGE if self._error_page else ANY_REFUSAL,
            # FastAPI would make a second server span of every request beside ours, and one without a trace at the edge.
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        app.state.caller_verifier = CallerVerifier(settings.service_name, settings.service_keys_file)
        app.state.person_verifier = self._person_verifier()
        app.state.service = self
        health = make_health_router(
            self._readiness,
            self._gauges,
            self.metrics,
            late=partial(late_work, self._queues),
            through_proxies=settings.health_through_proxies,
        )
        for router in (health, *self._routers):
            _check_access(router)
            _add_routes(app, router)
        app.router.routes.extend(self._passed_on)
        for path, mounted, name in self._mounts:
            app.mount(path, mounted, name)
        handle_errors(app, self._errors, self._error_page)
        show = self._error_page or problem_response
        app.add_middleware(SparesWhatIsKept)
        app.add_middleware(EdgeMiddleware, show=show, streams=self._streams, pins=self._pins)
        app.add_middleware(MetricsMiddleware, metrics=self.metrics, unmeasured=self._streams)
        app.add_middleware(
            TracingMiddleware,
            parent_of=self._trace_parent,
            is_ours=None if self._trace_parent else partial(_is_ours, app.state.caller_verifier),
            streams=self._streams,
        )
        return app

    def _person_verifier(self) -> PersonVerifier:
        url = urlsplit(self.settings.person_keys_url or KEYS_PATH)
        return PersonVerifier(url.geturl(), self._calls_to(PEOPLE_ISSUER, f"{url.scheme}://{url.netloc}"))

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        settings = self.settings
        provider = set_up_tracing(self._telemetry)
        newest = newest_migration(migrations_of(settings.service_name))
        for number, database in enumerate(self._databases):
            self._readiness.checks[f"database{number or ''}"] = partial(database.check, newest)
        # What is committed goes out later, and what is published is heard later: without NATS a service answers all the same.
        self._readiness.alarms["nats"] = self._check_broker
        self._readiness.alarms["firehose"] = self._check_consumers
        async with AsyncExitStack() as stack:
            stack.callback(provider.shutdown)
            if settings.metrics_endpoint:
                export = MetricsExport(self.metrics, settings.metrics_endpoint)
                export.start()
                stack.push_async_callback(asyncio.to_thread, export.stop)
            for database in self._databases:
                stack.push_async_callback(database.close)
            for client in self._clients:
                stack.push_async_callback(client.aclose)
            stack.push_async_callback(self.broker.close)
            watching = (("watching", self._watching.run), ("pulse", self._watching.feel_pulse))
            for resource in self._managed:
                await stack.enter_async_context(resource)
            await stack.enter_async_context(_running(*watching, ("nats", self.broker.run), *self._tasks))
            # The first request may kill this process, and whoever looks for it has to know that it was there.
            await asyncio.to_thread(provider.wait_until_known, KNOWN_SECONDS)
            _LOG.info("started", port=settings.port)
            yield
            self._readiness.draining = True
            _LOG.info("stopping")

    async def _check_broker(self) -> None:
        if problem := self.broker.problem:
            raise ConnectionError(problem)

    async def _check_consumers(self) -> None:
        if waiting := self._firehose.waiting:
            sentences = "; ".join(f"{name} waits ({why})" for name, why in sorted(waiting.items()))
            raise ConnectionError(f"Facts are not heard: {sentences}.")


def _is_ours(verifier: CallerVerifier, headers: Mapping[bytes, bytes]) -> bool:
    """Whether one of our services sends this: only its trace is gone on with."""
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        verifier.caller(token)
    except NotAuthenticated:
        # The route refuses such a request. If only a clock is wrong, the caller's trace shows it, so its trace is continued.
        return verifier.signed_by_ours(token)
    return True


@asynccontextmanager
async def _running(*parts: tuple[str, Callable[[], Coroutine[Any, Any, None]]]) -> AsyncIterator[None]:
    """Runs the parts beside the block, and cancels them after it. If one fails for good, so does the process."""
    tasks = [asyncio.create_task(run(), name=name) for name, run in parts]
    for task in tasks:
        task.add_done_callback(_end_process_if_failed)
    try:
        yield
    finally:
        pending = set(tasks)
        while pending:
            # More than once: Python 3.11's `wait_for` swallows a cancellation that meets its own end (gh-86296), and so
            # do libraries built on it.
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)


def _end_process_if_failed(task: asyncio.Task[None]) -> None:
    if task.cancelled() or task.exception() is None:
        return
    # The supervisor starts it anew; a service that has lost a part must not look healthy.
    _LOG.critical("a part of the service failed for good", part=task.get_name(), exc_info=task.exception())
    os.kill(os.getpid(), signal.SIGTERM)


def _add_routes(app: FastAPI, router: APIRouter) -> None:
    """The routes as they were made. `include_router` would make each a second time, at the first request."""
    any_answer = APIRoute("/", lambda: None, responses=app.router.responses)
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.responses = any_answer.responses | route.responses
            route.response_fields = any_answer.response_fields | route.response_fields
    app.router.routes.extend(router.routes)


def _check_access(router: APIRouter) -> None:
    for route in router.routes:
        if not isinstance(route, APIRoute | APIWebSocketRoute):
            continue
        if not any(access_of(each.call) for each in route.dependant.dependencies):
            methods = sorted(route.methods or ()) if isinstance(route, APIRoute) else "socket"
            raise ValueError(f"{methods} {route.path} does not say who may call it.")
