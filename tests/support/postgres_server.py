"""A PostgreSQL server for tests, with its data and its socket in a folder, and without a port."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from uuid import uuid4

import psycopg

from support.deadlines import scaled, wait_until

#: Debian installs the server's programs here, outside of PATH.
_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL; None if it is not installed."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, _FOLDERS)]))


class PostgresServer:
    """A cluster that creates databases on demand. It runs without fsync, for speed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root.
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def make(self) -> None:
        """Create the cluster, with the collation of the machine: an index must name its own."""
        self._run("initdb", "--no-sync", "--auth=trust", "--username=nightmail", "-E", "UTF8", "-D", self._data)

    def start(self) -> None:
        options = {
            "unix_socket_directories": str(self._folder),
            "listen_addresses": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "60",
        }
        arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(program("postgres")), "-D", self._data, *arguments],
                stdout=log,
                stderr=log,
                user=None if self._user is None else self._user.pw_uid,
                group=None if self._user is None else self._user.pw_gid,
                extra_groups=None if self._user is None else [],
                cwd=self._folder,
            )
        wait_until(self._answers, "PostgreSQL answers")

    def kill(self) -> None:
        """Stop at once, as in a crash (SIGQUIT, which stops its child processes too)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(scaled(20))
            self._process = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def new_database(self, encoding: str = "UTF8") -> str:
        """Create an empty database and return its URL."""
        name = f"test_{uuid4().hex}"
        other = "" if encoding == "UTF8" else f" ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{other}")
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://nightmail@/{database}?host={self._folder}"

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "postgres.log").read_text()
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [str(program(name)), *arguments],
            check=True,
            capture_output=True,
            timeout=scaled(60),
            user=None if self._user is None else self._user.pw_uid,
            group=None if self._user is None else self._user.pw_gid,
            extra_groups=None if self._user is None else [],
            cwd=self._folder,
        )
