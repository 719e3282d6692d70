"""Each alert in Prometheus' own engine (`promtool test rules`): it fires on its first event, and a healthy system is quiet."""

import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from nightmail_api.http.application import build_application

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yaml"

#: Series of a healthy system, in promtool's notation (`first value + step x repetitions`), one value a minute.
HEALTHY = {
    'up{job="nightmail-api", instance="api"}': "1x60",
    'up{job="nightmail", instance="mailer"}': "1x60",
    'nightmail_ready{job="nightmail", instance="mailer"}': "1x60",
    "nightmail_ticker_leads": "1x60",
    'nightmail_ticker_due_time_lateness_seconds_bucket{le="5"}': "0+10x60",
    'nightmail_ticker_due_time_lateness_seconds_bucket{le="15"}': "0+10x60",
    'nightmail_ticker_due_time_lateness_seconds_bucket{le="+Inf"}': "0+10x60",
    'nightmail_ticker_due_times_total{fate="missed"}': "0x60",
    "nightmail_api_oldest_waiting_run_seconds": "2x60",
    "nightmail_runner_slots_busy": "1x60",
    'nightmail_runner_sandbox_outcomes_total{outcome="sandbox"}': "0x60",
    'nightmail_runner_inputs_total{kept_as="failed"}': "0x60",
    "nightmail_mailer_breaker_open": "0x60",
    "nightmail_mailer_queue_waiting": " ".join(["3", "0"] * 30),
    "nightmail_api_oldest_waiting_mail_seconds": "60x60",
    'nightmail_mailer_mails_total{outcome="refused"}': "0x60",
    'nightmail_mailer_mails_total{outcome="uncertain"}': "0x60",
    'nightmail_mailer_lost_reports_total{kind="result"}': "0x60",
    "nightmail_mailer_sender_refused": "0x60",
    "nightmail_api_projection_lag_events": "3x60",
    'nightmail_unreadable_events_total{queue="runner"}': "0x60",
    "nightmail_api_unreadable_events_total": "0x60",
    'nightmail_api_requests_total{status="200"}': "0+600x60",
    'nightmail_api_requests_total{status="503"}': "0x60",
    'nightmail_api_auth_failures_total{reason="wrong"}': "0x60",
    'kube_cronjob_created{namespace="nightmail", cronjob="backup"}': "0x60",
    'kube_cronjob_status_last_successful_time{namespace="nightmail", cronjob="backup"}': "0+60x60",
    'nightmail_api_disk_free_bytes{instance="api"}': "60x60",
    'nightmail_api_disk_size_bytes{instance="api"}': "100x60",
    "nats_varz_jetstream_stats_storage": "10x60",
    "nats_varz_jetstream_config_max_storage": "100x60",
}
#: A dead target's series is marked stale.
ENDS = "0x19 stale"

#: For each alert: the series that differ from a healthy system (None: the series ends, its process is dead), and after
#: how many minutes the alert fires. The change comes at minute 20.
CASES: dict[str, tuple[dict[str, str | None], int]] = {
    "NightmailNobodyLeads": ({"nightmail_ticker_leads": "1x19 0x40"}, 1),
    "NightmailTargetDown": ({'up{job="nightmail", instance="mailer"}': "1x19 0x40"}, 2),
    "NightmailNotReady": ({'nightmail_ready{job="nightmail", instance="mailer"}': "1x19 0x40"}, 3),
    "NightmailNoApi": ({"nightmail_api_projection_lag_events": None}, 2),
    "NightmailNoMailer": ({"nightmail_mailer_queue_waiting": None}, 2),
    "NightmailDueTimesLate": (
        {
            'nightmail_ticker_due_time_lateness_seconds_bucket{le="5"}': "0+10x19 190x40",
            'nightmail_ticker_due_time_lateness_seconds_bucket{le="15"}': "0+10x60",
        },
        8,
    ),
    "NightmailDueTimesMissed": ({'nightmail_ticker_due_times_total{fate="missed"}': "0x19 1x40"}, 1),
    "NightmailRunsWait": ({"nightmail_api_oldest_waiting_run_seconds": "2x19 62+60x40"}, 11),
    "NightmailNoRunner": ({"nightmail_runner_slots_busy": None}, 2),
    "NightmailSandboxBroken": ({'nightmail_runner_sandbox_outcomes_total{outcome="sandbox"}': "0x19 1x40"}, 1),
    "NightmailInputsNotKept": ({'nightmail_runner_inputs_total{kept_as="failed"}': "0x19 6x40"}, 1),
    "NightmailSmtpDown": ({"nightmail_mailer_breaker_open": "0x19 1x40"}, 6),
    "NightmailMailQueueGrows": ({"nightmail_mailer_queue_waiting": "0x19 7x40"}, 12),
    "NightmailMailWaits": ({"nightmail_api_oldest_waiting_mail_seconds": "60x19 14460x40"}, 1),
    "NightmailMailRefused": ({'nightmail_mailer_mails_total{outcome="refused"}': "0x19 6x40"}, 1),
    "NightmailReportLost": ({'nightmail_mailer_lost_reports_total{kind="result"}': "0x19 1x40"}, 1),
    "NightmailSenderRefused": ({"nightmail_mailer_sender_refused": "0x19 1x40"}, 2),
    "NightmailMailUncertain": ({'nightmail_mailer_mails_total{outcome="uncertain"}': "0x19 1x40"}, 1),
    "NightmailReadModelBehind": ({"nightmail_api_projection_lag_events": "3x19 1001x40"}, 3),
    "NightmailEventsUnreadable": ({'nightmail_unreadable_events_total{queue="runner"}': "0x19 1x40"}, 1),
    "NightmailApiErrors": ({'nightmail_api_requests_total{status="503"}': "0x19 0+60x40"}, 8),
    "NightmailWrongTokens": ({'nightmail_api_auth_failures_total{reason="wrong"}': "0x19 0+120x40"}, 10),
    "NightmailBackupOld": (
        {'kube_cronjob_status_last_successful_time{namespace="nightmail", cronjob="backup"}': "0+60x19 -93601x40"},
        1,
    ),
    "NightmailDiskLow": ({'nightmail_api_disk_free_bytes{instance="api"}': "60x19 9x40"}, 6),
    "NightmailLogFull": ({"nats_varz_jetstream_stats_storage": "10x19 90x40"}, 6),
}


def firing(alert: str, minute: int, series: dict[str, str], count: int) -> dict[str, Any]:
    """Return a test that expects so many firing instances of an alert at a minute."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": count}] if count else [],
            }
        ],
    }


def promtool(folder: Path, tests: list[dict[str, Any]]) -> "subprocess.CompletedProcess[str]":
    file = folder / "alerts.test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": tests}))
    return subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)


def alerts() -> list[str]:
    return [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def changed(series: dict[str, str | None]) -> dict[str, str]:
    """Return a healthy system with other series."""
    assert series.keys() <= HEALTHY.keys()
    return HEALTHY | {name: ENDS if values is None else values for name, values in series.items()}


def test_every_alert_has_a_case() -> None:
    assert sorted(CASES) == sorted(alerts())


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian's package prometheus)")
@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_on_its_first_event_and_not_before(alert: str, tmp_path: Path) -> None:
    series, after = CASES[alert]
    ended = promtool(tmp_path, [firing(alert, 19, changed(series), 0), firing(alert, 20 + after, changed(series), 1)])
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian's package prometheus)")
def test_no_alert_fires_in_a_healthy_system(tmp_path: Path) -> None:
    ended = promtool(tmp_path, [firing(alert, minute, HEALTHY, 0) for alert in alerts() for minute in (20, 59)])
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_counters_of_alerts_on_an_increase_begin_at_0() -> None:
    """Prometheus' client exports a labelled counter only after its first use, which `increase` then does not see."""
    for module in ROOT.glob("*/*/nightmail_*/metrics.py"):
        import_module(f"{module.parent.name}.metrics")
    build_application(None)  # type: ignore[arg-type]
    for name, labels in (
        ("nightmail_ticker_due_times_total", {"fate": "missed"}),
        ("nightmail_ticker_due_times_total", {"fate": "late_run"}),
        ("nightmail_runner_sandbox_outcomes_total", {"outcome": "sandbox"}),
        ("nightmail_mailer_mails_total", {"kind": "result", "outcome": "refused"}),
        ("nightmail_mailer_mails_total", {"kind": "failure", "outcome": "uncertain"}),
        ("nightmail_mailer_lost_reports_total", {"kind": "result"}),
        ("nightmail_mailer_tries_total", {"kind": "result", "answer": "deferred"}),
        ("nightmail_mailer_refusals_total", {"phase": "auth", "about": "sender", "consequence": "hold_all"}),
        ("nightmail_api_requests_total", {"method": "POST", "route": "/jobs/create", "status": "503"}),
        ("nightmail_api_auth_failures_total", {"reason": "wrong"}),
        ("nightmail_api_unreadable_events_total", {}),
        ("nightmail_runner_inputs_total", {"kept_as": "stored"}),
    ):
        assert REGISTRY.get_sample_value(name, labels) is not None, (name, labels)
