#!/usr/bin/env bash
# tzdata 2026.2: Germany has two time zones in each of its tables of countries, and not the same two.
#
# Guessed: a country whose clocks all agree has one row, so that an event's country gives its time zone when it is the only one.
# Seen:    zone.tab has Europe/Berlin and Europe/Busingen (a village that Switzerland surrounds), zone1970.tab has Europe/Berlin and
#          Europe/Zurich, and gives Norway Berlin's. Who counts rows finds that Germany's zone is not known.
# Output:  zone.tab DE: Europe/Berlin Europe/Busingen
#          zone1970.tab DE: Europe/Berlin Europe/Zurich
#          zone1970.tab NO: Europe/Berlin
# Onsale asks whether the clocks of a country's zones agree at the event's time, instead of counting them (services/catalog).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tzdata==2026.2
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from importlib.resources import files

tables = files("tzdata") / "zoneinfo"
for table, country in (("zone.tab", "DE"), ("zone1970.tab", "DE"), ("zone1970.tab", "NO")):
    rows = [line.split("\t") for line in (tables / table).read_text().splitlines() if line and not line.startswith("#")]
    print(f"{table} {country}:", *sorted(row[2] for row in rows if country in row[0].split(",")))
PYTHON
)
echo "$seen"
wanted="zone.tab DE: Europe/Berlin Europe/Busingen
zone1970.tab DE: Europe/Berlin Europe/Zurich
zone1970.tab NO: Europe/Berlin"
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
