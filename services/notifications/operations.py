"""What notifications offers to other services: its records, for support."""

from typing import Literal

from chassis.records import ChassisWhat, Entry, Records, records_operation

NotificationsWhat = Literal["mail_noted", "mail_sent", "mail_put_off", "mail_given_up"]


class NotificationsEntry(Entry):
    """What happened to the mails of an order."""

    what: Literal[NotificationsWhat, ChassisWhat]


class NotificationsRecords(Records):
    """An order as notifications has recorded it."""

    entries: list[NotificationsEntry]


GET_RECORDS = records_operation(NotificationsRecords)
OPERATIONS = (GET_RECORDS,)
