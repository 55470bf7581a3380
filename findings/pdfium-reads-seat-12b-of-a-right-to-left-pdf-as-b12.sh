#!/usr/bin/env bash
# pypdfium2 5.15.2 (pdfium) with PDFs of typst 0.15.2: a seat 12B on a ticket in Arabic is shown as 12B, and copied as B12.
#
# Guessed: letters and digits without a space between are one word, in the order in which they stand, whatever is around them;
#          the more so where there is nothing around them at all.
# Seen:    typst writes /Direction /R2L into the viewer's preferences of a document in Arabic. pdfium takes that for the order of
#          texts, too: it turns the digits and the letters of a word around as if they were words of their own. Without the
#          preference the word alone is read as it stands. Other readers (pypdf here) read 12B either way.
# Output:  the page holds 12B; the document says /R2L
#          pdfium: B12; pypdf: 12B
#          without /R2L: pdfium: 12B; pypdf: 12B
# So whoever copies a seat, searches for it, or has the page read out in a viewer with pdfium gets another seat. Onsale's tickets say
# /L2R, and texts that are Latin alone have a line of their own (services/tickets); a label that mixes both is in its README.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check typst==0.15.2 pypdfium2==5.15.2 pypdf==6.19.0
seen=$(FOLDER="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import os
from io import BytesIO
from pathlib import Path

import pypdf
import pypdfium2
import typst

SEAT = "12B"
source = Path(os.environ["FOLDER"]) / "ticket.typ"
source.write_text(f'#set text(font: "DejaVu Sans Mono", lang: "ar")\n{SEAT}\n')


def read(pdf):
    by_pdfium = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range().strip()
    by_pypdf = pypdf.PdfReader(BytesIO(pdf)).pages[0].extract_text().strip()
    return f"pdfium: {by_pdfium}; pypdf: {by_pypdf}"


written = typst.compile(str(source))
whole = pypdf.PdfWriter(clone_from=BytesIO(written))
print(f"the page holds {SEAT}; the document says {whole.root_object['/ViewerPreferences']['/Direction']}")
print(read(written))
del whole.root_object["/ViewerPreferences"]
without = BytesIO()
whole.write(without)
print("without /R2L:", read(without.getvalue()))
PYTHON
)
echo "$seen"
wanted="the page holds 12B; the document says /R2L
pdfium: B12; pypdf: 12B
without /R2L: pdfium: 12B; pypdf: 12B"
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
