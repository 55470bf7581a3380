"""Whether a program of the system does its work."""

import http.client
import urllib.parse


def is_ready(url: str) -> bool:
    """Whether it answers there, and well: a service that can answer, and neither hears nor is heard, is not at work yet."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.status == http.client.OK and b'"state":"degraded"' not in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
