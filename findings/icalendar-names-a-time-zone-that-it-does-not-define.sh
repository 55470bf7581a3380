#!/usr/bin/env bash
# icalendar 7.3.2: a calendar with a zoned time names its time zone and leaves out the definition that RFC 5545 demands.
#
# Guessed: to_ical() of an event in Europe/Berlin writes a VTIMEZONE, since RFC 5545 (3.2.19) says that a TZID without one in the
#          same file must not be, or that it writes UTC.
# Seen:    TZID=Europe/Berlin and no VTIMEZONE; a reader may take the time as floating or as its own. add_missing_timezones() has to
#          be called before, and nothing says so at to_ical().
# Output:  True False
#          True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

event = Event()
event.add("uid", "1")
event.add("dtstart", datetime(2031, 7, 1, 20, tzinfo=ZoneInfo("Europe/Berlin")))
calendar = Calendar()
calendar.add("version", "2.0")
calendar.add("prodid", "-//example//EN")
calendar.add_component(event)
written = calendar.to_ical().decode()
print("TZID=Europe/Berlin" in written, "VTIMEZONE" in written)
calendar.add_missing_timezones()
print("VTIMEZONE" in calendar.to_ical().decode())
PYTHON
)
echo "$seen"
wanted='True False
True'
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
