"""The API: answers requests from its read model, and stores what they change in the log."""

import gc
from functools import partial
from typing import Any

import structlog
import uvloop

from nightmail_api.bootstrap import build_state, ensure_streams, follow_log, open_read_model
from nightmail_api.http.application import build_application
from nightmail_api.settings import ApiSettings
from nightmail_common.service.connection_limits import raise_open_files
from nightmail_common.service.http_server import serve_http
from nightmail_common.service.service import Service, run_service
from nightmail_common.service.settings import load

#: The API answers `/health` on its own port, and declares the streams that the other services wait for.
SERVICE_OPTIONS: dict[str, Any] = {"health_server": False, "prepare": ensure_streams}

logger = structlog.get_logger()


def main() -> None:
    settings = load(ApiSettings)
    run_service("api", settings, partial(serve, settings), uvloop.new_event_loop, **SERVICE_OPTIONS)


async def serve(settings: ApiSettings, service: Service) -> None:
    """Answer requests. While the broker is away or its log is not read yet, only health answers."""
    raise_open_files()
    state = build_state(settings, service, *await service.enter(open_read_model(settings)))
    application = build_application(state, settings.cors_origins)
    options = {
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
    }
    async with serve_http(application, settings.host, settings.port, "PORT", **options) as port:
        logger.info("api_listens", host=settings.host, port=port)
        # The program's own objects stay: collecting them as garbage held every hundredth answer for 40 ms.
        gc.collect()
        gc.freeze()
        service.background(follow_log(settings, service, state), "read model")
        await service.until_stopped()
