"""Static files at addresses that hold their content's hash."""

import gzip
from pathlib import Path

import pytest

from services.web.frame.assets import Assets


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / f"{name}.js").write_text(content)
    return folder


def test_modules_import_each_other_by_hashed_addresses(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, leaf="export const one = 1;", top='import { one } from "./leaf.js";'))
    top = assets.find(assets.address("top.js").removeprefix("/static/"))

    assert top is not None
    assert f'from "./{assets.address("leaf.js").removeprefix("/static/")}"'.encode() in top.content
    assert gzip.decompress(top.compressed) == top.content


def test_a_new_leaf_is_a_new_address_all_the_way_up(tmp_path: Path) -> None:
    files = {"leaf": "1;", "top": 'import "./x.js"; import { a } from "./leaf.js";'}
    before = Assets(write(tmp_path, **files)).address("top.js")
    after = Assets(write(tmp_path, **(files | {"leaf": "2;"}))).address("top.js")

    assert before != after


def test_an_old_address_is_not_answered_with_new_content(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, leaf="1;"))

    assert assets.find("leaf.000000000000.js") is None
    assert assets.find("leaf.js") is None
    assert assets.find("../settings.py") is None


def test_modules_in_a_circle_are_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="circle"):
        Assets(write(tmp_path, a='import { b } from "./b.js";', b='import { a } from "./a.js";'))


def test_the_shops_own_files_are_all_there() -> None:
    assets = Assets()

    for name in ("onsale.css", "page.js", "event.js", "order.js", "icon.svg"):
        assert assets.address(name).startswith("/static/")
