"""What web needs of notifications: what it has recorded of an order's mails, for support."""

from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks
from services.web.clients.notifications import NotificationsClient
from services.web.clients.records import GET_RECORDS
from services.web.tests.contract.recorded import any_of, entry, records

notifications = asks("web", "notifications", NotificationsClient)


async def test_a_mail_that_was_sent_at_the_second_attempt_has_its_story(
    notifications: Asking[NotificationsClient],
) -> None:
    order_id = an_id("web asks notifications: order")
    untraced = {"trace": matchers.nothing(), "span": matchers.nothing()}
    put_off = entry(
        "mail_put_off",
        kind="tickets",
        attempt=1,
        reason="tickets did not answer",
        until=matchers.from_now(0),
        **untraced,
    )
    async with notifications.expects(
        "the records of an order whose mail was sent at the second attempt",
        a_state("a mail that was sent at the second attempt", order_id=order_id),
        ask(GET_RECORDS, order_id=order_id),
        Answer(
            200,
            records(
                entry(any_of("notifications", "mail_noted"), kind="tickets"),
                put_off,
                entry("mail_sent", kind="tickets", attempt=2, **untraced),
            ),
        ),
    ) as client:
        found = await client.records(order_id)
        assert [each.facts.attempt for each in found.entries] == [None, 1, 2]
