"""What support reads of an order of a running system."""

from typing import Any

import httpx

from local.provision import make_secrets
from local.system import System


async def story_of_support(system: System, number: str) -> dict[str, Any]:
    """The story of an order, as programs of support get it."""
    headers = {"Authorization": f"Bearer {make_secrets(system.layout).web_support_key}"}
    async with httpx.AsyncClient(base_url=system.addresses["web"], timeout=30) as support:
        answer = await support.get(f"/api/support/orders/{number}", headers=headers)
    assert answer.status_code == 200, answer.text
    story: dict[str, Any] = answer.json()
    return story
