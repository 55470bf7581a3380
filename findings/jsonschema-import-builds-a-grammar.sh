#!/usr/bin/env bash
# jsonschema 4.26.0 with rfc3987-syntax 1.1.0 (its extra `format-nongpl`): importing it builds a grammar of IRIs.
#
# Guessed: an extra for formats costs when a value of such a format is checked; `import jsonschema` costs the same with and without.
# Seen:    with the extra each process that imports jsonschema compiles a Lark grammar for `iri` and `iri-reference`, before it
#          has any schema, and the import takes several times as much processor time. Other packages bring the extra along.
# Output:  plain: no grammar
#          format-nongpl: a grammar, built by the import; the import costs more than 3 times as much
# Onsale's checks of contracts load it for whoever has a value to check, without that grammar (contracts/promises/validating.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/plain"
python3 -m venv "$folder/extra"
"$folder/plain/bin/pip" install --quiet --disable-pip-version-check jsonschema==4.26.0
"$folder/extra/bin/pip" install --quiet --disable-pip-version-check 'jsonschema[format-nongpl]==4.26.0' rfc3987-syntax==1.1.0 lark==1.3.1
cat > "$folder/import.py" <<'PYTHON'
import sys
import time

began = time.process_time()
import jsonschema  # noqa: F401

print(time.process_time() - began, "grammar" if "lark" in sys.modules else "nothing")
PYTHON
for kind in plain extra; do # once before, so that both have their bytecode
    env -u PYTHONDONTWRITEBYTECODE "$folder/$kind/bin/python" "$folder/import.py" > "$folder/$kind.txt"
    env -u PYTHONDONTWRITEBYTECODE "$folder/$kind/bin/python" "$folder/import.py" > "$folder/$kind.txt"
done
read -r plain built_plain < "$folder/plain.txt"
read -r extra built_extra < "$folder/extra.txt"
test "$built_plain" = nothing && echo "plain: no grammar"
test "$built_extra" = grammar
python3 -c "import sys; sys.exit(not float(sys.argv[2]) > 3 * float(sys.argv[1]))" "$plain" "$extra"
echo "format-nongpl: a grammar, built by the import; the import costs more than 3 times as much"
