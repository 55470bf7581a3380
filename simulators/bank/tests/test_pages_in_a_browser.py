"""The hosted pages in a real Chromium: accessible, light and dark, and the whole way back to the shop."""

from pathlib import Path
from typing import Literal

import pytest

from simulators.bank.tests.conftest import Merchant, running_shop
from simulators.tests.chromium import assert_accessible, phone

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_payer_pays_on_a_phone_and_every_page_is_accessible(
    tmp_path: Path, merchant: Merchant, quick: dict[str, str], scheme: Literal["light", "dark"]
) -> None:
    async with running_shop(tmp_path / "b.sqlite", merchant, quick) as shop, phone(scheme) as page:
        payment = await shop.open(return_url=f"{shop.bank.url}/livez")
        await page.goto(payment["redirect_url"])
        await assert_accessible(page)
        await page.get_by_label("Card number").fill("1234")
        await page.get_by_role("button", name="Pay €42.00").click()
        await page.get_by_text("The card cannot be used yet").wait_for()
        await assert_accessible(page)
        await page.get_by_role("link", name="Needs confirmation").click()
        await page.get_by_role("button", name="Pay €42.00").click()
        await page.get_by_role("heading", name="Is this you?").wait_for()
        await assert_accessible(page)
        await page.get_by_role("button", name="Confirm the payment").click()
        await page.wait_for_url("**/livez")
        assert await shop.status(payment) == "authorised"
        withdrawn = await shop.open()
        await shop.operate(withdrawn, "void", "v")
        await page.goto(withdrawn["redirect_url"])
        await assert_accessible(page)
