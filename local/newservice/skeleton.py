"""The files of a new service, from the templates beside this module: each is a real file with `newname` in the place of its name."""

from pathlib import Path

from local.newservice.places import NEW

HERE = Path(__file__).parent
SUFFIX = ".template"
MANIFEST = "kustomization.yaml"


def written(text: str, name: str) -> str:
    """A template with the name of a service, as a word, a class and the beginning of a variable."""
    return text.replace("newname", name).replace("Newname", name.capitalize()).replace("NEWNAME", name.upper())


def files(root: Path, name: str) -> dict[Path, str]:
    """Every file that a service has to itself."""
    template = HERE / "template"
    made = {
        root / "services" / name / written(str(path.relative_to(template)).removesuffix(SUFFIX), name): written(
            path.read_text(), name
        )
        for path in sorted(template.rglob(f"*{SUFFIX}"))
    }
    manifest = (HERE / f"{MANIFEST}{SUFFIX}").read_text(encoding="utf-8")
    return {**made, root / "k8s/base" / name / MANIFEST: written(manifest, name)}


def changes(root: Path, name: str) -> dict[Path, str]:
    """Every file that all share, with the lines of the new service. Raises ValueError if one has no place for them."""
    changed: dict[Path, str] = {}
    for line in NEW:
        path = root / line.file
        changed[path] = line.put(changed.get(path) or path.read_text(encoding="utf-8"), name)
    return changed


def make(root: Path, name: str) -> list[Path]:
    """Writes all of them; nothing at all if one cannot be. The paths."""
    made = {**files(root, name), **changes(root, name)}
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(made)
