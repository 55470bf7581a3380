"""Promises about money: who has tickets has paid for them once, and nobody else has paid (invariants 4 to 6)."""

from rehearsal.audit.model import Invariant

PAID_ONCE = Invariant(
    4,
    "a confirmed order has one captured payment",
    "A confirmed order that costs something has exactly one captured payment, its own, of its amount and currency; a free one none.",
    """SELECT number AS about, total_minor, orders.currency, count(payment.payment_id) AS captured,
              min(payment.amount_minor) AS captured_minor
       FROM orders_order AS orders LEFT JOIN payments_payment AS payment
            ON payment.order_id = orders.order_id AND payment.state = 'captured'
       WHERE orders.state = 'confirmed' GROUP BY number, total_minor, orders.currency, orders.payment_id
       HAVING count(payment.payment_id) <> CASE WHEN total_minor = 0 THEN 0 ELSE 1 END
           OR bool_or((payment.amount_minor, payment.currency, payment.payment_id)
                      IS DISTINCT FROM (total_minor, orders.currency, orders.payment_id)) AND total_minor > 0""",
)
CAPTURED_CONFIRMED = Invariant(
    4,
    "captured payments are those of confirmed orders",
    "Nobody whose order is not confirmed has paid.",
    """SELECT COALESCE(number, payment.order_id::text) AS about, orders.state AS order_is, amount_minor AS captured_minor,
              payment.currency
       FROM payments_payment AS payment LEFT JOIN orders_order AS orders USING (order_id)
       WHERE payment.state = 'captured' AND orders.state IS DISTINCT FROM 'confirmed'""",
)
TRANSFERS = Invariant(
    5,
    "transfers sum to zero",
    "The lines of each booking of the ledger sum to zero in each currency, and there are some.",
    """SELECT payment.order_id AS about, transfer_id AS transfer, booked.currency, sum(booked.amount_minor) AS sum_minor
       FROM payments_booked AS booked LEFT JOIN payments_payment AS payment USING (payment_id)
       GROUP BY payment.order_id, transfer_id, booked.currency
       HAVING sum(booked.amount_minor) IS DISTINCT FROM 0""",
)
_STEPS = """
    SELECT payment_id, order_id, amount_minor, currency, step
    FROM payments_payment JOIN (VALUES ('captured', 'captured'), ('refunded', 'captured'), ('refunded', 'refunded'))
         AS steps(state, step) USING (state)"""
BOOKED_ONCE = Invariant(
    5,
    "each step of a payment is booked once",
    "A captured payment is booked as captured, a refunded one also as refunded, each once and at its amount; nothing else is.",
    f"""SELECT COALESCE(taken.order_id::text, payment_id::text) AS about, step, taken.amount_minor AS payment_minor,
               booked.amount_minor AS booked_minor, booked.times
        FROM ({_STEPS}) AS taken FULL JOIN (
            SELECT payment_id, kind AS step, currency, sum(amount_minor) FILTER (WHERE amount_minor > 0) AS amount_minor,
                   count(DISTINCT transfer_id) AS times
            FROM payments_booked GROUP BY 1, 2, 3
        ) AS booked USING (payment_id, step, currency)
        WHERE taken.amount_minor IS DISTINCT FROM booked.amount_minor OR booked.times <> 1""",
)
BALANCE = Invariant(
    5,
    "what was taken less what was given back is what the order costs",
    "By the ledger, captures less refunds of an order are the total of a confirmed one, and nothing of any other.",
    """SELECT COALESCE(number, order_id::text) AS about, orders.currency, should.minor AS should_be_minor, kept.minor AS kept_minor
       FROM (
           SELECT order_id, payment.currency, sum(booked.amount_minor) AS minor
           FROM payments_booked AS booked JOIN payments_payment AS payment USING (payment_id)
           WHERE account = 'gateway_clearing' GROUP BY 1, 2 HAVING sum(booked.amount_minor) <> 0
       ) AS kept FULL JOIN (
           SELECT order_id, currency, total_minor AS minor FROM orders_order WHERE state = 'confirmed' AND total_minor > 0
       ) AS should USING (order_id, currency)
       LEFT JOIN orders_order AS orders USING (order_id)
       WHERE kept.minor IS DISTINCT FROM should.minor""",
)
TOTALS = Invariant(
    5,
    "totals are the sums of lines",
    "An order costs what its lines cost together.",
    """SELECT number AS about, total_minor, COALESCE(sum(quantity * unit_price_minor), 0) AS lines_minor
       FROM orders_order LEFT JOIN orders_line USING (order_id) WHERE state = 'confirmed'
       GROUP BY number, total_minor HAVING total_minor <> COALESCE(sum(quantity * unit_price_minor), 0)""",
)
BANK_TOOK = Invariant(
    6,
    "the bank took what we captured",
    "Payment by payment, what the bank charged less what it gave back is what we say is captured, in both directions.",
    """SELECT COALESCE(ours.order_id::text, theirs.reference, theirs.payment_id) AS about, ours.amount_minor AS ours_minor,
              ours.currency, theirs.amount_minor AS bank_minor, theirs.currency AS bank_currency
       FROM (SELECT * FROM payments_payment WHERE state = 'captured') AS ours FULL JOIN (
           SELECT payment_id, reference, currency,
                  sum(CASE kind WHEN 'refund' THEN -amount_minor ELSE amount_minor END) AS amount_minor
           FROM bank_entry GROUP BY 1, 2, 3 HAVING sum(CASE kind WHEN 'refund' THEN -amount_minor ELSE amount_minor END) <> 0
       ) AS theirs ON theirs.payment_id = ours.gateway_payment_id
       WHERE (ours.amount_minor, ours.currency) IS DISTINCT FROM (theirs.amount_minor::bigint, theirs.currency)""",
)
ONE_CHARGE = Invariant(
    6,
    "an order is charged once",
    "The bank has at most one charge of an order that was not given back, whatever the keys.",
    """SELECT reference AS about, count(*) FILTER (WHERE kind = 'charge') AS charges,
              count(*) FILTER (WHERE kind = 'refund') AS refunds
       FROM bank_entry GROUP BY reference
       HAVING count(*) FILTER (WHERE kind = 'charge') - count(*) FILTER (WHERE kind = 'refund') > 1""",
)
KEYS_ARE_OURS = Invariant(
    6,
    "each booking of the bank has a key of ours, once",
    "What the bank booked was asked for under a key that payments wrote down before, and no key is booked twice.",
    """SELECT reference AS about, key, entry.kind, count(*) AS times, count(operation.key) AS known_here
       FROM bank_entry AS entry LEFT JOIN payments_operation AS operation USING (key)
       GROUP BY reference, key, entry.kind HAVING count(*) > 1 OR count(operation.key) = 0""",
)
MONEY = (
    PAID_ONCE,
    CAPTURED_CONFIRMED,
    TRANSFERS,
    BOOKED_ONCE,
    BALANCE,
    TOTALS,
    BANK_TOOK,
    ONE_CHARGE,
    KEYS_ARE_OURS,
)
