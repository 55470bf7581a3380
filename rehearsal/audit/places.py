"""Promises about places: what is sold is there once, and belongs to who paid for it (invariants 1 to 3, and 13)."""

from rehearsal.audit.model import Invariant

_OF_LIVE_HOLDS = """
    SELECT class_id, COALESCE(sum(quantity) FILTER (WHERE state = 'held'), 0) AS held,
           COALESCE(sum(quantity) FILTER (WHERE state = 'committed'), 0) AS sold
    FROM inventory_place GROUP BY class_id"""

COUNTERS = Invariant(
    1,
    "counters are the sums of live holds",
    "A class for general admission counts as held and as sold exactly what live holds have of it.",
    f"""SELECT 'class ' || class.name || ' ' || class_id AS about, class.held, COALESCE(live.held, 0) AS held_by_holds,
               class.sold, COALESCE(live.sold, 0) AS sold_by_holds
        FROM inventory_class AS class LEFT JOIN ({_OF_LIVE_HOLDS}) AS live USING (class_id)
        WHERE kind = 'general' AND (class.held <> COALESCE(live.held, 0) OR class.sold <> COALESCE(live.sold, 0))""",
)
CAPACITY = Invariant(
    1,
    "no class has more than its capacity",
    "What is held and sold of a class, by its counters and by its holds, is never negative and never more than its capacity.",
    f"""SELECT 'class ' || class.name || ' ' || class_id AS about, capacity, class.held, class.sold,
               COALESCE(live.held, 0) AS held_by_holds, COALESCE(live.sold, 0) AS sold_by_holds
        FROM inventory_class AS class LEFT JOIN ({_OF_LIVE_HOLDS}) AS live USING (class_id)
        WHERE class.held < 0 OR class.sold < 0 OR class.held + class.sold > capacity
           OR COALESCE(live.held, 0) + COALESCE(live.sold, 0) > capacity""",
)
SEATS_OF_CLASS = Invariant(
    1,
    "a seated class has as many seats as its capacity",
    "Free, held and sold seats of a class are together its capacity.",
    """SELECT 'class ' || name || ' ' || class_id AS about, capacity, count(seat.seat_id) AS seats
       FROM inventory_class LEFT JOIN inventory_seat AS seat USING (class_id)
       WHERE kind = 'seated' GROUP BY class_id, name, capacity HAVING count(seat.seat_id) <> capacity""",
)
SEAT_OF_LIVE_HOLD = Invariant(
    2,
    "a seat is taken exactly while a live hold has it",
    "A held seat has a hold that is held, a sold one a hold that is committed, and a free one none.",
    """SELECT hold.order_id AS about, seat_id AS seat, seat.state AS seat_is, hold.state AS its_hold_is, seat.hold_id AS hold
       FROM inventory_seat AS seat LEFT JOIN inventory_hold AS hold USING (hold_id)
       WHERE (seat.state = 'held' AND hold.state IS DISTINCT FROM 'held')
          OR (seat.state = 'sold' AND hold.state IS DISTINCT FROM 'committed')
          OR (seat.state = 'free' AND seat.hold_id IS NOT NULL)""",
)
HOLD_HAS_ITS_SEATS = Invariant(
    2,
    "each seat of a live hold is its own",
    "A seat that a live hold promises is owned by that hold.",
    """SELECT place.order_id AS about, place.seat_id AS seat, place.hold_id AS promised_by, seat.hold_id AS owned_by
       FROM inventory_place AS place
       LEFT JOIN inventory_seat AS seat ON (seat.event_id, seat.seat_id) = (place.event_id, place.seat_id)
       WHERE place.seat_id IS NOT NULL AND seat.hold_id IS DISTINCT FROM place.hold_id""",
)
ONE_OWNER = Invariant(
    2,
    "a seat has one owner",
    "No seat of an event is there twice, and no two live holds promise the same one.",
    """SELECT min(order_id::text) AS about, seat_id AS seat, max(order_id::text) AS also_promised_to, count(*) AS times
       FROM (SELECT event_id, seat_id, order_id FROM inventory_place WHERE seat_id IS NOT NULL) AS promised
       GROUP BY event_id, seat_id HAVING count(*) > 1
       UNION ALL
       SELECT min(hold_id::text), seat_id, max(hold_id::text), count(*)
       FROM inventory_seat GROUP BY event_id, seat_id HAVING count(*) > 1""",
)
ONE_TICKET = Invariant(
    2,
    "a seat has one valid ticket",
    "No two people come to the door with valid tickets for one seat.",
    """SELECT min(order_number) AS about, seat_id AS seat, max(order_number) AS also_of, count(*) AS valid_tickets
       FROM tickets_ticket WHERE state = 'valid' AND seat_id IS NOT NULL GROUP BY event_id, seat_id HAVING count(*) > 1""",
)
_BOUGHT = """
    SELECT order_id, class_id, COALESCE(seat_id, '') AS seat, sum(quantity) AS places FROM orders_line
    JOIN orders_order USING (order_id) WHERE state = 'confirmed' GROUP BY 1, 2, 3"""
SOLD_ARE_BOUGHT = Invariant(
    3,
    "sold places are those of confirmed orders",
    "Every sold place is a line of a confirmed order, and every line of a confirmed order is sold to it, place by place.",
    f"""SELECT order_id AS about, class_id AS class, seat, bought.places AS bought, sold.places AS sold
        FROM ({_BOUGHT}) AS bought FULL JOIN (
            SELECT order_id, class_id, COALESCE(seat_id, '') AS seat, sum(quantity) AS places
            FROM inventory_place WHERE state = 'committed' GROUP BY 1, 2, 3
        ) AS sold USING (order_id, class_id, seat) WHERE bought.places IS DISTINCT FROM sold.places""",
)
TICKETS_ARE_BOUGHT = Invariant(
    3,
    "valid tickets are those of confirmed orders",
    "A confirmed order has a valid ticket for each place of each line, with its seat; no other order has one.",
    """SELECT order_id AS about, line_id AS line, bought.places AS bought, issued.tickets
       FROM (
           SELECT order_id, line_id, COALESCE(seat_id, '') AS seat, quantity AS places
           FROM orders_line JOIN orders_order USING (order_id) WHERE state = 'confirmed'
       ) AS bought FULL JOIN (
           SELECT order_id, line_id, COALESCE(seat_id, '') AS seat, count(*) AS tickets
           FROM tickets_ticket WHERE state = 'valid' GROUP BY 1, 2, 3
       ) AS issued USING (order_id, line_id, seat) WHERE bought.places IS DISTINCT FROM issued.tickets""",
)
TICKETS_ONCE = Invariant(
    3,
    "each place of a line has one ticket",
    "A line's places are numbered from 1 on, each once.",
    """SELECT min(order_number) AS about, line_id AS line, count(*) AS tickets, count(DISTINCT ordinal) AS places, max(ordinal) AS last
       FROM tickets_ticket GROUP BY order_id, line_id HAVING count(*) <> count(DISTINCT ordinal) OR count(*) <> max(ordinal)""",
)
PASSES = Invariant(
    13,
    "each pass is used once",
    "A pass of the waiting room admits its buyer once, to a hold that was granted.",
    """SELECT min(hold.order_id::text) AS about, pass_id AS pass, count(*) AS used, count(hold.hold_id) AS for_holds
       FROM inventory_used_pass LEFT JOIN inventory_hold AS hold USING (hold_id)
       GROUP BY pass_id HAVING count(*) > 1 OR count(hold.hold_id) = 0""",
    needs=("inventory_used_pass",),
)
ONE_SHARD = Invariant(
    1,
    "a hold is in the shard that has its event",
    "Places of an event are sold in one shard alone, also after it has moved to another one.",
    "SELECT order_id::text AS about, hold_id AS hold, event_id AS event FROM inventory_misplaced",
)
PLACES = (
    ONE_SHARD,
    COUNTERS,
    CAPACITY,
    SEATS_OF_CLASS,
    SEAT_OF_LIVE_HOLD,
    HOLD_HAS_ITS_SEATS,
    ONE_OWNER,
    ONE_TICKET,
    SOLD_ARE_BOUGHT,
    TICKETS_ARE_BOUGHT,
    TICKETS_ONCE,
    PASSES,
)
