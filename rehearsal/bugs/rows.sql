-- Bugs as the rows that they leave, at least one for each invariant. Read by rehearsal/bugs/rows.py.
--
-- A bug begins with a line `-- name | number of the invariant that must find it | where | what it does`; `bank` is the bank's ledger,
-- `told` the log of what buyers were told. `$NAME` picks a row, in a stable order, so that a bug is always the same:

-- let ENTRY = (SELECT min(entry_id) FROM entry)
-- let TICKET = (SELECT ticket_id FROM ticket ORDER BY ticket_id LIMIT 1)
-- let VOIDED = (SELECT payment_id FROM payment WHERE state = 'voided' ORDER BY payment_id LIMIT 1)
-- let CAPTURED = (SELECT payment_id FROM payment WHERE state = 'captured' ORDER BY payment_id LIMIT 1)
-- let CANCELLED = (SELECT order_id FROM purchase_order WHERE state = 'cancelled' ORDER BY order_id LIMIT 1)
-- let MAIL = (SELECT delivery_id FROM delivery WHERE template = 'tickets' ORDER BY delivery_id LIMIT 1)
-- let TRANSFER = (SELECT transfer_id FROM ledger_transfer WHERE kind = 'captured' ORDER BY transfer_id LIMIT 1)
-- let GENERAL = (SELECT class_id FROM ticket_class WHERE kind = 'general' AND sold > 0 ORDER BY class_id LIMIT 1)
-- let CONFIRMED = (SELECT order_id FROM purchase_order WHERE state = 'confirmed' AND total_minor > 0 ORDER BY order_id LIMIT 1)
-- let SOLD_HOLD = (SELECT hold_id FROM hold WHERE state = 'committed' AND lines->0->>'seat_id' IS NULL ORDER BY hold_id LIMIT 1)
-- let SEAT_HOLD = (SELECT hold_id FROM hold WHERE state = 'committed' AND lines->0->>'seat_id' IS NOT NULL ORDER BY hold_id LIMIT 1)
-- let OTHER_SEAT_HOLD = (SELECT hold_id FROM hold WHERE state = 'committed' AND lines->0->>'seat_id' IS NOT NULL ORDER BY hold_id DESC LIMIT 1)
-- let SOLD_SEAT = (SELECT seat_id FROM seat WHERE hold_id = $SEAT_HOLD ORDER BY seat_id LIMIT 1)

-- counter-off-by-one | 1 | inventory | a sale is counted twice
UPDATE ticket_class SET sold = sold + 1 WHERE class_id = $GENERAL;

-- held-never-given-back | 1 | inventory | a hold ends and its counter stays
UPDATE ticket_class SET held = held + 2 WHERE class_id = $GENERAL;

-- released-twice | 1 | inventory | a hold that is released twice gives its places back twice
UPDATE ticket_class SET sold = sold - 2 WHERE class_id = $GENERAL;

-- oversold | 1 | inventory | more is sold than there is: the check of the capacity is gone
UPDATE ticket_class SET capacity = sold - 1 WHERE class_id = $GENERAL;

-- seat-vanished | 1 | inventory | an import deletes a free seat
DELETE FROM seat WHERE (event_id, seat_id) = (SELECT event_id, seat_id FROM seat WHERE state = 'free' ORDER BY
    1, 2 LIMIT 1);

-- seat-of-two | 2 | inventory | a second buyer holds a sold seat
INSERT INTO hold SELECT (jsonb_populate_record(t, jsonb_build_object('hold_id', gen_random_uuid(), 'order_id',
    gen_random_uuid()))).* FROM hold AS t WHERE hold_id = $SEAT_HOLD;

-- seat-taken-over | 2 | inventory | a sold seat gets another owner, past the trigger
UPDATE seat SET hold_id = $OTHER_SEAT_HOLD WHERE seat_id = $SOLD_SEAT AND hold_id = $SEAT_HOLD;

-- sold-seat-is-free | 2 | inventory | a sold seat is offered again
UPDATE seat SET state = 'free', hold_id = NULL WHERE hold_id = $SEAT_HOLD;

-- seat-twice | 2 | inventory | a seat is there twice: the key is gone
INSERT INTO seat SELECT (jsonb_populate_record(t, jsonb_build_object('state', 'free', 'hold_id', NULL))).*
    FROM seat AS t WHERE hold_id = $SEAT_HOLD;

-- two-tickets-for-a-seat | 2 | tickets | two people have valid tickets for one seat: the unique index is gone
INSERT INTO ticket SELECT (jsonb_populate_record(t, jsonb_build_object('ticket_id', gen_random_uuid(),
    'order_id', gen_random_uuid(), 'line_id', gen_random_uuid()))).* FROM ticket AS t WHERE ticket_id =
    (SELECT ticket_id FROM ticket WHERE seat_id IS NOT NULL ORDER BY 1 LIMIT 1);

-- released-after-sale | 3 | inventory | a sold hold is released and its buyer keeps the order
UPDATE ticket_class SET sold = sold - 2 WHERE class_id = (SELECT (lines->0->>'class_id')::uuid FROM hold WHERE
    hold_id = $SOLD_HOLD);
UPDATE hold SET state = 'released' WHERE hold_id = $SOLD_HOLD;

-- sold-without-order | 3 | inventory | places are sold to an order that never was
INSERT INTO hold SELECT (jsonb_populate_record(t, jsonb_build_object('hold_id', gen_random_uuid(), 'order_id',
    gen_random_uuid()))).* FROM hold AS t WHERE hold_id = $SOLD_HOLD;
UPDATE ticket_class SET sold = sold + 2 WHERE class_id = $GENERAL;

-- ticket-missing | 3 | tickets | one ticket of an order is lost
DELETE FROM ticket WHERE ticket_id = $TICKET;

-- ticket-doubled | 3 | tickets | an order gets a ticket more than it paid for
INSERT INTO ticket SELECT (jsonb_populate_record(t, jsonb_build_object('ticket_id', gen_random_uuid(),
    'ordinal', 9))).* FROM ticket AS t WHERE ticket_id = $TICKET;

-- ticket-issued-twice | 3 | tickets | a place has two tickets: the unique constraint is gone
INSERT INTO ticket SELECT (jsonb_populate_record(t, jsonb_build_object('ticket_id', gen_random_uuid()))).*
    FROM ticket AS t WHERE ticket_id = $TICKET;

-- ticket-of-a-cancelled-order | 3 | tickets | an order that came to nothing has a ticket
INSERT INTO ticket SELECT (jsonb_populate_record(t, jsonb_build_object('ticket_id', gen_random_uuid(),
    'order_id', gen_random_uuid(), 'line_id', gen_random_uuid(), 'seat_id', NULL))).* FROM ticket AS t WHERE
    ticket_id = $TICKET;

-- confirmed-before-capture | 4 | payments | an order is confirmed and its money was never captured
UPDATE payment SET state = 'authorised', captured_at = NULL WHERE payment_id = $CAPTURED;

-- captured-twice | 4 | payments | a second payment of an order is captured: the unique index is gone
INSERT INTO payment SELECT (jsonb_populate_record(t, jsonb_build_object('payment_id', gen_random_uuid(),
    'attempt', 2, 'gateway_payment_id', 'pay_other'))).* FROM payment AS t WHERE payment_id = $CAPTURED;

-- captured-another-amount | 4 | payments | more is captured than the order costs
UPDATE payment SET amount_minor = amount_minor + 100 WHERE payment_id = $CAPTURED;

-- captured-another-currency | 4 | payments | the right number of another currency is captured
UPDATE payment SET currency = 'XTS' WHERE payment_id = $CAPTURED;

-- captured-and-cancelled | 4 | payments | the compensation is forgotten: a cancelled order was paid
UPDATE payment SET state = 'captured', captured_at = now() WHERE payment_id = $VOIDED;

-- entry-missing | 5 | payments | one side of a booking is lost
DELETE FROM ledger_entry WHERE transfer_id = $TRANSFER AND amount_minor < 0;

-- capture-not-booked | 5 | payments | a capture is not in the ledger
DELETE FROM ledger_entry WHERE transfer_id = $TRANSFER;
DELETE FROM ledger_transfer WHERE transfer_id = $TRANSFER;

-- capture-booked-twice | 5 | payments | a capture is in the ledger twice: the unique constraint is gone
INSERT INTO ledger_entry SELECT (jsonb_populate_record(t, jsonb_build_object('transfer_id',
    '00000000-0000-7000-8000-000000000001'::uuid))).* FROM ledger_entry AS t WHERE transfer_id = $TRANSFER;
INSERT INTO ledger_transfer SELECT (jsonb_populate_record(t, jsonb_build_object('transfer_id',
    '00000000-0000-7000-8000-000000000001'::uuid))).* FROM ledger_transfer AS t WHERE transfer_id = $TRANSFER;

-- total-is-not-the-sum | 5 | orders | an order costs other than its lines
UPDATE purchase_order SET total_minor = total_minor + 1 WHERE order_id = $CONFIRMED;

-- charged-with-a-new-key | 6 | bank | a charge whose answer was lost is asked for again under a new key
INSERT INTO payment SELECT 'pay_again', 'again', amount_minor, currency, description, reference, return_url,
    expires_at, status, behaviour, decline_reason, awaiting_confirmation, capture_failures, captured_minor,
    refunded_minor, created_at FROM payment WHERE status = 'captured' LIMIT 1;
INSERT INTO entry (payment_id, kind, key, amount_minor, currency, booked_at) SELECT 'pay_again', 'charge',
    'again', amount_minor, currency, created_at FROM payment WHERE id = 'pay_again';

-- bank-lost-a-charge | 6 | bank | a capture that we believe in never reached the bank
DELETE FROM entry WHERE entry_id = $ENTRY;

-- bank-charged-another-amount | 6 | bank | the bank charged other than we say
UPDATE entry SET amount_minor = amount_minor + 1 WHERE entry_id = $ENTRY;

-- key-not-written-down | 6 | payments | the bank is asked before the key is committed
DELETE FROM gateway_operation WHERE key = (SELECT key FROM gateway_operation WHERE kind = 'capture' ORDER BY
    key LIMIT 1);

-- acknowledged-and-lost | 7 | told | an order that a buyer was shown is gone
{"told": "held", "number": "ZZZZ-ZZZZ", "state": "held", "places": 2, "at": "2026-01-01T00:00:00+00:00"};

-- told-too-early | 7 | told | a buyer was told of tickets before the commit, which failed
{"told": "confirmed", "number": "$CANCELLED_NUMBER", "state": "confirmed", "places": 2, "at": "2026-01-01T00:00:00+00:00"};

-- cancelled-and-sold | 7 | told | a buyer was told that it is cancelled, and it was bought
{"told": "cancelled", "number": "$CONFIRMED_NUMBER", "state": "cancelled", "at": "2026-01-01T00:00:00+00:00"};

-- acknowledged-before-commit | 8 | tickets | a message is acknowledged and its transaction rolled back
DELETE FROM inbox WHERE event_id = (SELECT event_id FROM inbox ORDER BY event_id LIMIT 1);

-- inbox-skipped | 8 | orders | a fact takes effect twice: the key of the inbox is gone
INSERT INTO inbox SELECT (jsonb_populate_record(t, jsonb_build_object('delivery', 2))).* FROM inbox AS t WHERE
    event_id = (SELECT event_id FROM inbox ORDER BY event_id LIMIT 1);

-- phantom | 8 | notifications | a fact was heard that nobody has committed
INSERT INTO inbox SELECT (jsonb_populate_record(t, jsonb_build_object('event_id', gen_random_uuid()))).* FROM
    inbox AS t WHERE event_id = (SELECT event_id FROM inbox ORDER BY event_id LIMIT 1);

-- dead-letter | 8 | tickets | a fact could not take effect, and nobody looked
INSERT INTO dead_letter (consumer, message_id, subject, body, reason, deliveries) VALUES ('tickets', '1',
    'events.orders.order_confirmed.v1', '', 'planted', 8);

-- never-sent | 8 | orders | a fact stays in the outbox
UPDATE outbox SET published_at = NULL WHERE seq = (SELECT max(seq) FROM outbox);

-- published-after-rollback | 9 | orders | an order is published as confirmed and was not
INSERT INTO outbox OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(t, jsonb_build_object('seq', 99999,
    'event_id', gen_random_uuid(), 'aggregate_id', $CANCELLED))).* FROM outbox AS t WHERE event_id = (SELECT
    event_id FROM outbox WHERE subject LIKE '%confirmed%' ORDER BY seq LIMIT 1);

-- confirmed-in-silence | 9 | orders | an order is confirmed and nobody is told
DELETE FROM outbox WHERE event_id = (SELECT event_id FROM outbox WHERE subject LIKE '%confirmed%' ORDER BY seq
    LIMIT 1);

-- issued-twice-over | 9 | tickets | tickets are published twice as new
INSERT INTO outbox OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(t, jsonb_build_object('seq', 99999,
    'event_id', gen_random_uuid()))).* FROM outbox AS t WHERE event_id = (SELECT event_id FROM outbox WHERE
    subject LIKE '%issued%' ORDER BY seq LIMIT 1);

-- expired-in-error | 9 | inventory | a hold is said to have expired that was sold
INSERT INTO outbox (event_id, subject, aggregate_id, data, published_at) SELECT gen_random_uuid(),
    'events.inventory.hold_expired.v1', hold_id::text, '{}', now() FROM hold WHERE hold_id = $SOLD_HOLD;

-- capacity-misheard | 9 | inventory | inventory sells more places than the event has
UPDATE ticket_class SET capacity = capacity + 10 WHERE class_id = $GENERAL;

-- step-lost | 10 | orders | a step of an order is not written down
DELETE FROM order_change WHERE order_id = $CONFIRMED AND change_no = 2;

-- state-behind-the-saga | 10 | orders | an order is set to confirmed by hand
UPDATE purchase_order SET state = 'confirmed', confirmed_at = now(), reason = NULL WHERE order_id = $CANCELLED;

-- payment-step-lost | 10 | payments | a capture is not among the steps of its payment
DELETE FROM payment_change WHERE state = 'captured';

-- mailed-twice | 11 | notifications | an order gets its tickets in two mails: the unique constraint is gone
INSERT INTO delivery SELECT (jsonb_populate_record(t, jsonb_build_object('delivery_id', gen_random_uuid(),
    'message_id', '<other@example.test>'))).* FROM delivery AS t WHERE delivery_id = $MAIL;

-- one-message-id-for-two | 11 | notifications | two mails share a Message-ID, so that a mail server drops one
UPDATE delivery SET message_id = (SELECT message_id FROM delivery WHERE delivery_id = $MAIL) WHERE delivery_id
    = (SELECT max(delivery_id::text)::uuid FROM delivery);

-- mail-never-asked-for | 11 | notifications | a buyer with tickets gets no mail
DELETE FROM delivery WHERE delivery_id = $MAIL;

-- two-orders-of-a-request | 16 | orders | a request that is sent again makes a second order: the unique index is gone
INSERT INTO purchase_order SELECT (jsonb_populate_record(t, jsonb_build_object('order_id', gen_random_uuid(),
    'number', 'ZZZZ-ZZZZ', 'hold_id', gen_random_uuid(), 'payment_id', gen_random_uuid()))).* FROM
    purchase_order AS t WHERE order_id = $CONFIRMED;

-- answer-names-nothing | 16 | orders | an answer was kept under its key, and its order was rolled back
UPDATE idempotency_key SET response = jsonb_set(response, '{body,number}', '"ZZZZ-ZZZZ"') WHERE key = (SELECT
    min(key) FROM idempotency_key WHERE status = 201);

-- hold-outlives-its-time | 12 | inventory | the sweeper sleeps
INSERT INTO hold SELECT (jsonb_populate_record(t, jsonb_build_object('hold_id', gen_random_uuid(), 'state',
    'held', 'expires_at', now() - interval '1 hour'))).* FROM hold AS t WHERE hold_id = $SOLD_HOLD;

-- hold-outlives-its-order | 12 | inventory | the compensation is forgotten: a cancelled order keeps its places
UPDATE hold SET state = 'held', expires_at = now() + interval '1 hour' WHERE hold_id = (SELECT hold_id FROM
    hold WHERE state = 'released' AND order_id IS NOT NULL ORDER BY 1 LIMIT 1);

-- money-stays-reserved | 12 | payments | the compensation is forgotten: a cancelled order's money stays reserved
UPDATE payment SET state = 'authorised' WHERE payment_id = $VOIDED;

-- reserved-at-the-bank | 12 | bank | we say that it is void, and the bank was never asked
UPDATE payment SET status = 'authorised' WHERE id = (SELECT min(id) FROM payment WHERE status = 'voided');

-- saga-stands-still | 12 | orders | the fence is dropped and the lease of nobody: an order is never looked at again
UPDATE purchase_order SET state = 'committed', confirmed_at = NULL, due_at = now() - interval '1 hour' WHERE
    order_id = $CONFIRMED;

-- outcome-unknown | 12 | payments | a request to the bank is never asked about again
UPDATE gateway_operation SET state = 'unknown' WHERE key = (SELECT min(key) FROM gateway_operation);

-- mail-waits | 12 | notifications | a mail is never tried again
UPDATE delivery SET state = 'waiting', sent_at = NULL, next_attempt_at = now() - interval '1 hour' WHERE
    delivery_id = $MAIL;

-- tickets-awaited | 12 | orders | orders never heard that the tickets are there
INSERT INTO awaited_tickets (order_id) SELECT $CONFIRMED;

-- pass-used-twice | 13 | inventory | one pass of the waiting room admits two: the key is gone
CREATE TABLE IF NOT EXISTS used_pass (pass_id uuid, hold_id uuid);
INSERT INTO used_pass (pass_id, hold_id) SELECT '00000000-0000-7000-8000-000000000001'::uuid, hold_id FROM hold;

-- pass-for-nothing | 13 | inventory | a pass is used up, and its hold was refused
CREATE TABLE IF NOT EXISTS used_pass (pass_id uuid, hold_id uuid);
INSERT INTO used_pass (pass_id, hold_id) SELECT gen_random_uuid(), gen_random_uuid();
