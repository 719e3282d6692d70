"""Finds the facts of scripts without holding the event loop."""

from collections import OrderedDict
from hashlib import sha256

from nightmail_common.contract.limits import MAX_COMPILE_CPU_SECONDS, MAX_COMPILES, MAX_OWNER_COMPILES
from nightmail_common.contract.script import is_quick_to_compile
from nightmail_common.contract.script_facts import ScriptFacts, ScriptProblem, find_facts
from nightmail_common.service.fair_slots import FairSlots
from nightmail_common.service.limited_process import ProcessFailed, compute

#: A runner executes the same scripts day after day. The facts of one take some 300 bytes.
CACHED_SCRIPTS = 4096


class ScriptTooCostly(Exception):
    """The script takes more CPU time or memory to compile than is allowed."""


class ScriptReader:
    """Reads scripts: a short one here, any other in a process with limits of CPU time and memory.

    Args:
        imports: the top-level packages that a script may import.
    """

    def __init__(self, imports: frozenset[str]) -> None:
        self.imports = imports
        self._processes = FairSlots(MAX_COMPILES, MAX_OWNER_COMPILES)
        self._cache: OrderedDict[bytes, ScriptFacts] = OrderedDict()

    async def read(self, script: str, owner: str) -> ScriptFacts:
        """Return the facts of a script. A cancellation kills its process.

        Args:
            owner: the processes are shared fairly between owners: the token of a request, or the job of a run.

        Raises:
            ScriptTooCostly: compiling it takes too long, or too much memory.
        """
        key = sha256(script.encode()).digest()
        facts = self._cache.get(key)
        if facts is None:
            if is_quick_to_compile(script):
                facts = find_facts(script, self.imports)
            else:
                async with self._processes.hold(owner):
                    facts = await self._read_in_process(script)
        if facts.problem is None:  # the text of a problem can be long
            self._cache[key] = facts
            self._cache.move_to_end(key)
            if len(self._cache) > CACHED_SCRIPTS:
                self._cache.popitem(last=False)
        return facts

    async def _read_in_process(self, script: str) -> ScriptFacts:
        request = {"imports": sorted(self.imports)}
        try:
            facts = await compute("nightmail_common.service.script_process", request, [script.encode()])
        except ProcessFailed:
            raise ScriptTooCostly(
                f"the script takes more than {MAX_COMPILE_CPU_SECONDS} seconds, or too much memory, to compile"
            ) from None
        problem = facts.pop("problem")
        return ScriptFacts(problem=problem and ScriptProblem(**problem), **facts)
