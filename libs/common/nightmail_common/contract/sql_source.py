"""The fields of a source of type `sql`: the name of a connection, a query, and its parameters."""

import json
import re

from nightmail_common.contract.source_templates import check_templates, secret_names, time_names

#: A value that a database binds. JSON has no dates: a query casts a text, `$1::date`.
ParameterValue = str | int | float | bool | None
#: A list for `$1` or `?`, an object for `:name`.
Parameters = list[ParameterValue] | dict[str, ParameterValue]

#: A job goes into every event of its runs.
MAX_QUERY_BYTES = 32 * 1024
MAX_PARAMETERS, MAX_PARAMETERS_BYTES = 100, 16 * 1024
#: PostgreSQL and SQLite bind integers of 64 bits.
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1

CONNECTION_PREFIX = "CONNECTION_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def connection_name(location: str) -> str:
    """Return the `<NAME>` of the setting `CONNECTION_<NAME>` that a location refers to.

    Setting names are upper case; a location may be lower case, and may begin with `CONNECTION_`.

    Raises:
        ValueError: it cannot be the name of a setting. The message does not show it: it can be a URL with a password.
    """
    if not _NAME.fullmatch(location):
        raise ValueError(
            "source_type 'sql' needs the name of a connection, such as SALES for the runner's setting"
            " NIGHTMAIL_CONNECTION_SALES: letters, digits and '_' only"
        )
    return location.upper().removeprefix(CONNECTION_PREFIX)


def check_query(query: str) -> None:
    """Check a query as far as that is possible without its database.

    Raises:
        ValueError: it is blank or too long, or a template stands in it.
    """
    if not query.strip():
        raise ValueError("the query is blank")
    if "\0" in query:
        raise ValueError("the query has a NUL character")
    if len(query.encode()) > MAX_QUERY_BYTES:
        raise ValueError(f"a query has at most {MAX_QUERY_BYTES} bytes")
    if secret_names(query) or time_names(query):
        raise ValueError("a template stands in parameters, never in the query, which names it by $1, ? or :name")


def check_parameters(parameters: Parameters) -> None:
    """Check the parameters of a query.

    Raises:
        ValueError: they are too many or too long, or a template in a text is not understood.
    """
    if len(parameters) > MAX_PARAMETERS:
        raise ValueError(f"a query has at most {MAX_PARAMETERS} parameters")
    if len(json.dumps(parameters, allow_nan=False)) > MAX_PARAMETERS_BYTES:
        raise ValueError(f"the parameters have at most {MAX_PARAMETERS_BYTES} bytes")
    for name in parameters if isinstance(parameters, dict) else ():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:80]!r} cannot be the name of a parameter: letters, digits and '_' only")
    for value in parameter_values(parameters):
        if isinstance(value, str):
            check_templates(value, times=True)
        elif isinstance(value, int) and not _MIN_INTEGER <= value <= _MAX_INTEGER:
            raise ValueError("an integer has at most 64 bits; a longer number can be a text that the query casts")


def parameter_values(parameters: Parameters | None) -> list[ParameterValue]:
    """Return the values of parameters, in their order."""
    if parameters is None:
        return []
    return list(parameters.values()) if isinstance(parameters, dict) else parameters
