"""The database itself refuses that a mail which was sent is sent once more, another Message-ID, and an address beside its digest."""

from alembic import op

from chassis.migrations import add_check, add_rule

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds only."""
    add_rule(
        op,
        "delivery",
        "delivery_is_sent_once",
        on="UPDATE OF state",
        when="OLD.state = 'sent' AND NEW.state <> 'sent'",
        says="this mail was sent, and is not sent once more",
    )
    add_rule(
        op,
        "delivery",
        "delivery_keeps_its_message_id",
        on="UPDATE OF message_id, order_id",
        when="OLD.message_id <> NEW.message_id OR OLD.order_id <> NEW.order_id",
        says="a mail keeps its Message-ID, so that mail programs show it once",
    )
    add_check(op, "address_use", "digest_only", "octet_length(digest) = 32")
