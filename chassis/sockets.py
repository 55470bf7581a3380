"""The WebSocket protocol of our servers: uvicorn's, with an end that does not depend on the other side."""

from typing import Any

from fastapi.routing import APIWebSocketRoute

# Browsers have little to say on a socket.
MOST_BYTES = 4096
# Whoever does not answer the protocol's own ping for so long is not there any more. Two of these are the longest silence.
PING_SECONDS = 20.0


def socket_options(app: Any) -> dict[str, Any]:
    """What uvicorn's configuration has to say of sockets. An application without any speaks HTTP alone, and needs no library for more."""
    routes = getattr(getattr(app, "router", None), "routes", ())
    if not any(isinstance(route, APIWebSocketRoute) for route in routes):
        return {"ws": "none"}
    # The library is in the image of those services alone that have sockets.
    from chassis.socket_protocol import BoundedSocket

    return {
        "ws": BoundedSocket,
        "ws_max_size": MOST_BYTES,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        # It would keep a window of its own for each socket; what is sent is small, and a proxy may compress it.
        "ws_per_message_deflate": False,
    }
