"""Sign-in to the console at an OpenID Connect issuer, in a real browser against a system of its own."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from e2e.conftest import Nightmail
from support.deadlines import scaled
from support.oidc_issuer import AUDIENCE, IssuerServer


def test_a_person_signs_in_at_the_issuer_and_is_where_the_link_led(browser: Browser, tmp_path: Path) -> None:
    issuer = IssuerServer()
    system = Nightmail(
        tmp_path,
        NIGHTMAIL_OIDC_ISSUER=issuer.url,
        NIGHTMAIL_OIDC_AUDIENCE=AUDIENCE,
        NIGHTMAIL_OIDC_CLIENT_ID="the-console",
    )
    system.start()
    page = browser.new_context().new_page()
    page.set_default_timeout(scaled(10) * 1000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    try:
        sign_in = page.get_by_role("link", name=f"Sign in with {issuer.url.split('/')[2]}")
        issuer.claims = {"nightmail_role": None}
        page.goto(f"{system.url}/console/runs?status=failed")
        sign_in.click()
        expect(page.get_by_role("alert")).to_contain_text("but have no role here")
        assert "#" not in page.url
        issuer.claims = {"nightmail_role": "editor"}
        page.goto(f"{system.url}/console/runs?status=failed")
        sign_in.click()
        expect(page.get_by_role("heading", name="Runs")).to_be_visible()
        assert page.url == f"{system.url}/console/runs?status=failed"
        expect(page.get_by_text("oidc:u-1 (editor)")).to_be_visible()
        expect(page.locator(".live")).to_have_text("live")
        page.reload()
        expect(page.get_by_text("oidc:u-1 (editor)")).to_be_visible()
    finally:
        page.context.close()
        assert system.stop() == 0
        issuer.close()
    assert [text for text in complaints if "401" not in text] == []
