"""The page that asks for the support key, and to what it leads."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.web.frame.notices import Notice
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor
from services.web.support.domain import MOST_SHOWN


def key_page(
    site: Site,
    request: Request,
    visitor: Visitor,
    notice: Notice | None = None,
    status: int = 200,
    *,
    number: str = "",
    sale: UUID | None = None,
) -> Response:
    """Asks for the key. With it somebody goes on to the order of that number, or to the sale of that event."""
    return site.renderer.page(
        request,
        visitor,
        "support/key.html",
        status=status,
        here="support",
        number=number[:MOST_SHOWN],
        sale=sale or "",
        notices=[notice] if notice else [],
    )
