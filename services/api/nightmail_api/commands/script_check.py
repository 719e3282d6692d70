"""Whether a job's script compiles and imports only allowed packages, said before a run fails on it."""

import asyncio
import json
import sys

from nightmail_api.commands.script_process import find_error
from nightmail_api.http.field_errors import unknown_name
from nightmail_api.http.problems import FieldError, NotReady, ValidationProblem
from nightmail_common.contract.limits import MAX_COMPILE_CPU_SECONDS, MAX_COMPILES
from nightmail_common.contract.script import is_quick_to_compile

#: Wall time for a process that may use `MAX_COMPILE_CPU_SECONDS` of CPU, also on a busy machine.
DEADLINE_SECONDS = 30.0


class ScriptCheck:
    """Checks scripts: a short one here, any other in a process with limits of CPU time and memory."""

    def __init__(self, imports: frozenset[str]) -> None:
        self._imports = imports
        self._processes = asyncio.Semaphore(MAX_COMPILES)

    async def check(self, script: str) -> None:
        """Return if the script can be run.

        Raises:
            ValidationProblem: it is not valid Python, imports another package, or takes too long to compile.
            NotReady: the processes are busy with other scripts.
        """
        if is_quick_to_compile(script):
            error = find_error(script, self._imports)
        else:
            try:
                async with asyncio.timeout(DEADLINE_SECONDS), self._processes:
                    error = await self._find_error_in_process(script)
            except TimeoutError:
                raise NotReady("too many scripts are being compiled", retry_after_seconds=5) from None
        if error is not None:
            detail, package = error
            raise ValidationProblem(self._field_error(detail, package))

    def _field_error(self, detail: str, package: str | None) -> FieldError:
        if package is None:
            return FieldError(field="processing_script", detail=detail)
        return unknown_name("processing_script", detail, package, sorted(self._imports, key=str.lower))

    async def _find_error_in_process(self, script: str) -> tuple[str, str | None] | None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-W", "ignore", "-m", "nightmail_api.commands.script_process"),
            *sorted(self._imports),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},  # no secrets
        )
        try:
            output, _ = await process.communicate(script.encode())
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode != 0:
            return f"the script takes more than {MAX_COMPILE_CPU_SECONDS} seconds, or too much memory, to compile", None
        error: tuple[str, str | None] | None = json.loads(output)
        return error
