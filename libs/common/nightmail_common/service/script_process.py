"""A process that finds the facts of one script: its text is on stdin, the facts are on stdout as JSON.

python -m nightmail_common.service.script_process IMPORT...
"""

import json
import resource
import sys
from dataclasses import asdict

from nightmail_common.contract.limits import MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_MEMORY_BYTES
from nightmail_common.contract.script_facts import find_facts


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_COMPILE_MEMORY_BYTES, MAX_COMPILE_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    text = sys.stdin.buffer.read().decode()
    json.dump(asdict(find_facts(text, frozenset(sys.argv[1:]))), sys.stdout)


if __name__ == "__main__":
    main()
