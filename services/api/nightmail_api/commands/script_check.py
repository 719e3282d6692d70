"""Whether a job's script compiles and imports only allowed packages, said before a run fails on it."""

import asyncio

from nightmail_api.http.field_errors import unknown_name
from nightmail_api.http.problems import FieldError, NotReady, ValidationProblem
from nightmail_common.contract.script import is_known_module
from nightmail_common.contract.script_facts import ScriptProblem
from nightmail_common.service.script_reader import ScriptReader, ScriptTooCostly

#: Wall time for a process that may use `MAX_COMPILE_CPU_SECONDS` of CPU, also on a busy machine.
DEADLINE_SECONDS = 30.0


class ScriptCheck:
    """Checks the scripts of requests."""

    def __init__(self, imports: frozenset[str]) -> None:
        self._reader = ScriptReader(imports)

    async def check(self, script: str, caller: str) -> None:
        """Return if the script can be run.

        Raises:
            ValidationProblem: it is not valid Python, imports another package, or takes too long to compile.
            NotReady: the processes are busy with other scripts.
        """
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                facts = await self._reader.read(script, caller)
        except TimeoutError:
            raise NotReady("too many scripts are being compiled", retry_after_seconds=5) from None
        except ScriptTooCostly as error:
            raise ValidationProblem(FieldError(field="processing_script", detail=str(error))) from None
        if facts.problem is not None:
            raise ValidationProblem(self._field_error(facts.problem))

    def _field_error(self, problem: ScriptProblem) -> FieldError:
        detail = problem.message if problem.line is None else f"line {problem.line}: {problem.message}"
        if problem.package is None:
            return FieldError(field="processing_script", detail=detail)
        allowed = sorted(self._reader.imports, key=str.lower)
        if is_known_module(problem.package):
            return FieldError(field="processing_script", detail=detail, allowed=allowed)
        return unknown_name("processing_script", detail, problem.package, allowed)
