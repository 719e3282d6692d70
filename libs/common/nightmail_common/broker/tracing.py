"""Traces: one trace per run, from its due time or its request to the server's answer for its mail.

The trace id is the run's id, so that each leads to the other. `traceparent` (W3C Trace Context) travels in the headers of
events. Only `set_up_tracing` loads OpenTelemetry; without it a span costs a comparison, and an event carries on the
`traceparent` of the event that caused it.

A span never has an address, a URL's path or query, a script, or the text of an error.
"""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from importlib.metadata import version
from typing import Any, Literal
from uuid import UUID

from nightmail_common.contract.errors import CannotStart

TRACEPARENT = "traceparent"
#: The trace that the current task works for; published events carry it on.
current_traceparent: ContextVar[str | None] = ContextVar(TRACEPARENT, default=None)

#: The standard variable of OpenTelemetry; the exporter also reads the others that begin with `OTEL_EXPORTER_OTLP_`.
ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
#: The last spans of a process wait so long for a collector when it ends.
FLUSH_MILLISECONDS = 1500

_SPAN_ID_MASK = (1 << 64) - 1

Attributes = Mapping[str, str | int | float | bool]
Kind = Literal["INTERNAL", "CLIENT"]


def set_up_tracing(service: str, endpoint: str) -> Callable[[], None]:
    """Record spans from now on, and send them to a collector; return the function that sends the last ones.

    Args:
        endpoint: the base URL of a collector that takes OTLP over HTTP, as `http://127.0.0.1:4318`.

    Raises:
        CannotStart: OpenTelemetry is not installed.
    """
    os.environ.setdefault(ENDPOINT_VARIABLE, endpoint)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise CannotStart(
            f"{ENDPOINT_VARIABLE} is set, and {error.name} is not installed: pip install 'nightmail-common[traces]'"
        ) from None
    global _recorder
    _recorder = _Recorder(
        Resource.create(
            {
                "service.name": f"nightmail-{service}",
                "service.version": version("nightmail-common"),
                "service.instance.id": f"{socket.gethostname()}/{os.getpid()}",
            }
        )
    )
    _recorder.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return _recorder.flush


def span(name: str, kind: Kind = "INTERNAL", **attributes: str | float) -> AbstractContextManager[None]:
    """Return a span inside the current one, in whose names of attributes `__` stands for a dot."""
    return nullcontext() if _recorder is None else _recorder.span(name, kind, _dotted(attributes))


def annotate(**attributes: str | float) -> None:
    """Add attributes to the current span."""
    if _recorder is not None:
        _recorder.annotate(_dotted(attributes))


def record_stages(stages: Iterable[tuple[str, float]]) -> None:
    """Record stages that have just ended, each in milliseconds and one after the other, as spans of the current one."""
    if _recorder is not None:
        _recorder.stages(stages)


def request_headers(run_id: str) -> dict[str, str]:
    """Return the headers that make the event of a request the first one of its run's trace; none without a tracer."""
    return {} if _recorder is None else {TRACEPARENT: _recorder.traceparent_of(UUID(run_id))}


def record_request(run_id: str, begun: datetime, job_name: str, trigger: str) -> None:
    """Record the first span of a run, from its due time or request to now."""
    if _recorder is not None:
        _recorder.request(UUID(run_id), begun, {"nightmail.job_name": job_name, "nightmail.trigger": trigger})


def handling(
    event: str, run_id: UUID, traceparent: str | None, delivery: int
) -> AbstractContextManager[dict[str, str]]:
    """Return the span of an event's handler; inside it, published events carry on the trace.

    Returns:
        A context manager that yields what the log lines of the handler have besides.
    """
    if _recorder is None:
        return _carrying(traceparent)
    return _recorder.handling(event, run_id, traceparent, delivery)


@contextmanager
def _carrying(traceparent: str | None) -> Iterator[dict[str, str]]:
    token = current_traceparent.set(traceparent)
    try:
        yield {}
    finally:
        current_traceparent.reset(token)


def _dotted(attributes: Attributes) -> Attributes:
    return {name.replace("__", "."): value for name, value in attributes.items()}


class _Recorder:
    """Makes spans with OpenTelemetry, whose SDK every method loads."""

    def __init__(self, resource: Any) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        first_of: ContextVar[UUID | None] = ContextVar("first_of", default=None)

        class Ids(RandomIdGenerator):
            """The first span of a run has ids that follow from the run's id; others have random ones."""

            def generate_trace_id(self) -> int:
                run_id = first_of.get()
                return super().generate_trace_id() if run_id is None else run_id.int

            def generate_span_id(self) -> int:
                run_id = first_of.get()
                return super().generate_span_id() if run_id is None else run_id.int & _SPAN_ID_MASK

        # Its own end is bounded by `flush`; at exit it would wait for a collector that does not answer.
        self.provider: TracerProvider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
        self._tracer = self.provider.get_tracer("nightmail")
        self._first_of = first_of

    def flush(self) -> None:
        self.provider.force_flush(FLUSH_MILLISECONDS)

    def traceparent_of(self, run_id: UUID) -> str:
        """Return the header whose parent is the first span of a run, which need not have been recorded yet."""
        decision = self.provider.sampler.should_sample(None, run_id.int, "run").decision
        sampled = decision == decision.RECORD_AND_SAMPLE
        return f"00-{run_id.hex}-{run_id.int & _SPAN_ID_MASK:016x}-{int(sampled):02x}"

    def request(self, run_id: UUID, begun: datetime, attributes: Attributes) -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        token = self._first_of.set(run_id)
        try:
            first = self._tracer.start_span(
                "run", Context(), SpanKind.PRODUCER, attributes, start_time=int(begun.timestamp() * 1e9)
            )
        finally:
            self._first_of.reset(token)
        first.end()

    @contextmanager
    def handling(self, event: str, run_id: UUID, traceparent: str | None, delivery: int) -> Iterator[dict[str, str]]:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        propagator = TraceContextTextMapPropagator()
        parent = propagator.extract({TRACEPARENT: traceparent or self.traceparent_of(run_id)})
        attributes: Attributes = {
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "nightmail.run_id": str(run_id),
            "nightmail.delivery": delivery,
        }
        with self._spanning(f"process {event}", SpanKind.CONSUMER, attributes, parent):
            carrier: dict[str, str] = {}
            propagator.inject(carrier)
            with _carrying(carrier[TRACEPARENT]):
                yield {"trace_id": carrier[TRACEPARENT].split("-")[1]}

    @contextmanager
    def span(self, name: str, kind: Kind, attributes: Attributes) -> Iterator[None]:
        from opentelemetry.trace import SpanKind

        with self._spanning(name, SpanKind[kind], attributes):
            yield

    @contextmanager
    def _spanning(self, name: str, kind: Any, attributes: Attributes, parent: Any = None) -> Iterator[None]:
        # The SDK would record the text of an error, which may quote data.
        with self._tracer.start_as_current_span(
            name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
        ):
            try:
                yield
            except BaseException as error:
                self.annotate({"error.type": type(error).__name__})
                raise

    def annotate(self, attributes: Attributes) -> None:
        from opentelemetry.trace import Status, StatusCode, get_current_span

        current = get_current_span()
        current.set_attributes(attributes)
        if "error.type" in attributes:
            current.set_status(Status(StatusCode.ERROR))

    def stages(self, stages: Iterable[tuple[str, float]]) -> None:
        durations = [(name, int(milliseconds * 1e6)) for name, milliseconds in stages]
        begun = time.time_ns() - sum(nanoseconds for _, nanoseconds in durations)
        for name, nanoseconds in durations:
            ended = begun + nanoseconds
            self._tracer.start_span(name, start_time=begun).end(ended)
            begun = ended


_recorder: _Recorder | None = None
