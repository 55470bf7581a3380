#!/usr/bin/env bash
# tinycss2 1.5.1 reads lab() and oklch() as colours, and raises a bare NotImplementedError when they are asked for as sRGB.
#
# Guessed: `parse_color` gives None for what is no colour, and whatever it gives can be had with .to("srgb").
# Seen:    rgb, hsl, hwb and names convert; lab, lch, oklab, oklch and color(display-p3 ...) are parsed and do not.
# Output:  rebeccapurple: 0.40 0.20 0.60
#          hwb(194 0% 0%): 0.00 0.77 1.00
#          lab(50% 40 59): NotImplementedError
#          oklch(60% 0.15 50): NotImplementedError
# Onsale's seating plans fall back to a readable colour for those (services/catalog).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tinycss2==1.5.1
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from tinycss2.color4 import parse_color

for text in ("rebeccapurple", "hwb(194 0% 0%)", "lab(50% 40 59)", "oklch(60% 0.15 50)"):
    try:
        print(f"{text}:", " ".join(f"{channel:.2f}" for channel in parse_color(text).to("srgb").coordinates))
    except NotImplementedError as error:
        print(f"{text}:", type(error).__name__)
PYTHON
)
echo "$seen"
wanted="rebeccapurple: 0.40 0.20 0.60
hwb(194 0% 0%): 0.00 0.77 1.00
lab(50% 40 59): NotImplementedError
oklch(60% 0.15 50): NotImplementedError"
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
