"""Nobody's mailbox is filled by others, nothing is lost, and nobody's mail is behind a slow one."""

import asyncpg

from services.notifications.addresses import mailbox_of_all
from services.notifications.app import create_app
from services.notifications.tests.integration.conftest import ADDRESS, World


async def test_more_mails_to_one_address_than_a_window_takes_wait_and_all_arrive(world: World) -> None:
    settings = world.settings.model_copy(update={"mails_per_address": 3})
    async with world.harness.running(create_app, settings):
        for _ in range(7):
            await world.issue(paid_minor=0)
        await world.until("sent", 3)

        async def others_wait() -> bool:
            rows = await world.deliveries("waiting")
            waits = "many mails went to this address lately; it waits"
            return [row["last_problem"] for row in rows] == [waits] * 4 and all(
                row["leased_until"] is None for row in rows
            )

        await world.harness.eventually(others_wait)
        assert len(world.mail.messages) == 3
        # They were no tries, and the mail server was not asked.
        assert {row["attempts"] for row in await world.deliveries("waiting")} == {0}
        for sent in (6, 7):
            await the_window_passes(world)
            await world.until("sent", sent)
    assert len({str(message["Message-ID"]) for message in world.mail.messages}) == 7


async def the_window_passes(world: World) -> None:
    connection = await asyncpg.connect(world.settings.database_url.get_secret_value())
    await connection.execute("UPDATE address_use SET used_at = used_at - interval '2 hours'")
    await connection.execute("UPDATE delivery SET next_attempt_at = now() WHERE state = 'waiting'")
    await connection.close()


async def test_other_addresses_do_not_wait(world: World) -> None:
    settings = world.settings.model_copy(update={"mails_per_address": 1})
    async with world.harness.running(create_app, settings):
        for number in range(4):
            world.address = f"buyer{number}@example.org"
            await world.issue(paid_minor=0)
        await world.until("sent", 4)


async def test_mails_of_paid_orders_do_not_wait_for_mails_that_strangers_let_go_to_their_buyer(world: World) -> None:
    settings = world.settings.model_copy(update={"mails_per_address": 2})
    async with world.harness.running(create_app, settings):
        for _ in range(4):
            await world.issue(paid_minor=0)
        await world.until("sent", 2)
        bought = await world.issue()
        await world.change(order_id=bought["order_id"])
        await world.cancel(paid=True)
        sent = await world.until("sent", 5)
        assert {row["template"].partition("/")[0] for row in sent} == {"tickets", "new_date", "money_returned"}
        assert len(await world.deliveries("waiting")) == 2


async def test_mails_of_paid_orders_take_no_place_of_others(world: World) -> None:
    settings = world.settings.model_copy(update={"mails_per_address": 1})
    async with world.harness.running(create_app, settings):
        for _ in range(3):
            await world.issue()
        await world.until("sent", 3)
        await world.issue(paid_minor=0)
        await world.until("sent", 4)


async def test_changes_of_a_free_order_count_as_its_tickets_do(world: World) -> None:
    settings = world.settings.model_copy(update={"mails_per_address": 1})
    async with world.harness.running(create_app, settings):
        free = await world.issue(paid_minor=0)
        await world.until("sent")
        await world.change(order_id=free["order_id"])

        async def waits() -> bool:
            return [row["attempts"] for row in await world.deliveries("waiting_news")] == [0] and bool(
                (await world.deliveries("waiting_news"))[0]["last_problem"]
            )

        await world.harness.eventually(waits)


async def test_a_mail_that_is_tried_again_takes_one_place(world: World) -> None:
    world.mail.refuse_mail = "451 4.3.0 later"
    settings = world.settings.model_copy(update={"mails_per_address": 1})
    async with world.harness.running(create_app, settings):
        await world.issue(paid_minor=0)

        async def tried_twice() -> bool:
            rows = await world.deliveries("waiting")
            return bool(rows) and rows[0]["attempts"] >= 3

        await world.harness.eventually(tried_twice)
        world.mail.refuse_mail = None
        await world.until("sent")
    assert len(await world.rows("SELECT FROM address_use")) == 1


async def test_the_address_is_known_by_its_keyed_digest_alone_and_forgotten(world: World) -> None:
    settings = world.settings.model_copy(update={"mails_per_address_seconds": 3600.0})
    async with world.harness.running(create_app, settings):
        await world.issue(paid_minor=0)
        await world.until("sent")
        [use] = await world.rows("SELECT * FROM address_use")
        assert len(use["digest"]) == 32
        assert ADDRESS not in await world.everything_stored()
    await the_window_passes(world)
    async with world.harness.running(create_app, settings):

        async def forgotten() -> bool:
            return not await world.rows("SELECT FROM address_use")

        await world.harness.eventually(forgotten)


async def test_a_neighbours_mail_does_not_wait_for_one_whose_tickets_are_slow_to_print(world: World) -> None:
    settings = world.settings.model_copy(update={"send_batch": 4, "poll_seconds": 0.05})
    async with world.harness.running(create_app, settings):
        for _ in range(3):
            await world.issue(slowly=True)
        quick = await world.issue()
        await world.until("sent")
        [message] = world.mail.messages
        assert quick["order_id"] in str(message["Message-ID"])
        for printed in world.neighbours.unprinted.values():
            printed.set()
        await world.until("sent", 4)


def test_spellings_of_one_mailbox_are_one() -> None:
    assert mailbox_of_all("Zoe+tickets@Example.ORG") == mailbox_of_all("zoe@example.org") == "zoe@example.org"
    assert mailbox_of_all("+a@example.org") == "+a@example.org"
