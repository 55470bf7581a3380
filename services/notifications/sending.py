"""Sends what is due. A mail that was sent and could not be marked so is sent again, with the same Message-ID."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.clock import utc_now
from chassis.db import Database
from chassis.failpoints import failpoint
from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.logs import log
from services.notifications import queries
from services.notifications.addresses import AddressBound
from services.notifications.clients.accounts import AccountsClient
from services.notifications.clients.tickets import TicketsClient
from services.notifications.composing import Sender, compose, mailbox_of, pass_until
from services.notifications.domain import Delivery, NotDelivered, NotNow, carries_tickets, next_delay_seconds
from services.notifications.settings import NotificationsSettings
from services.notifications.smtp import MailServer
from tracing.spans import continued, mark_failed, note

# Many mails that failed together should not come back together.
JITTER = (0.8, 1.2)

_LOG = log(__name__)


class Emails:
    """The worker's side of deliveries."""

    def __init__(
        self,
        settings: NotificationsSettings,
        database: Database,
        accounts: AccountsClient,
        tickets: TicketsClient,
        bound: AddressBound,
    ) -> None:
        self._settings = settings
        self._database = database
        self._accounts = accounts
        self._tickets = tickets
        self._bound = bound
        self._under_way: set[asyncio.Task[None]] = set()
        self._server = MailServer(settings)
        self._sender = Sender(settings.mail_from, settings.shop_url)

    async def send_due(self) -> int:
        """Begins with due mails while there is room, and waits until one is done: a slow one keeps no other waiting.

        How many were begun or are under way; 0 when there is nothing to do.
        """
        begun = await self._begin(self._settings.send_batch - len(self._under_way))
        if not self._under_way:
            return 0
        # Mails that become due meanwhile are looked for in a moment, however long those under way take.
        patience = None if len(self._under_way) == self._settings.send_batch else min(1.0, self._settings.poll_seconds)
        done, _ = await asyncio.wait(self._under_way, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        self._under_way -= done
        # One that cannot even be marked does not stop the others half-way through their conversations.
        for outcome in (task.exception() for task in done):
            if outcome is not None:
                raise outcome
        return begun + len(self._under_way) + len(done)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Ends what is under way when the service stops; its leases end by themselves."""
        try:
            yield
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _begin(self, room: int) -> int:
        if room <= 0:
            return 0
        async with self._database.writer(single=True) as tx:
            due = await queries.claim_due(tx, limit=room, lease_seconds=self._settings.lease_seconds)
        self._under_way |= {asyncio.create_task(self._deliver(each)) for each in due}
        return len(due)

    async def _deliver(self, delivery: Delivery) -> None:
        attributes = {
            "onsale.order_id": str(delivery.order_id),
            "onsale.order_number": delivery.order_number,
            "onsale.template": delivery.template.value,
            "onsale.attempt": delivery.attempt,
        }
        repeated = delivery.attempt > 1
        with continued("notifications.send_email", delivery.traceparent, attributes, repeated=repeated) as current:
            problem = await self._try(delivery)
            if isinstance(problem, NotNow):
                note({"onsale.refusal": "many_mails_to_this_address"})
                async with self._database.writer(single=True) as tx:
                    await queries.wait_for_address(tx, delivery, problem.until)
                _LOG.info("an email waits", template=delivery.template.value, order_id=str(delivery.order_id))
            elif problem is None:
                failpoint("notifications.sent_not_marked")
                async with self._database.writer(single=True) as tx:
                    await queries.mark_sent(tx, delivery)
                _LOG.info("email sent", template=delivery.template.value, order_id=str(delivery.order_id))
            else:
                mark_failed(current, problem.reason)
                await self._put_off(delivery, problem)

    async def _try(self, delivery: Delivery) -> NotDelivered | NotNow | None:
        """One try, within its time. What went wrong; None if the server took the mail."""
        try:
            async with asyncio.timeout(self._settings.attempt_seconds):
                await self._send(delivery)
        except (NotDelivered, NotNow) as problem:
            return problem
        except ProviderUnavailable as error:
            return NotDelivered(f"{error.provider} did not answer")
        except ProviderProblem as error:
            return NotDelivered(f"{error.provider} answered {error.status} {error.said}")
        except TimeoutError:
            return NotDelivered(f"it took more than {self._settings.attempt_seconds:g} seconds")
        except Exception as error:  # noqa: BLE001  # whatever it is, the tries are counted and the last problem is kept
            # Its text may quote the buyer's address: only its kind is recorded.
            return NotDelivered(f"unexpected {type(error).__name__}")
        return None

    async def _send(self, delivery: Delivery) -> None:
        contact = await self._accounts.contact_of(delivery.person_id, delivery.order_id, pass_until(delivery))
        until = await self._bound.free_at(delivery, mailbox_of(contact.email or ""))
        if until is not None:
            raise NotNow(until)
        has_tickets = carries_tickets(delivery.template, delivery.content.get("changes", []))
        pdf = await self._tickets.pdf_of(delivery.order_id, contact) if has_tickets else None
        await self._server.send(compose(delivery, contact, pdf, self._sender, utc_now()))

    async def _put_off(self, delivery: Delivery, problem: NotDelivered) -> None:
        delay = next_delay_seconds(delivery.attempt, self._settings.retry_delays_seconds)
        about = {"template": delivery.template.value, "order_id": str(delivery.order_id), "problem": problem.reason}
        async with self._database.writer() as tx:
            if problem.permanent or delay is None:
                await queries.mark_failed(tx, delivery, problem.reason)
                _LOG.error("an email was given up", attempts=delivery.attempt, **about)
            else:
                seconds = delay * random.uniform(*JITTER)  # noqa: S311  # jitter is no secret
                await queries.try_later(tx, delivery, problem.reason, seconds)
                _LOG.warning("an email will be tried again", in_seconds=round(seconds, 1), **about)
