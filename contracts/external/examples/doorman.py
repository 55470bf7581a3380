"""A partner's own program: a scanner at the door, and what it needs of `tickets`, said by using it.

`python doorman.py FOLDER` writes the pact. Plain pact-python, as anybody has it who does `pip install pact-python httpx`; nothing of
the repository around it. The real device tries all of it against Pact's mock server; if it asks for something else, or makes
something else of an answer, nothing is written.
"""

import base64
import sys
from dataclasses import dataclass
from typing import Any

import httpx
from pact import Pact, match

PATIENCE_SECONDS = 3.0
CALL_FOR_HELP = {"void", "replaced"}


@dataclass(frozen=True)
class Verdict:
    """What the device shows: whether the gate opens, whether somebody is called, and some lines; the ticket is for its log."""

    opens: bool
    calls_for_help: bool
    lines: tuple[str, ...]
    ticket_id: str | None


class Device:
    """A scanner that asks for each code while it is online, and keeps the keys for when it is not."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=PATIENCE_SECONDS)
        # Tickets that were let in, so that none opens the gate twice.
        self._let_in: set[str] = set()

    def scan(self, code: str) -> Verdict:
        """What to show for a scanned code. Raises httpx.HTTPError if the shop does not answer."""
        response = self._http.post("/verify", json={"code": code})
        response.raise_for_status()
        answer = response.json()
        known = tuple(each for each in (answer["event_title"], answer["class_name"], answer["seat_label"]) if each)
        ticket_id = answer["ticket_id"]
        if not answer["valid"]:
            return Verdict(False, answer["reason"] in CALL_FOR_HELP, (answer["message"], *known), ticket_id)
        if ticket_id in self._let_in:
            return Verdict(False, True, ("This ticket was scanned before.", *known), ticket_id)
        self._let_in.add(ticket_id)
        return Verdict(True, False, known, ticket_id)

    def keys(self) -> dict[str, bytes]:
        """The public keys by their id, to check codes with while there is no network. Raises httpx.HTTPError."""
        response = self._http.get("/.well-known/ticket-keys.json")
        response.raise_for_status()
        found = (each for each in response.json()["keys"] if each["crv"] == "Ed25519")
        return {each["kid"]: base64.urlsafe_b64decode(each["x"] + "=") for each in found}


JSON = "application/json"
# Specimens, made by `python -m services.tickets.tests.contract.specimens "doorman: a seat" ...` in the shop's repository.
SEAT = (
    "OS1.AHTO5NDXXVO4YOVL3JIPJERDEOW6DSWG6EINITTFG3NFTC43Q5HCHZ2MJDCAAAP6TMW3VZGYZ37UNR3XUEUBVZGT5RHO3Z5MUDYDDI44YNRDKSET3HX"
    "CQINDHPMQNRW44KIW2DOHGR7QAHRIQNIWULEL2FFDC5ERYETAA"
)
STANDING = (
    "OS1.AHTO5NDXT7GNJCMK3BMDDEQSND4TONAJCRFF5O376KLF2FVLQ5LGAUO7ZUTAAAPLKZ3TYPHN44IJ3JHCHUFO6CHX4AWHEIFBEMRJA2UTFIAPQTOOXLJ"
    "EPQ2OUUC6C6XYTD6GD6TVJ7FNBB3MSIBPDRHUMAY2ABPNZZCQG"
)
CANCELLED = (
    "OS1.AHTO5NDXFERIRBXJ2NLGBAU7ILIIS3TEX55K2OTF5TQFWX54BR66KMLWWJ5QAALF4STVZ2NYZWRLLAS7QXP37KGXU66WIUPAFM4ST5YHKTPKBBERIUG"
    "AX6SFUJVBV5OPVCVJSOWVQRCKI2M23GDOT33ZYA4MOPQANM7QQ"
)
ISSUED_ANEW = (
    "OS1.AHTO5NDXMTUK733EHVIDZIX3CILPLE4IR4TSD5767MAVKPFRN7NAIYMBNOKAAAMNNCT635WQ3GR2GNLNEMW6DRTCQGUB7WYYKNMND6VWIBVSWQCOFDN"
    "JH2DESVFVTFDAGUKSBZ3IYSTTDPU52WHINPFEOPEDBVT6F4MA2"
)
ALTERED = SEAT[:100] + "AAAA" + SEAT[104:]

TICKET_ID = "0191f5a0-0000-7000-8000-000000000001"
A_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
A_KEY = r"^[A-Za-z0-9_-]{43}$"
SENTENCE, TITLE, CLASS_NAME, SEAT_LABEL = "A sentence.", "Hamlet", "Stalls", "Row A, seat 1"
OF_A_TICKET = {
    "ticket_id": match.regex(TICKET_ID, regex=A_UUID),
    "event_title": match.str(TITLE),
    "class_name": match.str(CLASS_NAME),
    "seat_label": match.str(SEAT_LABEL),
}
OF_NONE = {name: match.none() for name in OF_A_TICKET}


@dataclass(frozen=True)
class Need:
    """A code that is scanned, what the shop says to it (a plain value means: exactly this), and what the device shows then."""

    description: str
    state: str | None
    code: str
    answer: dict[str, Any]
    shown: Verdict


def lets_in(description: str, state: str, code: str, seat_label: str | None) -> Need:
    """A code that opens the gate."""
    answer = {"valid": True, **OF_A_TICKET} | ({} if seat_label else {"seat_label": match.none()})
    lines = (TITLE, CLASS_NAME, seat_label) if seat_label else (TITLE, CLASS_NAME)
    return Need(description, state, code, answer, Verdict(True, False, lines, TICKET_ID))


def calls_for_help(description: str, state: str, code: str, reason: str) -> Need:
    """The code of a ticket of ours that does not open the gate."""
    answer = {"valid": False, "reason": reason, "message": match.str(SENTENCE), **OF_A_TICKET}
    return Need(
        description,
        state,
        code,
        answer,
        Verdict(False, True, (SENTENCE, TITLE, CLASS_NAME, SEAT_LABEL), TICKET_ID),
    )


def keeps_out(description: str, code: str, reason: Any) -> Need:
    """A code that is not one of ours."""
    answer = {"valid": False, "reason": reason, "message": match.str(SENTENCE), **OF_NONE}
    return Need(description, None, code, answer, Verdict(False, False, (SENTENCE,), None))


NEEDS = [
    lets_in("a code of a seat", "a valid ticket", SEAT, SEAT_LABEL),
    lets_in("a code without a seat", "a valid ticket without a seat", STANDING, None),
    calls_for_help("a code of a cancelled ticket", "a cancelled ticket", CANCELLED, "void"),
    calls_for_help("a code that another one replaced", "a ticket that was issued anew", ISSUED_ANEW, "replaced"),
    keeps_out("a code that was altered", ALTERED, "forged"),
    # Whatever else is wrong with a code, the device shows the sentence.
    keeps_out("the label of a bottle", "4006381333931", match.str("not_a_ticket")),
]
KEYS = {
    "keys": match.each_like(
        {
            "crv": match.regex("Ed25519", regex="^Ed25519$"),
            "kid": match.str("9ad3f4a0"),
            "x": match.regex(KEY, regex=A_KEY),
        },
        min=1,
    )
}


def main() -> None:
    """Says what is needed, tries it with the device, and writes it."""
    pact = Pact("doorman", "tickets").with_metadata("contact", {"email": "integrations@doorman.example"})
    for need in NEEDS:
        asked = pact.upon_receiving(need.description)
        if need.state is not None:
            asked.given(need.state, code=need.code)
        asked.with_request("POST", "/verify").with_body({"code": need.code}, JSON)
        asked.will_respond_with(200).with_body(need.answer, JSON)
    asked = pact.upon_receiving("the keys that verify codes").with_request("GET", "/.well-known/ticket-keys.json")
    asked.will_respond_with(200).with_body(KEYS, JSON)
    with pact.serve("127.0.0.1") as shop:
        for need in NEEDS:
            # A new one each time: all examples have the same ticket's id, and a device lets nobody in twice.
            if (shown := Device(str(shop.url)).scan(need.code)) != need.shown:
                raise AssertionError(f"The device shows {shown} for {need.description}, not {need.shown}.")
        if [len(key) for key in Device(str(shop.url)).keys().values()] != [32]:
            raise AssertionError("The device does not understand the keys.")
    pact.write_file(sys.argv[1], overwrite=True)


if __name__ == "__main__":
    main()
