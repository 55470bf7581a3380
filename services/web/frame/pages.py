"""Files that never change at their address."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from chassis.identity import open_to_all
from services.web.frame.assets import Assets
from services.web.frame.domain import PageUnknown

_YEAR_SECONDS = 31_536_000


def immutable(request: Request, content: bytes, compressed: bytes, media_type: str, seconds: int | None) -> Response:
    """Content to keep for ever (`seconds` None) or for a while, compressed beforehand."""
    keep = f"public, max-age={_YEAR_SECONDS}, immutable" if seconds is None else f"public, max-age={seconds}"
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding", "Content-Security-Policy": "default-src 'none'"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
    return Response(content, headers=headers, media_type=media_type)


def make_files_router(assets: Assets) -> APIRouter:
    """Style, scripts and drawings."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{path}", dependencies=[open_to_all])
    async def static(request: Request, path: str) -> Response:
        asset = assets.find(path)
        if asset is None:
            raise PageUnknown
        return immutable(request, asset.content, asset.compressed, asset.media_type, None)

    @router.get("/favicon.ico", dependencies=[open_to_all])
    async def icon() -> Response:
        """Where browsers look when they show something that is no page of ours."""
        return RedirectResponse(assets.address("icon.svg"), 308)

    @router.get("/robots.txt", dependencies=[open_to_all])
    async def robots() -> Response:
        return Response(
            "User-agent: *\nDisallow: /my/\nDisallow: /orders/\nDisallow: /support\n", media_type="text/plain"
        )

    return router
