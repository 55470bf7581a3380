"""What clumsy and hostile callers send: bodies, values, paths and parameters that no service expects."""

from collections.abc import Iterator
from typing import Any

from tests.security.surface import Route, as_json, example

JSON = "application/json"
DEEP = 20_000
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    1.5,
    "",
    " ",
    "a\0b",
    "\ud800",
    "\u202e \u200b",
    "x" * 20_000,
    "'; DROP TABLE seat; --",
    "<script>alert(1)</script>",
    "a\r\nSet-Cookie: session=mine",
    "00000000-0000-0000-0000-000000000000",
    "javascript:alert(1)",
    "9999-99-99T99:99:99Z",
    [],
    ["a\0b"],
    [{"class_id": "a\0b", "quantity": -1}],
    [[]] * 10_000,
    ["A-1"] * 10_000,
    {},
    {"a": {"b": [None]}},
]
BODIES: list[tuple[str, bytes]] = [
    (JSON, b""),
    (JSON, b"{"),
    (JSON, b"null"),
    (JSON, b"[]"),
    (JSON, b'"words"'),
    (JSON, b"\xff\xfe{}"),
    (JSON, b'{"a": "\xff"}'),
    (JSON, b'{"email": "\\ud800"}'),
    (JSON, b'{"a": NaN, "b": Infinity}'),
    (JSON, b'{"a": ' + b"9" * 5_000 + b"}"),
    (JSON, b"[" * DEEP + b"]" * DEEP),
    (JSON, b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    (JSON, b'{"a": "' + b"x" * 3_000_000 + b'"}'),
    ("text/plain", b"\xff\xfe"),
    ("text/plain; charset=nonsense", b"{}"),
    ("application/x-www-form-urlencoded", b"%ff=%00&a=b"),
    ("application/x-www-form-urlencoded", b"form_token=%00&email=%00&password=%00&seat=%00&quantity-x=-1"),
    ("application/x-www-form-urlencoded", b"&".join(b"seat=%d" % number for number in range(10_000))),
    ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
    ("multipart/form-data", b"no boundary"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nb\r\n--x--\r\n',
    ),
]
# As they stand in an address.
PATH_VALUES = [
    "x",
    "%00",
    "%ff",
    "..%2f..%2fetc%2fpasswd",
    "0" * 5_000,
    "00000000-0000-0000-0000-000000000000",
    "%0d%0aA:b",
]
PARAMETERS = [
    "%00",
    "%ff",
    "-1",
    "0",
    "99999999999999999999",
    "x" * 3_000,
    "%F0%9F%8E%AB",
    "1e9",
    "AAAA",
    "bnVsbA",
    "e30",
    "W10",
    "00000000-0000-0000-0000-000000000000",
]


def bodies_for(route: Route, known: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Content type and body: the same nonsense for all, and then each field of a valid body spoilt in each way."""
    yield from BODIES
    if route.body is None:
        return
    good = example(route.body, route.components, known)
    for name in good:
        yield from ((JSON, as_json({**good, name: value})) for value in VALUES)
        yield JSON, as_json({key: value for key, value in good.items() if key != name})
    yield JSON, as_json({**good, "state": "confirmed", "total_minor": 0, "person_id": "1", "unit_price_minor": 0})


def addresses_for(path: str, route: Route) -> Iterator[str]:
    """The path with each of its parts spoilt, and with parameters that make no sense."""
    parts = path.split("/")
    for number, part in enumerate(route.path.split("/")):
        if part.startswith("{"):
            yield from ("/".join([*parts[:number], value, *parts[number + 1 :]]) for value in PATH_VALUES)
    yield from (f"{path}?{name}={value}" for name in (*route.parameters, "unknown") for value in PARAMETERS)
