"""The ceilings of everything that an outsider controls; `docs/limits.md` says what happens at each.

This module imports nothing: the fork server of the sandbox loads it.
"""

#: A value that a subject's template reads, and what one of its filters returns: a mail's subject has 200 characters.
MAX_SUBJECT_VALUE_CHARS = 2_000
#: The first rows of a result that a mail shows are read from this part of its CSV: 12 columns of 20 rows fit many times.
MAX_TABLE_BYTES = 1024 * 1024

#: The parser takes a time that grows with the square of this: 60,000 parts took 20 seconds.
MAX_DOTTED_NAME_PARTS = 200
#: Compiled where the definition is validated: it takes some milliseconds. Python compiles a `finally` twice, so that
#: nested ones double the code with each level. A longer script is compiled in a process of its own.
MAX_QUICK_SCRIPT_BYTES, MAX_QUICK_FINALLY = 2048, 6
#: For the script of a job in a process of its own: CPU time, address space, and how many at a time.
MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_MEMORY_BYTES, MAX_COMPILES = 5, 1024**3, 2
