"""Whether a program of the system does its work."""

import http.client
import urllib.parse


def is_ready(url: str) -> bool:
    """Whether it answers there, and well."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
