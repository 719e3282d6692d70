"""The facts of a script, in a process of its own:

python -m nightmail_common.service.script_process
"""

from dataclasses import asdict
from typing import Any

from nightmail_common.contract.limits import MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_MEMORY_BYTES
from nightmail_common.contract.script_facts import find_facts
from nightmail_common.service.limited_process import serve


def read_script(request: dict[str, Any], script: bytes) -> dict[str, Any]:
    """Return the fields of `ScriptFacts`."""
    return asdict(find_facts(script.decode(), frozenset(request["imports"])))


if __name__ == "__main__":
    serve(read_script, MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_MEMORY_BYTES)
