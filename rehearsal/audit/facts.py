"""Promises about what was said: facts, mails and answers (invariants 7 to 11, and 16)."""

from rehearsal.audit.model import Invariant

TOLD_EXISTS = Invariant(
    7,
    "what a buyer was told of exists",
    "Every order whose number a buyer was shown is on the server.",
    """SELECT told.number AS about, told, told.state AS told_state, at, told.trace_id AS trace FROM told
       LEFT JOIN orders_order AS orders USING (number) WHERE told.number IS NOT NULL AND orders.number IS NULL""",
)
TOLD_CONFIRMED = Invariant(
    7,
    "who was told that it is bought has bought it",
    "An order that a buyer saw confirmed is confirmed, with as many places as they saw.",
    """SELECT told.number AS about, orders.state AS order_is, told.places AS told_places, lines.places, at, told.trace_id AS trace
       FROM told JOIN orders_order AS orders USING (number)
       LEFT JOIN (SELECT order_id, sum(quantity) AS places FROM orders_line GROUP BY 1) AS lines USING (order_id)
       WHERE told = 'confirmed' AND (orders.state <> 'confirmed' OR lines.places IS DISTINCT FROM told.places)""",
)
TOLD_CANCELLED = Invariant(
    7,
    "who was told that it is cancelled has not bought",
    "An order that a buyer saw cancelled stays so.",
    """SELECT told.number AS about, orders.state AS order_is, at, told.trace_id AS trace
       FROM told JOIN orders_order AS orders USING (number) WHERE told = 'cancelled' AND orders.state <> 'cancelled'""",
)
HEARD_ONCE = Invariant(
    8,
    "each fact took effect once at each who hears it",
    "A fact in an outbox is in the inbox of every service that hears its subject, once.",
    """SELECT COALESCE(outbox.order_id, outbox.aggregate_id) AS about, outbox.subject, hears.consumer, outbox.event_id AS fact,
              COALESCE(heard.times, 0) AS times
       FROM all_outbox AS outbox JOIN hears USING (subject) LEFT JOIN (
           SELECT consumer, event_id, count(*) AS times FROM all_inbox GROUP BY 1, 2
       ) AS heard USING (consumer, event_id) WHERE heard.times IS DISTINCT FROM 1""",
)
NO_PHANTOM = Invariant(
    8,
    "nothing was heard that nobody published",
    "A fact in an inbox is in the outbox of the service that published it.",
    """SELECT inbox.aggregate_id AS about, inbox.subject, inbox.consumer, inbox.event_id AS fact
       FROM all_inbox AS inbox LEFT JOIN all_outbox AS outbox USING (event_id) WHERE outbox.event_id IS NULL""",
)
SENT = Invariant(
    8,
    "every fact has left",
    "No fact waits in an outbox, and none is there twice.",
    """SELECT COALESCE(min(order_id), min(aggregate_id)) AS about, min(subject) AS subject, event_id AS fact, count(*) AS times,
              bool_and(sent) AS has_left
       FROM all_outbox GROUP BY event_id HAVING count(*) > 1 OR NOT bool_and(sent)""",
)
NO_DEAD = Invariant(
    8,
    "no fact is a dead letter",
    "Every fact could take effect.",
    "SELECT aggregate_id AS about, consumer, subject, reason FROM all_dead",
)
# A state, its fact, and which of those in that state are published: an order that was refused at once was heard of by nobody.
_STATES_SAID = (
    ("orders_order", "order_id", "confirmed", "events.orders.order_confirmed.v1", "true"),
    ("orders_order", "order_id", "cancelled", "events.orders.order_cancelled.v1", "reason <> 'refused'"),
    ("payments_change", "payment_id", "authorised", "events.payments.payment_authorised.v1", "true"),
    ("payments_change", "payment_id", "captured", "events.payments.payment_captured.v1", "true"),
    ("payments_change", "payment_id", "refunded", "events.payments.payment_refunded.v1", "true"),
)
FACTS_ARE_TRUE = Invariant(
    9,
    "facts say what is so",
    "What was published as confirmed, cancelled, authorised, captured or refunded is so, and what is so was published.",
    " UNION ALL ".join(
        f"""SELECT COALESCE(said.order_id, so.{key}::text) AS about, '{subject}' AS fact, so.state AS so,
                   COALESCE(said.times, 0) AS published
            FROM (SELECT {key}, state, {published} AS published FROM {table} WHERE state = '{state}') AS so FULL JOIN (
                SELECT aggregate_id, min(order_id) AS order_id, count(*) AS times
                FROM all_outbox WHERE subject = '{subject}' GROUP BY 1
            ) AS said ON said.aggregate_id = so.{key}::text
            WHERE said.times IS NULL AND so.published OR so.{key} IS NULL"""
        for table, key, state, subject, published in _STATES_SAID
    ),
)
TICKETS_SAID = Invariant(
    9,
    "issued tickets were published, once for each time that they were asked for",
    "For each order that has tickets there is a fact that says so, for no other, and not more than confirmations of it.",
    """SELECT COALESCE(issued.order_id::text, said.aggregate_id) AS about, issued.tickets, COALESCE(said.issued, 0) AS published,
              said.confirmed AS asked_for
       FROM (SELECT order_id, count(*) AS tickets FROM tickets_ticket GROUP BY 1) AS issued FULL JOIN (
           SELECT aggregate_id, count(*) FILTER (WHERE subject = 'events.tickets.tickets_issued.v1') AS issued,
                  count(*) FILTER (WHERE subject = 'events.orders.order_confirmed.v1') AS confirmed
           FROM all_outbox WHERE subject IN ('events.tickets.tickets_issued.v1', 'events.orders.order_confirmed.v1') GROUP BY 1
       ) AS said ON said.aggregate_id = issued.order_id::text
       WHERE said.issued > said.confirmed OR (issued.order_id IS NULL) <> (COALESCE(said.issued, 0) = 0)""",
)
EXPIRED_SAID = Invariant(
    9,
    "a hold that was said to have expired has",
    "Each fact about an expired hold is about one that expired, once.",
    """SELECT COALESCE(min(order_id), aggregate_id) AS about, aggregate_id AS hold, count(*) AS published
       FROM all_outbox LEFT JOIN inventory_hold_change AS change ON change.hold_id::text = aggregate_id AND change.state = 'expired'
       WHERE subject = 'events.inventory.hold_expired.v1' GROUP BY aggregate_id
       HAVING count(*) <> 1 OR count(change.hold_id) = 0""",
)
PLACES_AS_PUBLISHED = Invariant(
    9,
    "inventory knows the classes that catalog sells",
    "Each class of catalog is in inventory with its kind, event and capacity.",
    """SELECT 'class ' || theirs.name || ' ' || class_id AS about, theirs.kind, theirs.capacity, ours.kind AS kind_in_inventory,
              ours.capacity AS capacity_in_inventory
       FROM catalog_class AS theirs LEFT JOIN inventory_class AS ours USING (class_id)
       WHERE (theirs.kind, theirs.event_id, theirs.capacity) IS DISTINCT FROM (ours.kind, ours.event_id, ours.capacity)""",
)
NO_GAP = Invariant(
    10,
    "the steps of an order have no gap",
    "Its steps are numbered from 1 on, each once, and the last one led to the state that it is in.",
    """SELECT number AS about, orders.state AS order_is, count(change.change_no) AS steps, max(change.change_no) AS last_number,
              (array_agg(change.state ORDER BY change.change_no DESC))[1] AS last_step_to
       FROM orders_order AS orders LEFT JOIN orders_change AS change USING (order_id)
       WHERE orders.state <> 'placing' GROUP BY number, orders.state
       HAVING count(change.change_no) IS DISTINCT FROM max(change.change_no)
           OR count(change.change_no) <> count(DISTINCT change.change_no) OR min(change.change_no) <> 1
           OR (array_agg(change.state ORDER BY change.change_no DESC))[1] <> orders.state""",
)
STEPS_KEPT = Invariant(
    10,
    "payments and holds remember the step to where they are",
    "The state that a payment or an ended hold is in is among its recorded steps.",
    """SELECT payment.order_id AS about, 'payment' AS of, payment.state FROM payments_payment AS payment
       LEFT JOIN payments_change USING (payment_id, state)
       WHERE payments_change.payment_id IS NULL AND payment.order_id IS NOT NULL AND payment.state <> 'created'
       UNION ALL
       SELECT hold.order_id, 'hold', hold.state FROM inventory_hold AS hold
       LEFT JOIN inventory_hold_change AS change USING (hold_id, state)
       WHERE change.hold_id IS NULL AND hold.state IN ('committed', 'expired')""",
)
ONE_MAIL = Invariant(
    11,
    "one mail of a kind for an order, with one Message-ID",
    "No order has two mails of one kind, and no two mails share a Message-ID.",
    """SELECT order_number AS about, template, count(*) AS mails, min(message_id) AS message_id FROM notifications_delivery
       GROUP BY order_id, order_number, template HAVING count(*) > 1
       UNION ALL
       SELECT min(order_number), max(template), count(*), message_id FROM notifications_delivery
       GROUP BY message_id HAVING count(*) > 1""",
)
MAIL_FOR_TICKETS = Invariant(
    11,
    "who has tickets is sent them, and nobody else",
    "A confirmed order has a mail with its tickets, and no other order has one.",
    """SELECT COALESCE(number, order_number) AS about, orders.state AS order_is, mail.state AS mail_is
       FROM (SELECT order_id, number, state FROM orders_order WHERE state = 'confirmed') AS orders FULL JOIN (
           SELECT order_id, order_number, state FROM notifications_delivery WHERE template = 'tickets'
       ) AS mail USING (order_id) WHERE orders.order_id IS NULL OR mail.order_id IS NULL""",
)
ONE_ORDER_OF_A_REQUEST = Invariant(
    16,
    "a request that is sent again makes no second order",
    "Under one key of one person there is one order that was not cancelled.",
    """SELECT min(number) AS about, max(number) AS also, count(*) AS orders FROM orders_order
       WHERE request_key IS NOT NULL AND reason IS NULL GROUP BY person_id, request_key HAVING count(*) > 1""",
)
ONE_ANSWER = Invariant(
    16,
    "a key has one answer, and it is true",
    "Each key of a caller has one answer, and an order that it names is there.",
    """SELECT min(key.number) AS about, service, route, key.key, count(*) AS answers FROM all_key AS key
       GROUP BY service, principal, route, key.key HAVING count(*) > 1
       UNION ALL
       SELECT key.number, service, route, key.key, 1 FROM all_key AS key LEFT JOIN orders_order AS orders USING (number)
       WHERE key.status BETWEEN 200 AND 299 AND key.number IS NOT NULL AND orders.number IS NULL""",
)
FACTS = (
    TOLD_EXISTS,
    TOLD_CONFIRMED,
    TOLD_CANCELLED,
    HEARD_ONCE,
    NO_PHANTOM,
    SENT,
    NO_DEAD,
    FACTS_ARE_TRUE,
    TICKETS_SAID,
    EXPIRED_SAID,
    PLACES_AS_PUBLISHED,
    NO_GAP,
    STEPS_KEPT,
    ONE_MAIL,
    MAIL_FOR_TICKETS,
    ONE_ORDER_OF_A_REQUEST,
    ONE_ANSWER,
)
