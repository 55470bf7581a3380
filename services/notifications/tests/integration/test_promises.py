"""What notifications promises of mails is kept by the database itself, whatever the code does."""

import pytest

from chassis.testing import Harness

SENT = """
    INSERT INTO delivery (delivery_id, order_id, order_number, person_id, template, content, message_id, state, attempts, sent_at)
    SELECT gen_random_uuid(), gen_random_uuid(), '1', gen_random_uuid(), 'tickets', '{}', '<1@shop.test>', 'sent', 1, now()
"""


@pytest.mark.parametrize("state", ["'waiting'", "'waiting_news'", "'failed'"])
async def test_a_mail_that_was_sent_is_not_sent_once_more(harness: Harness, state: str) -> None:
    again = "UPDATE delivery SET state = :state, sent_at = NULL, last_problem = 'none'".replace(":state", state)
    said = await harness.refused(harness.database_url("notifications"), SENT, again)
    assert said == "this mail was sent, and is not sent once more"


@pytest.mark.parametrize(
    "change", ["UPDATE delivery SET message_id = '<2@shop.test>'", "UPDATE delivery SET order_id = gen_random_uuid()"]
)
async def test_a_mail_keeps_its_message_id(harness: Harness, change: str) -> None:
    said = await harness.refused(harness.database_url("notifications"), SENT, change)
    assert "keeps its Message-ID" in said


async def test_no_address_stands_where_its_digest_belongs(harness: Harness) -> None:
    used = "INSERT INTO address_use (delivery_id, digest) SELECT gen_random_uuid(), 'zoe.secret@example.org'"
    assert "digest_only" in await harness.refused(harness.database_url("notifications"), used)
