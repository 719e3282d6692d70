"""The ceilings of everything that an outsider controls; `docs/limits.md` says what happens at each.

This module imports nothing: the fork server of the sandbox loads it.
"""

#: A value that a subject's template reads, and what one of its filters returns: a mail's subject has 200 characters.
MAX_SUBJECT_VALUE_CHARS = 2_000
#: The first rows of a result that a mail shows are read from this part of its CSV: 12 columns of 20 rows fit many times.
MAX_TABLE_BYTES = 1024 * 1024
