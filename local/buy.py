"""`make buy`: buys tickets like a person with a browser, once or many times, and says how long each step took."""

import argparse
import asyncio
import re
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from local.buyer import GOOD_CARD, Buyer, Purchase, PurchaseFailed, Wish
from local.errors import StartError
from local.running import Running

MOST = 100_000
# An event's id, alone or in the address of its page.
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def buy_many(addresses: dict[str, str], wish: Wish, count: int, concurrency: int) -> tuple[list[Purchase], float]:
    """Buys `count` times, at most `concurrency` at once. The purchases, and after how many seconds the last had tickets."""
    event_urls = await Buyer(addresses, wish).find_events()
    turns = asyncio.Semaphore(concurrency)
    started = time.perf_counter()
    purchases = await asyncio.gather(*(Buyer(addresses, wish).buy(event_urls, turns) for _ in range(count)))
    last = max((each.ended_at for each in purchases), default=0.0)
    return purchases, max(last, started) - started


def main() -> int:
    """The command line. The exit code says whether every purchase ended with tickets and an e-mail."""
    chosen = _arguments()
    seats = tuple(part.strip() for part in chosen.seats.split(",")) if not chosen.seats.isdigit() else ()
    wish = Wish(
        event=address[0] if (address := _ID.search(chosen.event.lower())) else chosen.event,
        places=len(seats) or int(chosen.seats),
        seats=seats,
        card=chosen.card,
        prefer_general=chosen.count > 1,
    )
    try:
        addresses = Running.find(chosen.data).addresses
        purchases, seconds = asyncio.run(buy_many(addresses, wish, chosen.count, chosen.concurrency))
    except (StartError, PurchaseFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except httpx.HTTPError as error:
        print(f"The shop does not answer ({type(error).__name__}). Is `make up` still running?", file=sys.stderr)
        return 1
    print(_one(purchases[0], addresses) if len(purchases) == 1 else _many(purchases, seconds, addresses))
    return 0 if all(each.failure is None for each in purchases) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make buy", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder of the running system (DATA=)")
    parser.add_argument(
        "--event", default="", help="the event's id, the address of its page or a part of its title (EVENT=)"
    )
    parser.add_argument("--seats", default="2", help="how many places, or ids of seats with commas between (SEATS=)")
    parser.add_argument("--card", default=GOOD_CARD, help="the card's number (CARD=)")
    parser.add_argument("--count", type=_number, default=1, help="how many purchases (COUNT=)")
    parser.add_argument("--concurrency", type=_number, default=10, help="how many at the same time (CONCURRENCY=)")
    chosen = parser.parse_args()
    if chosen.seats == "0":
        parser.error("SEATS=0 buys nothing: give a number from 1 on")
    return chosen


def _number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"it is a number from 1 to {MOST}, not {text!r}")
    return int(text)


def _one(purchase: Purchase, addresses: dict[str, str]) -> str:
    lines = [f"  {name:<24}{ms:8.0f} ms  {note}".rstrip() for name, ms, note in purchase.steps]
    lines.append(f"  {'together':<24}{purchase.total_ms:8.0f} ms")
    if purchase.failure is not None:
        lines.append(f"\nNot bought. {purchase.failure}")
    facts = [
        ("order", purchase.order_number),
        ("page", purchase.order_url),
        *(("ticket", code) for code in purchase.ticket_codes),
        ("e-mail", f"{purchase.email}  {addresses['mailbox']}/?to={purchase.email}"),
        ("trace", purchase.trace_id),
        ("", f"{addresses['traces']}/trace/{purchase.trace_id}" if purchase.trace_id else ""),
    ]
    return "\n".join([*lines, "", *(f"  {name:<8}{value}" for name, value in facts if value)])


def _many(purchases: list[Purchase], seconds: float, addresses: dict[str, str]) -> str:
    good = [each for each in purchases if each.failure is None]
    lines = [f"  {'step':<24}{'p50 ms':>9}{'p95 ms':>9}"]
    names = list(dict.fromkeys(name for each in purchases for name, _, _ in each.steps))
    for name in names:
        times = sorted(ms for each in purchases for step, ms, _ in each.steps if step == name)
        lines.append(f"  {name:<24}{_percentile(times, 50):>9.0f}{_percentile(times, 95):>9.0f}")
    totals = sorted(each.total_ms for each in good)
    if totals:
        lines.append(f"  {'together':<24}{_percentile(totals, 50):>9.0f}{_percentile(totals, 95):>9.0f}")
    rate = f" in {seconds:.1f} s: {len(good) / seconds:.1f} orders/s" if good and seconds else ""
    lines.append(f"\n  {len(good)} of {len(purchases)} bought{rate}")
    failures = [each for each in purchases if each.failure is not None]
    for reason, number in Counter(str(each.failure) for each in failures).most_common():
        trace_id = next((each.trace_id for each in failures if str(each.failure) == reason), "")
        lines.append(
            f"  {number:>4} x {reason}" + (f"  e.g. {addresses['traces']}/trace/{trace_id}" if trace_id else "")
        )
    return "\n".join(lines)


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


if __name__ == "__main__":
    sys.exit(main())
