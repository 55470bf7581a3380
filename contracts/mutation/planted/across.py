"""Breaks that are made on both sides at once: the checks of one version pass, and only the released version is broken."""

from contracts.mutation.breaks import Break, Documents, Edit, Everywhere
from contracts.mutation.planted.places import PROTOCOL, asks, hears, is_asked, tells

API, OFFERS = "services/inventory/api.py", "services/inventory/operations.py"
CLIENT = "services/orders/clients/inventory.py"
WRITES = asks("orders", "inventory")
HEARS = hears("orders", "inventory")
CATALOG_API, TOKENS, PEOPLE = "services/catalog/api.py", "chassis/tokens.py", "chassis/people.py"
HEARS_PRICE = hears("tickets", "orders")
PRICES = (asks("orders", "catalog"), asks("web", "catalog"))

BREAKS = (
    Break(
        "a field of an answer is renamed by provider, consumer and contract at once",
        (
            Edit(OFFERS, "    expires_at: datetime\n", "    valid_until: datetime\n"),
            Edit(API, "expires_at=hold.expires_at", "valid_until=hold.expires_at"),
            Everywhere(CLIENT, "(Read):\n    expires_at: datetime\n", "(Read):\n    valid_until: datetime\n"),
            Everywhere(CLIENT, "hold.expires_at", "hold.valid_until"),
            Everywhere(WRITES, '"expires_at":', '"valid_until":'),
        ),
        (is_asked("inventory"),),
        ("inventory breaks what orders relies on", "a hold of a seat", "missing the following keys: expires_at"),
        rewrites=(WRITES,),
        blind=(WRITES, is_asked("inventory")),
        across=True,
    ),
    Break(
        "a field of a fact is renamed by provider, consumer and contract at once",
        (
            Edit("services/inventory/events.py", '"hold_id"', '"hold"'),
            Edit("services/inventory/events.py", "    hold_id: UUID\n", "    hold: UUID\n"),
            Edit(
                "services/inventory/service.py",
                '                hold_id=row["hold_id"], event_id',
                '                hold=row["hold_id"], event_id',
            ),
            Edit("services/orders/inbox.py", "    hold_id: UUID\n", "    hold: UUID\n"),
            Edit("services/orders/inbox.py", "fact.hold_id", "fact.hold"),
            Edit(HEARS, '"hold_id":', '"hold":'),
        ),
        (tells("inventory"),),
        ("inventory breaks what orders relies on", "missing the following keys: hold_id"),
        rewrites=(HEARS,),
        blind=(HEARS, tells("inventory")),
        across=True,
    ),
    Break(
        "a price is answered in major units, and provider, consumers and contracts agree",
        (
            Edit(CATALOG_API, "dict(row) | _sale", 'dict(row) | {"price_minor": row["price_minor"] // 100} | _sale'),
            *(Everywhere(path, '"price_minor": 4250', '"price_minor": 42') for path in PRICES),
            *(Everywhere(path, '"price_minor": 1725', '"price_minor": 17') for path in PRICES),
            Edit(
                PRICES[0],
                '("Stalls", 4250), standing: ("Standing", 1725)',
                '("Stalls", 42), standing: ("Standing", 17)',
            ),
            Edit(PRICES[1], '("Stalls", 4250), ("Standing", 1725)', '("Stalls", 42), ("Standing", 17)'),
        ),
        (is_asked("catalog"),),
        (
            "catalog breaks what orders relies on",
            "everything is told",
            "price_minor: Expected 42 (Integer) to be equal to 4250",
        ),
        rewrites=PRICES,
        blind=(*PRICES, is_asked("catalog")),
        across=True,
    ),
    Break(
        "a price is given in major units by a fact, and both sides and their contract agree",
        (
            Edit(
                "services/orders/service/transitions.py",
                "ConfirmedLine.model_validate(line) for",
                "ConfirmedLine.model_validate(line).model_copy("
                'update={"unit_price_minor": line.unit_price_minor // 100}) for',
            ),
            Edit(HEARS_PRICE, '"unit_price_minor": 2500', '"unit_price_minor": 25'),
        ),
        (tells("orders"),),
        ("orders breaks what tickets relies on", "unit_price_minor: Expected 25 (Integer) to be equal to 2500"),
        rewrites=(HEARS_PRICE,),
        blind=(HEARS_PRICE,),
        across=True,
    ),
    Break(
        "the audience of services' tokens has another form, for all of them at once",
        (
            Edit(TOKENS, '"aud": provider', '"aud": f"onsale/{provider}"'),
            Everywhere(TOKENS, "audience=self._name", 'audience=f"onsale/{self._name}"'),
            Documents(),
        ),
        (PROTOCOL,),
        ("service token", "this version refuses what another one signs", "The token does not verify."),
        blind=(PROTOCOL, is_asked("inventory")),
        across=True,
    ),
    Break(
        "the audience of people's tokens is another one, at accounts and everywhere at once",
        (Edit(PEOPLE, 'PEOPLE_AUDIENCE = "onsale"', 'PEOPLE_AUDIENCE = "tickets"'), Documents()),
        (PROTOCOL,),
        ("order pass", "this version refuses what another one signs"),
        blind=(PROTOCOL, is_asked("inventory")),
        across=True,
    ),
    Break(
        "a deadline is sent and read in seconds under the name it had in milliseconds",
        (
            Edit("chassis/calls.py", "str(int(left * 1000))", "str(left)"),
            Edit("chassis/deadline.py", "int(value) / 1000", "float(value)"),
            Documents(),
        ),
        (PROTOCOL,),
        ("[request]", "a request's deadline: another version means 3.0 s, and this one reads 59.98 s"),
        blind=(PROTOCOL, is_asked("inventory")),
        across=True,
    ),
    Break(
        "the version of a fact has another name in its envelope",
        (
            Edit("chassis/facts.py", 'event["sequence"]', 'event["revision"]'),
            Edit("chassis/facts.py", "    sequence: int = Field(", '    sequence: int = Field(alias="revision", '),
            Documents(),
        ),
        (PROTOCOL,),
        ("[fact]", "'version': 42", "'version': 0"),
        blind=(PROTOCOL, tells("inventory")),
        across=True,
    ),
)
