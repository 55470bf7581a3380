"""What web promises of visits is kept by the database itself, whatever the code does."""

from chassis.testing import Harness


async def test_a_visit_that_was_left_is_not_forgotten_while_its_cookie_would_open_it(harness: Harness) -> None:
    url = harness.database_url("web")
    left = "INSERT INTO left_visit SELECT sha256('a'), now() + interval '1 hour' UNION SELECT sha256('b'), now()"
    await harness.write(url, left, "DELETE FROM left_visit WHERE expires_at <= now()")
    assert "would open it again" in await harness.refused(url, "DELETE FROM left_visit")
