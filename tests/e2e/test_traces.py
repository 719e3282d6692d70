"""Traces of runs, sent by the whole system to a collector that speaks OTLP over HTTP."""

import gzip
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from e2e.conftest import DataServer, Nightmail
from support.deadlines import wait_until
from support.ports import free_port

SECRET = "s3cr3t-v4lue"


class Collector:
    """Takes spans. Each is a dict with `service`, `name`, `trace`, `id`, `parent`, `kind`, `begun`, `ended` and `attributes`."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for group in request.resource_spans:
            resource = {one.key: one.value.string_value for one in group.resource.attributes}
            for scope in group.scope_spans:
                for span in scope.spans:
                    values = {one.key: one.value for one in span.attributes}
                    fields = {name: getattr(value, value.WhichOneof("value")) for name, value in values.items()}
                    self.spans.append(
                        {
                            "service": resource["service.name"],
                            "name": span.name,
                            "trace": UUID(bytes=span.trace_id),
                            "id": span.span_id,
                            "parent": span.parent_span_id,
                            "kind": span.kind,
                            "begun": span.start_time_unix_nano,
                            "ended": span.end_time_unix_nano,
                            "failed": span.status.code == 2,
                            "attributes": fields,
                        }
                    )

    def of_run(self, run_id: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["trace"] == UUID(run_id)]

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, collector: Collector, source: DataServer) -> Iterator[Nightmail]:
    """A system that sends its spans to the collector, with a job each minute that fails: the last test waits for its run."""
    system = Nightmail(
        tmp_path_factory.mktemp("traces"),
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        NIGHTMAIL_LOG_FORMAT="json",
        NIGHTMAIL_SECRET_CRM=SECRET,
        NIGHTMAIL_SECRET_CRM_HOSTS="127.0.0.1",
    )
    system.start()
    system.create(
        job_name="by schedule",
        schedule_time="* * * * *",
        data_source={
            "source_type": "api",
            "location": source.serve("/gone.csv", b"no such customer: Ann", status=404),
            "file_type": "csv",
        },
    )
    yield system
    assert system.stop() == 0


def test_a_run_is_one_trace_from_the_request_to_the_mail(
    traced: Nightmail, collector: Collector, source: DataServer
) -> None:
    url = source.serve(f"/data.csv?key={SECRET}", b"region,amount\nnorth,1\n").replace(SECRET, "{{ secrets.CRM }}")
    recipient = "who.reads.this@example.com"
    job = traced.create(
        job_name="traced",
        data_source={"source_type": "api", "location": url, "file_type": "csv"},
        processing_script="return data",
        consumer_emails=[recipient],
    )
    run_id = traced.run(job["job_name"])
    traced.run_when(run_id, "delivered")
    # Each process sends its spans on its own, in the order in which they end: these are the last ones.
    last = {"run", "SMTP", "process run-requested", "process result-ready"}
    wait_until(lambda: last <= {span["name"] for span in collector.of_run(run_id)}, "the last spans")
    spans = collector.of_run(run_id)
    by_id = {span["id"]: span for span in spans}
    by_name = {span["name"]: span for span in spans}
    assert len(by_id) == len(spans)

    def path(name: str) -> list[str]:
        span, names = by_name[name], [name]
        while span["parent"]:
            span = by_id[span["parent"]]
            names.append(span["name"])
        return names

    requested = ["process run-requested", "run"]
    assert path("run") == ["run"]
    assert path("GET") == ["GET", "fetch", *requested]
    for stage in ("parse", "script", "output"):
        assert path(stage) == [stage, "sandbox", *requested]
    assert path("SMTP") == ["SMTP", "process result-ready", *requested]
    assert {span["service"] for span in spans} == {"nightmail-api", "nightmail-runner", "nightmail-mailer"}
    assert by_name["run"]["attributes"] == {"nightmail.job_name": "traced", "nightmail.trigger": "manual"}
    assert by_name["GET"]["attributes"]["http.response.status_code"] == 200
    assert by_name["SMTP"]["attributes"]["nightmail.outcome"] == "accepted"
    stages = [by_name[stage] for stage in ("parse", "script", "output")]
    assert [one["ended"] for one in stages[:2]] == [one["begun"] for one in stages[1:]]
    text = repr(spans)
    assert not [hidden for hidden in (SECRET, recipient, "return data", "/data.csv") if hidden in text]


def test_the_log_lines_of_a_run_carry_its_trace(traced: Nightmail, source: DataServer) -> None:
    url = source.serve("/lines.csv", b"region,amount\nnorth,1\n")
    job = traced.create(job_name="lines", data_source={"source_type": "api", "location": url, "file_type": "csv"})
    run_id = traced.run(job["job_name"])
    traced.run_when(run_id, "delivered")

    def logged() -> dict[str, str | None]:
        whole = traced.log.read_text().rpartition("\n")[0]
        lines = [line[line.index("{") :] for line in whole.splitlines() if f'"{run_id}"' in line]
        return {line["event"]: line.get("trace_id") for line in map(json.loads, lines)}

    wait_until(lambda: {"run_started", "mail_sent"} <= set(logged()), "the lines are in the log")
    assert set(logged().values()) == {UUID(run_id).hex}


def test_a_collector_that_does_not_answer_delays_neither_runs_nor_the_end(tmp_path: Path, source: DataServer) -> None:
    system = Nightmail(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    system.start()
    url = source.serve("/data.csv", b"region,amount\nnorth,1\n")
    job = system.create(job_name="alone", data_source={"source_type": "api", "location": url, "file_type": "csv"})
    system.run_when(system.run(job["job_name"]), "delivered")
    assert system.stop() == 0
    assert "drain_cut_short" not in system.log.with_name("up-before.log").read_text()


def test_without_an_endpoint_nothing_of_opentelemetry_is_loaded() -> None:
    # FastStream and the MCP SDK look for parts of it.
    for service, unused in (("runner", "trace"), ("ticker", "trace"), ("mailer", "trace"), ("api", "sdk")):
        loaded = f"import sys, nightmail_{service}.main; print('opentelemetry.{unused}' in sys.modules)"
        printed = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
        assert printed == "False\n", service


def test_an_endpoint_that_is_no_url_stops_the_start_with_its_name(tmp_path: Path) -> None:
    system = Nightmail(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318")
    ended = subprocess.run(
        [sys.executable, "-m", "nightmail_ticker"], env=system.environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: setting OTEL_EXPORTER_OTLP_ENDPOINT: ")


def test_a_run_by_schedule_begins_at_its_due_time_and_a_failure_has_its_type_only(
    traced: Nightmail, collector: Collector
) -> None:
    def of_schedule() -> dict[str, Any] | None:
        first = (span for span in collector.spans if span["attributes"].get("nightmail.trigger") == "schedule")
        return next(first, None)

    first = wait_until(of_schedule, "the ticker's span", 90)
    assert (first["service"], first["begun"] % 60_000_000_000) == ("nightmail-ticker", 0)
    run_id = str(first["trace"])
    traced.run_when(run_id, "failed")
    wait_until(lambda: "fetch" in {span["name"] for span in collector.of_run(run_id)}, "the runner's spans")
    fetch = next(span for span in collector.of_run(run_id) if span["name"] == "fetch")
    assert (fetch["failed"], fetch["attributes"]["error.type"]) == (True, "CannotFetch")
    assert "Ann" not in repr(collector.of_run(run_id))
