"""`python -m contracts.documents`: writes all that follows from what services declare, in the order in which one needs the other."""

from contracts.completeness import descriptors, tables
from contracts.promises import documents


def main() -> None:
    """The documents; then the tables of pages (`tables.PAGES`) and the descriptors of services, which are made from them."""
    documents.write()
    for page in tables.PAGES:
        page.write_text(tables.written(page.read_text(encoding="utf-8")), encoding="utf-8")
    descriptors.write_apis()


if __name__ == "__main__":
    main()
