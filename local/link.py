"""`make link A=edge B=money DELAY=200 LOSS=10`: makes the network between two hosts of `make up HOSTS=3` slow, lossy or cut."""

import argparse
import sys
from pathlib import Path

from local.errors import StartError
from local.running import Running


def main() -> int:
    """The command line. Without hosts it tells how all are joined."""
    parser = argparse.ArgumentParser(prog="make link", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--a", metavar="HOST", help="one host (A=edge)")
    parser.add_argument("--b", metavar="HOST", help="the other one (B=money)")
    parser.add_argument("--delay", type=float, default=0.0, help="ms that each packet takes, each way (DELAY=200)")
    parser.add_argument("--jitter", type=float, default=0.0, help="up to so many ms more (JITTER=50)")
    parser.add_argument("--loss", type=float, default=0.0, help="percentage of packets that never arrive (LOSS=10)")
    parser.add_argument("--partition", choices=("0", "1"), default="0", help="1: no packet arrives (PARTITION=1)")
    chosen = parser.parse_args()
    if bool(chosen.a) != bool(chosen.b):
        print("Say which two hosts: make link A=edge B=money DELAY=200", file=sys.stderr)
        return 1
    try:
        running = Running.find(chosen.data)
        if chosen.a:
            link = {"delay_ms": chosen.delay, "jitter_ms": chosen.jitter, "loss_percent": chosen.loss}
            running.ask("link", a=chosen.a, b=chosen.b, partition=chosen.partition == "1", **link)
        for each in running.ask("links"):
            counts = f"{each['carried']} packets carried, {each['dropped']} dropped"
            print(f"  {each['a'] + ' <-> ' + each['b']:<26} {each['is']:<34} {counts}")
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
