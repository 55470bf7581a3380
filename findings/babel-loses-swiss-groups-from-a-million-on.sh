#!/usr/bin/env bash
# Babel 2.19.0 writes amounts of a million and more in Swiss German without their groups: 123'456.00, and then 1234567.00.
#
# Guessed: a language's group sign stands between every three digits, however many there are.
# Seen:    The sign of de-CH, fr-CH, it-CH and de-LI is an apostrophe in this version (U+2019 in 2.18.0). Babel takes quotation
#          marks of a pattern away after the number was put in, so that every pair of apostrophes of the number itself goes with
#          them: one group sign stays, two vanish.
# Output:  2.19.0 123456 -> 123'456
#          2.19.0 1234567 -> 1234567
#          2.19.0 CHF 1234567.50 -> CHF 1234567.50
# Onsale puts amounts together from Babel's parts (chassis/money.py), and a test reads them back in this language.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check babel==2.19.0
seen=$("$folder/venv/bin/python" - <<'PYTHON'
import babel
from babel.numbers import format_currency, format_decimal

for number in (123456, 1234567):
    print(babel.__version__, number, "->", format_decimal(number, locale="de_CH"))
print(babel.__version__, "CHF 1234567.50", "->", format_currency("1234567.50", "CHF", locale="de_CH").replace("\xa0", " "))
PYTHON
)
echo "$seen"
wanted="2.19.0 123456 -> 123'456
2.19.0 1234567 -> 1234567
2.19.0 CHF 1234567.50 -> CHF 1234567.50"
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
