"""The API as a process, which a test may kill."""

import os
from pathlib import Path

import httpx

from api.conftest import TOKEN
from nightmail_api.settings import ApiSettings
from support.deadlines import eventually, scaled
from support.ports import free_port
from support.service_starter import ServiceProcess, start_service


class ApiProcess:
    """An API as `nightmail up` starts it, with its own data folder and port."""

    def __init__(self, nats_url: str, folder: Path, database_url: str | None) -> None:
        port = free_port()
        self.settings = ApiSettings(data_dir=folder, nats_url=nats_url, port=port, database_url=database_url)
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=scaled(20),
            limits=httpx.Limits(max_connections=None),
        )
        given = {
            "DATA_DIR": str(folder),
            "NATS_URL": nats_url,
            "PORT": str(port),
            "DATABASE_URL": database_url or "",
            "ADMIN_TOKEN": TOKEN,
            "LOG_LEVEL": "warning",
        }
        self._environment = os.environ | {f"NIGHTMAIL_{name}": value for name, value in given.items()}
        self._process: ServiceProcess | None = None

    def start(self) -> None:
        self._process = start_service("nightmail_api", self._environment, Path.cwd())

    async def ready(self) -> None:
        await eventually(self._is_ready, "the API process is ready")

    async def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the API ended with {self._process.returncode}"
        try:
            return (await self.http.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill the process (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
