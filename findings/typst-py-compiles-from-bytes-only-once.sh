#!/usr/bin/env bash
# typst-py 0.15.2: a Compiler that was given its document as bytes compiles it once; the second time there is no such file.
#
# Guessed: a Compiler is kept to be used again (that is what it is for), however it was given its document.
# Seen:    from a path it compiles as often as one likes; from bytes the first call works and the second raises.
# Output:  from a path: 1 ok, 2 ok
#          from bytes: 1 ok, 2 TypstError: file not found
# Onsale writes its layout into a folder first, and compiles that (services/tickets).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check typst==0.15.2
seen=$(FOLDER="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import os
from pathlib import Path

import typst

path = Path(os.environ["FOLDER"]) / "ticket.typ"
path.write_text("One ticket.")


def tries(given):
    compiler = typst.Compiler(given)
    outcomes = []
    for number in (1, 2):
        try:
            compiler.compile()
            outcomes.append(f"{number} ok")
        except Exception as error:
            outcomes.append(f"{number} {type(error).__name__}: {str(error).split(' (')[0]}")
    return ", ".join(outcomes)


print("from a path:", tries(str(path)))
print("from bytes:", tries(path.read_bytes()))
PYTHON
)
echo "$seen"
wanted="from a path: 1 ok, 2 ok
from bytes: 1 ok, 2 TypstError: file not found"
[ "$seen" = "$wanted" ] || { echo "This has changed." >&2; exit 1; }
