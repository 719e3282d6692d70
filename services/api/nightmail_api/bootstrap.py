"""Builds the state of the API from its settings and its connection."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from nats.js import JetStreamContext

from nightmail_api.access.authentication import Authenticator
from nightmail_api.access.oidc import Issuer
from nightmail_api.access.oidc_sign_in import OidcSignIn
from nightmail_api.access.quota import Quota
from nightmail_api.access.sessions import USED_CODES, Sessions
from nightmail_api.access.tokens import BUCKET as TOKENS_BUCKET
from nightmail_api.access.tokens import TokenStore
from nightmail_api.commands.erasure import Erasure
from nightmail_api.commands.job_commands import JobCommands
from nightmail_api.commands.previews import Previews
from nightmail_api.commands.rendered_mails import RenderedMails
from nightmail_api.commands.samples import PreviewSamples
from nightmail_api.commands.script_check import ScriptCheck
from nightmail_api.commands.smtp_check import SmtpChecks
from nightmail_api.commands.source_check import SourceCheck
from nightmail_api.http.dependencies import AppState
from nightmail_api.metrics import follow_disk, follow_read_model
from nightmail_api.read_model.database import Database, DatabaseUnavailable
from nightmail_api.read_model.event_feed import EventFeed
from nightmail_api.read_model.event_queries import EventQueries
from nightmail_api.read_model.projection import Projection
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_api.read_model.read_model import ReadModel
from nightmail_api.read_model.result_diffs import ResultDiffs
from nightmail_api.read_model.result_rows import ResultRows
from nightmail_api.read_model.results import Results
from nightmail_api.read_model.sqlite import SqliteDatabase
from nightmail_api.read_model.warm_up import keep_warm
from nightmail_api.retention.kept_inputs import KeptInputs
from nightmail_api.retention.orphaned_pieces import OrphanedPieces
from nightmail_api.settings import ApiSettings, admin_token
from nightmail_api.system.report import SystemReport
from nightmail_common.broker import streams
from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.object_bucket import ObjectBucket
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.sample_store import SampleStore
from nightmail_common.contract.errors import CannotStart
from nightmail_common.contract.limits import (
    MAX_API_SIGN_INS,
    MAX_API_STREAMS,
    MAX_API_UPLOADS,
    MAX_TOKEN_STREAMS,
    MAX_TOKEN_UPLOADS,
)
from nightmail_common.contract.script import DEFAULT_IMPORTS
from nightmail_common.service.service import Service
from nightmail_common.service.settings import ServiceSettings


def database(settings: ApiSettings) -> Database:
    """Return the database of the read model."""
    if settings.database_url is None:
        return SqliteDatabase(settings.data_dir / "api" / "projection.sqlite")
    from nightmail_api.read_model.postgres import PostgresDatabase  # psycopg takes memory, and few need it

    return PostgresDatabase(settings.database_url)


@asynccontextmanager
async def open_read_model(settings: ApiSettings) -> AsyncIterator[tuple[Projection, QueryExecutor]]:
    """Yield the projection and the queries of the read model.

    Raises:
        CannotStart: the data folder cannot be written, or the database does not answer.
    """
    try:
        projection = Projection(database(settings))
        read = QueryExecutor(projection.database)
    except OSError as error:
        raise _unusable_folder(error) from None
    except DatabaseUnavailable as error:
        raise CannotStart(f"setting NIGHTMAIL_DATABASE_URL: {error}") from None
    try:
        yield projection, read
    finally:
        # Both wait for the calls that run.
        await asyncio.to_thread(read.close)
        await asyncio.to_thread(projection.database.close)


async def ensure_streams(js: JetStreamContext, settings: ServiceSettings) -> None:
    """Declare the streams, and retry after every error.

    A cluster that is not complete yet refuses with the errors of an invalid request, so no error is permanent here.
    """

    declare = partial(streams.ensure_streams, js, settings.result_retention, settings.nats_replicas)
    await retry_forever(declare, "declare the streams", BROKER_ERRORS)


def build_state(settings: ApiSettings, service: Service, projection: Projection, read: QueryExecutor) -> AppState:
    """Return the state of the application.

    Raises:
        CannotStart: the data folder cannot be written.
    """
    try:
        token = admin_token(settings)
    except OSError as error:
        raise _unusable_folder(error) from None
    js, log = service.client.jetstream(), service.log
    erasure = Erasure(js, log)
    audit = EventQueries(service.client)
    feed = EventFeed(audit)
    model = ReadModel(log, js, projection, read, erasure, feed)
    service.health.add("projection", model.reason_not_ready)
    follow_disk(settings.data_dir)
    follow_read_model(lambda: model.applied, lambda: model.last)
    tokens = TokenStore(js, token)
    secret_key = _secret_key(settings)
    sessions = Sessions(js, secret_key, tokens)
    issuer = _issuer(settings)
    scripts = ScriptCheck(DEFAULT_IMPORTS.union(settings.script_imports))
    results = Results(read, log, ResultStore(js))
    inputs = KeptInputs(InputStore(js), log, model, read, settings.input_retention)
    mails = RenderedMails(service.client, results)
    return AppState(
        tokens=tokens,
        authenticator=Authenticator(tokens, issuer, sessions),
        sessions=sessions,
        oidc_sign_in=_oidc_sign_in(settings, issuer, secret_key),
        sign_ins=Quota("sign-ins", MAX_API_SIGN_INS, MAX_API_SIGN_INS),
        health=service.health,
        log=log,
        audit=audit,
        feed=feed,
        model=model,
        read=read,
        commands=JobCommands(log, model, read, erasure, inputs, settings.timezone, scripts),
        results=results,
        diffs=ResultDiffs(results),
        rows=ResultRows(results),
        previews=Previews(service.client, scripts, mails, PreviewSamples(SampleStore(js))),
        rendered_mails=mails,
        smtp_checks=SmtpChecks(service.client),
        sources=SourceCheck(service.client, settings.timezone),
        system=SystemReport(service.client, model, read),
        files=FileStore(js),
        inputs=inputs,
        uploads=Quota("uploads", MAX_TOKEN_UPLOADS, MAX_API_UPLOADS),
        streams=Quota("event streams", MAX_TOKEN_STREAMS, MAX_API_STREAMS),
        default_timezone=settings.timezone,
        secret_key=secret_key,
        stopping=service.stopping,
    )


async def follow_log(settings: ApiSettings, service: Service, state: AppState) -> None:
    """Keep the known tokens and the read model up to date, for ever."""
    await service.connected()
    await state.tokens.follow_changes(service.client)
    ensure_bucket = partial(state.tokens.ensure_bucket, settings.nats_replicas)
    await retry_forever(ensure_bucket, "create the bucket of tokens", BROKER_ERRORS)
    ensure_codes = partial(state.sessions.ensure_bucket, settings.nats_replicas)
    await retry_forever(ensure_codes, "create the bucket of used codes", BROKER_ERRORS)
    service.background(state.inputs.run(), "removal of inputs")
    service.background(keep_warm(state.read, state.model), "warm-up")
    js = service.client.jetstream()
    own = (f"KV_{TOKENS_BUCKET}", f"KV_{USED_CODES}")
    add_replicas = partial(streams.add_replicas, js, own, settings.nats_replicas)
    await retry_forever(add_replicas, "add replicas to the buckets of tokens and codes", BROKER_ERRORS)
    buckets = [ObjectBucket(js, name) for name in (streams.FILES, streams.INPUTS, streams.RESULTS)]
    service.background(OrphanedPieces(buckets).run(), "removal of orphaned pieces")
    await state.model.run()


def _unusable_folder(error: OSError) -> CannotStart:
    return CannotStart(f"setting NIGHTMAIL_DATA_DIR: {error.filename}: {error.strerror}")


def _issuer(settings: ApiSettings) -> Issuer | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return Issuer(settings.oidc_issuer, settings.oidc_audience)


def _oidc_sign_in(settings: ApiSettings, issuer: Issuer | None, secret_key: str) -> OidcSignIn | None:
    if issuer is None or settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    secret = settings.oidc_client_secret
    return OidcSignIn(
        issuer=issuer,
        issuer_url=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        secret_key=secret_key,
    )


def _secret_key(settings: ApiSettings) -> str:
    """Return the key of links and sessions; without a setting, one of this process: no link of a mail is valid then."""
    return settings.secret_key.get_secret_value() if settings.secret_key else secrets.token_urlsafe()
