"""`POST /system/test-mail`: a real mailer sends a test mail and reports each step of the SMTP session."""

from pathlib import Path

from api.conftest import Replica
from api.test_access import make_token
from support.mailer_process import MailerProcess
from support.nats_server import NatsServer
from support.smtp_server import SmtpServer

PATH = "/system/test-mail"


async def test_the_steps_of_a_test_mail_are_listed_up_to_the_first_that_failed(
    api: Replica, nats_server: NatsServer, tmp_path: Path
) -> None:
    async def refuse_bob(recipient: str) -> str | None:
        return "550 5.1.1 no such user" if recipient.startswith("bob") else None

    smtp = SmtpServer()
    smtp.on_rcpt = refuse_bob
    smtp.start()
    mailer = MailerProcess(nats_server, smtp.port, tmp_path)
    try:
        await mailer.ready()
        accepted = await api.http.post(PATH, json={"recipient": "ann@EXAMPLE.com"})
        refused = await api.http.post(PATH, json={"recipient": "bob@example.com"})
    finally:
        mailer.kill()
        smtp.stop()
    assert accepted.status_code == 200, accepted.text
    result = accepted.json()
    assert (result["ok"], result["failed_at"]) == (True, None)
    assert [step["step"] for step in result["steps"]] == [
        "resolve",
        "connect",
        "greeting",
        "MAIL FROM",
        "RCPT TO",
        "DATA",
    ]
    assert "To: ann@example.com" in smtp.last_content.decode().splitlines()
    assert refused.json()["failed_at"] == "RCPT TO"
    assert "550 5.1.1 no such user" in refused.json()["steps"][-1]["detail"]


async def test_a_test_mail_needs_an_address_a_mailer_and_the_role_editor(api: Replica) -> None:
    wrong = await api.http.post(PATH, json={"recipient": "nobody"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "recipient")
    alone = await api.http.post(PATH, json={"recipient": "ann@example.com"})
    assert (alone.status_code, alone.json()["detail"]) == (503, "no mailer is available to send the test mail")
    async with api.client(await make_token(api, "a-viewer-of-mail", "viewer")) as viewer:
        assert (await viewer.post(PATH, json={"recipient": "ann@example.com"})).status_code == 403
