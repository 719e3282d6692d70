"""The metrics of the API."""

import shutil

from prometheus_client.parser import text_string_to_metric_families

from api.conftest import Replica
from api.test_access import make_token
from support.deadlines import eventually


async def metrics(api: Replica) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample by its name and labels."""
    answer = await api.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_requests_failures_and_events_are_counted_without_names_in_labels(api: Replica) -> None:
    before = await metrics(api)
    await api.create(job_name="a secret name")
    await api.http.get("/jobs/a%20secret%20name")
    await api.http.get("/jobs/none")
    await api.http.get("/nowhere/at/all")
    async with api.client(None) as nobody, api.client("wrong") as stranger:
        await nobody.get("/jobs")
        await stranger.get("/jobs")
    after = await metrics(api)

    def moved(name: str, **labels: str) -> float:
        return after.get(of(name, **labels), 0) - before.get(of(name, **labels), 0)

    assert moved("nightmail_api_requests_total", method="POST", route="/jobs/create", status="201") == 1
    assert moved("nightmail_api_requests_total", method="GET", route="/jobs/{job_name}", status="200") == 1
    assert moved("nightmail_api_requests_total", method="GET", route="/jobs/{job_name}", status="404") == 1
    assert moved("nightmail_api_requests_total", method="GET", route="none", status="404") == 1
    assert moved("nightmail_api_request_duration_seconds_count", method="POST", route="/jobs/create") == 1
    assert moved("nightmail_api_auth_failures_total", reason="missing") == 1
    assert moved("nightmail_api_auth_failures_total", reason="wrong") == 1
    assert moved("nightmail_events_published_total") == 1
    assert moved("nightmail_api_events_applied_total") == 1
    assert after[of("nightmail_api_projection_lag_events")] == 0
    assert not any("secret" in value for _, labels in after for _, value in labels)


async def test_metrics_need_the_role_viewer(api: Replica) -> None:
    async with api.client(None) as nobody, api.client(await make_token(api, "prometheus", "viewer")) as scraper:
        assert (await nobody.get("/metrics")).status_code == 401
        assert (await scraper.get("/metrics")).status_code == 200


async def test_the_age_of_the_oldest_waiting_run_and_readiness_are_exported(api: Replica) -> None:
    assert (await metrics(api))[of("nightmail_ready")] == 1
    await api.create(job_name="waits")
    assert (await api.http.post("/jobs/waits/run")).status_code == 202

    async def waits() -> bool:
        return (await metrics(api))[of("nightmail_api_oldest_waiting_run_seconds")] > 0

    await eventually(waits, "the run, which no runner takes, has an age")


async def test_the_disk_and_the_log_have_sizes(api: Replica) -> None:
    disk = shutil.disk_usage(api.settings.data_dir)
    await api.create()

    async def sizes() -> dict[tuple[str, frozenset[tuple[str, str]]], float] | None:
        found = await metrics(api)
        return found if found[of("nightmail_api_log_bytes")] > 0 else None

    found = await eventually(sizes, "the log has been polled after its first event")
    assert found[of("nightmail_api_disk_size_bytes")] == disk.total
    assert 0 < found[of("nightmail_api_disk_free_bytes")] <= disk.total
