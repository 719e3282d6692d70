"""A process that compiles one script: the text is on stdin, what is wrong with it on stdout as JSON.

python -m nightmail_api.commands.script_process IMPORT...
"""

import json
import resource
import sys

from nightmail_common.contract.limits import MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_MEMORY_BYTES
from nightmail_common.contract.script import ImportNotAllowed, ScriptSyntaxError, check_imports, compile_script


def find_error(text: str, imports: frozenset[str]) -> tuple[str, str | None] | None:
    """Return why a script cannot run, with its line, and the package that it may not import, if it is that.

    None: the script compiles and imports only these packages.
    """
    try:
        check_imports(text, imports)
        compile_script(text)
    except (ScriptSyntaxError, ImportNotAllowed) as error:
        package = error.package if isinstance(error, ImportNotAllowed) else None
        return (str(error) if error.line is None else f"line {error.line}: {error}"), package
    return None


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_COMPILE_MEMORY_BYTES, MAX_COMPILE_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    text = sys.stdin.buffer.read().decode()
    json.dump(find_error(text, frozenset(sys.argv[1:])), sys.stdout)


if __name__ == "__main__":
    main()
