"""The API from start to end: settings, the broker, the read model, the HTTP server, the drain."""

import asyncio
import gc
import secrets
import sys
from functools import partial

import nats.errors
import structlog
import uvloop
from nats.js import JetStreamContext

from nightmail_api.access.authentication import Failures
from nightmail_api.access.oidc import Issuer
from nightmail_api.access.tokens import Tokens
from nightmail_api.commands.erasure import Erasure
from nightmail_api.commands.job_commands import Commands
from nightmail_api.commands.previews import Previews
from nightmail_api.http.application import build_application
from nightmail_api.http.dependencies import Parts
from nightmail_api.metrics import follow_read_model
from nightmail_api.read_model.database import Database, DatabaseAway
from nightmail_api.read_model.event_queries import AuditLog
from nightmail_api.read_model.projection import Projection
from nightmail_api.read_model.query_executor import Reader
from nightmail_api.read_model.read_model import ReadModel
from nightmail_api.read_model.results import Results
from nightmail_api.read_model.sqlite import SqliteDatabase
from nightmail_api.settings import ApiSettings, admin_token
from nightmail_common.broker import streams
from nightmail_common.broker.cancellation import end_if_cancelled
from nightmail_common.broker.connection import connect_options
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.results import ResultStore
from nightmail_common.service.health import Health
from nightmail_common.service.http_server import serve_http
from nightmail_common.service.service import run_service
from nightmail_common.service.settings import load

DECLARE_WAIT_SECONDS = 0.25

logger = structlog.get_logger()


def main() -> None:
    """Run the API until SIGTERM or SIGINT; a setting that cannot be ends it with one line on stderr, exit 1."""
    settings = load(ApiSettings)
    try:
        token = admin_token(settings)
        projection = Projection(database(settings))
    except OSError as error:
        print(f"error: setting NIGHTMAIL_DATA_DIR: {error.filename}: {error.strerror}", file=sys.stderr)
        raise SystemExit(1) from None
    except DatabaseAway as error:
        print(f"error: setting NIGHTMAIL_DATABASE_URL: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    run_service("api", settings, partial(serve, settings, token, projection), uvloop.new_event_loop)


def database(settings: ApiSettings) -> Database:
    """Return where the read model is."""
    if settings.database_url is None:
        return SqliteDatabase(settings.data_dir / "api" / "projection.sqlite")
    from nightmail_api.read_model.postgres import PostgresDatabase  # psycopg's memory is for whoever asks for it

    return PostgresDatabase(settings.database_url)


async def serve(settings: ApiSettings, token: str, projection: Projection, stop: asyncio.Event) -> None:
    """Answer requests until `stop`. Before the broker is there and its log is read, only health answers."""
    client = PatchedClient()
    js = client.jetstream()
    log = EventLog(client, "api", settings.run_retention)
    erasure = Erasure(js, log)
    model = ReadModel(log, js, projection, erasure)
    read = Reader(projection.database)
    audit = AuditLog(client)
    tokens = Tokens(js, token)
    health = Health()
    health.add_nats(client)
    health.add("projection", model.reason_not_ready)
    follow_read_model(lambda: model.applied, lambda: model.last)
    parts = Parts(
        tokens=tokens,
        failures=Failures(),
        issuer=_issuer(settings),
        health=health,
        log=log,
        audit=audit,
        model=model,
        read=read,
        commands=Commands(log, model, read, erasure, settings.timezone, frozenset(settings.script_imports)),
        results=Results(read, log, ResultStore(js)),
        previews=Previews(client),
        default_timezone=settings.timezone,
        secret_key=_secret_key(settings),
        stopping=stop,
    )

    async def follow_the_log() -> None:
        await client.connect(**connect_options(settings, "nightmail-api", "api"))
        await tokens.listen(client)
        await _declare(js, tokens, settings)
        await model.run()

    following = asyncio.create_task(follow_the_log())
    # It ends only by a fault; without it every answer would be of the past, so the process goes and starts anew.
    following.add_done_callback(lambda _: stop.set())
    try:
        async with serve_http(
            build_application(parts, settings.cors_origins), settings.host, settings.port, "PORT", http="httptools"
        ) as port:
            logger.info("api_listens", host=settings.host, port=port)
            # What the program is made of stays: looking through it for garbage held every hundredth answer for 40 ms.
            gc.collect()
            gc.freeze()
            await stop.wait()
    finally:
        following.cancel()
        await asyncio.wait({following})
        await asyncio.to_thread(projection.database.close)
        read.close()
        projection.close()
        if client.is_connected or client.is_reconnecting:
            await client.close()
        if not following.cancelled():
            following.result()


def _issuer(settings: ApiSettings) -> Issuer | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return Issuer(settings.oidc_issuer, settings.oidc_audience)


def _secret_key(settings: ApiSettings) -> str:
    """Return the key of the links in mails; one that nobody has if none is set, so that no link is valid."""
    return settings.secret_key.get_secret_value() if settings.secret_key else secrets.token_urlsafe()


async def _declare(js: JetStreamContext, tokens: Tokens, settings: ApiSettings) -> None:
    while True:
        end_if_cancelled()
        try:
            await streams.declare(js, settings.result_retention, settings.nats_replicas)
            await tokens.declare(settings.nats_replicas)
            return
        except (nats.errors.Error, OSError) as error:
            logger.warning("streams_not_declared", error=str(error) or type(error).__name__)
            await asyncio.sleep(DECLARE_WAIT_SECONDS)
