"""Builds the parts of the runner from its settings and its connection."""

from collections.abc import Sequence
from importlib.util import find_spec

import structlog

from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.sample_store import SampleStore
from nightmail_common.contract.errors import CannotStart
from nightmail_common.contract.script import DEFAULT_IMPORTS
from nightmail_common.service.script_reader import ScriptReader
from nightmail_common.service.service import Service
from nightmail_runner.execute import RunExecutor, ScriptLimits
from nightmail_runner.kept_inputs import InputKeeper
from nightmail_runner.last_delivered import LastDelivered
from nightmail_runner.samples import Samples
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.run_groups import RunGroups
from nightmail_runner.sandbox.worker_pool import SandboxRefused
from nightmail_runner.settings import RunnerSettings
from nightmail_runner.sources.addresses import AddressCheckingTransport, AddressPolicy
from nightmail_runner.sources.conditional import KeptAnswers
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.sources.source_secrets import SecretStore, source_secrets
from nightmail_runner.sources.stored_files import StoredFiles
from nightmail_runner.sql.connections import source_connections
from nightmail_runner.sql.fetcher import SqlFetcher, TableLimits
from nightmail_runner.stops import CANCELLED, DELETED, Stops
from nightmail_runner.template_times import TemplateTimes

logger = structlog.get_logger()


async def start_sandbox(settings: RunnerSettings, service: Service) -> Sandbox:
    """Return the sandbox once a script could run in it.

    Raises:
        CannotStart: the kernel lacks an isolation layer.
    """
    groups = RunGroups.of_this_process()
    service.facts["run_groups"] = groups.facts
    sandbox = await service.enter(
        Sandbox(settings.runner_concurrency, protected=settings.sandbox == "on", groups=groups)
    )
    service.health.add("sandbox", sandbox.reason_not_ready)
    try:
        await sandbox.started()
    except SandboxRefused as error:
        raise CannotStart(f"scripts cannot be isolated on this machine: {error} (docs/sandbox.md)") from None
    return sandbox


async def build_fetcher(settings: RunnerSettings, service: Service) -> Fetcher:
    """Return the fetcher; its HTTP connections are closed with the service."""
    transport = await service.enter(AddressCheckingTransport(AddressPolicy(settings.fetch_allow)))
    js, secrets = service.client.jetstream(), SecretStore(source_secrets())
    files = StoredFiles(FileStore(js), settings.data_dir / "files")
    table_limits = TableLimits(settings.max_rows, settings.max_columns)
    sql = SqlFetcher(source_connections(), table_limits, settings.fetch_timeout)
    return Fetcher(transport, files, settings.max_input_bytes, settings.fetch_timeout, secrets, sql)


def warn_of_missing_imports(packages: Sequence[str]) -> None:
    """Log the packages of `SCRIPT_IMPORTS` that are not installed: the API accepts scripts that import them."""
    for package in packages:
        if find_spec(package) is None:
            logger.warning("script_import_not_installed", package=package)


def build_executor(
    settings: RunnerSettings, service: Service, fetcher: Fetcher, sandbox: Sandbox, max_event_bytes: int
) -> RunExecutor:
    limits = ScriptLimits(
        timeout_seconds=settings.script_timeout,
        memory_bytes=settings.script_memory,
        result_bytes=settings.max_result_bytes,
        rows=settings.max_rows,
        columns=settings.max_columns,
    )
    scripts = ScriptReader(DEFAULT_IMPORTS.union(settings.script_imports))
    results = ResultStore(service.client.jetstream(), settings.max_job_result_bytes)
    last_delivered = LastDelivered(service.log, results)
    times = TemplateTimes(service.log)
    kept_answers = KeptAnswers(service.log, InputStore(service.client.jetstream()))
    return RunExecutor(scripts, fetcher, times, kept_answers, sandbox, results, last_delivered, limits, max_event_bytes)


def build_keeper(settings: RunnerSettings, service: Service) -> InputKeeper:
    return InputKeeper(InputStore(service.client.jetstream()), service.log, settings.max_kept_input_bytes)


def build_samples(settings: RunnerSettings, service: Service) -> Samples:
    return Samples(SampleStore(service.client.jetstream()), settings.max_input_bytes)


async def load_stops(service: Service) -> Stops:
    """Return the cancellations and deletions that the log has, which further ones are added to."""
    stops = Stops(service.log)
    await stops.load()
    service.background(stops.follow(CANCELLED), "cancellations")
    service.background(stops.follow(DELETED), "deletions")
    return stops
