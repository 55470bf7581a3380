"""When a mail is tried again, and by which name mail programs know it."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from chassis.testing import Keys
from services.notifications.domain import Template, carries_tickets, message_id_of, next_delay_seconds
from services.notifications.settings import NotificationsSettings

ORDER_ID = UUID("01930000-0000-7000-8000-0000000000aa")


def test_the_delays_grow_and_end() -> None:
    delays = NotificationsSettings.model_fields["retry_delays_seconds"].default
    tried = [next_delay_seconds(attempt, delays) for attempt in range(1, len(delays) + 2)]
    assert tried[-1] is None
    assert tried[:-1] == sorted(delays)
    assert 20 * 3600 < sum(delays) < 30 * 3600


def test_tickets_are_attached_wherever_what_stands_on_them_is_new() -> None:
    without_new_codes = {each for each in Template if carries_tickets(each, ["starts_at"])}
    with_new_codes = {each for each in Template if carries_tickets(each, ["starts_at", "codes"])}
    assert with_new_codes - without_new_codes >= {Template.POSTPONED, Template.MOVED_ONLINE}
    assert Template.CANCELLED not in with_new_codes | without_new_codes
    assert without_new_codes == {Template.TICKETS, Template.NEW_DATE, Template.NEW_PLACE, Template.EVENT_CHANGED}


def test_a_message_id_is_the_same_for_the_same_mail_and_for_no_other() -> None:
    one = message_id_of(ORDER_ID, Template.TICKETS, "onsale.example")
    assert one == message_id_of(ORDER_ID, Template.TICKETS, "onsale.example")
    assert one != message_id_of(ORDER_ID, Template.MONEY_RETURNED, "onsale.example")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"lease_seconds": 60}, "lease_seconds must be more than attempt_seconds"),
        ({"mail_from": "Onsale"}, "mail_from is not an address"),
    ],
)
def test_settings_that_cannot_work_are_refused(keys: Keys, values: dict[str, object], sentence: str) -> None:
    others: dict[str, object] = {
        "accounts_url": "http://accounts",
        "tickets_url": "http://tickets",
        "database_url": "postgresql://",
        "nats_url": "nats://",
        "key_file": keys.key_file("notifications"),
        "service_keys_file": keys.service_keys_file,
        "person_keys_url": "http://accounts",
    }
    NotificationsSettings.model_validate(others)
    with pytest.raises(ValidationError, match=sentence):
        NotificationsSettings.model_validate(others | values)
