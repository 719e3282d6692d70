"""The inputs of runs: download what a run has read."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from nightmail_api.http.dependencies import State
from nightmail_api.http.responses import problems
from nightmail_api.http.routes.parameters import RunId
from nightmail_api.http.routing import EditorRoute
from nightmail_common.contract.kept_input import file_ending, media_type, media_types
from nightmail_common.contract.source_types import MAIN_SOURCE

editor = APIRouter(route_class=EditorRoute, tags=["runs"])
routers = (editor,)

_BYTES: dict[str, Any] = {
    "description": "The bytes that the run read, as the source sent them; `ETag` is their SHA-256",
    "content": {
        name: {"schema": {"type": "string"}, "example": "region,amount\nnorth,1200\n"} for name in media_types()
    },
}
#: What a file name has on every system.
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_-]")

SourceName = Annotated[
    str,
    Query(
        min_length=1, max_length=128, description="The source; the job's `data_source` is `data`.", examples=["data"]
    ),
]


@editor.get("/runs/{run_id}/input", response_class=Response, responses={200: _BYTES, **problems(404, 410)})
async def get_input(state: State, run_id: RunId, source: SourceName = MAIN_SOURCE) -> Response:
    """Return what a run has read from a source. The rows of a database are an Arrow IPC stream.

    A job's `keep_inputs` says of how many runs inputs are kept; 410 if this one is kept no longer, or was too large.
    """
    found = await state.inputs.get(str(run_id), source)
    name = f"{run_id}-{_NOT_IN_FILE_NAMES.sub('_', source)}.{file_ending(found.file_type)}"
    headers = {
        # Not as `media_type`: Starlette would say that text without a charset is UTF-8.
        "Content-Type": media_type(found.file_type, found.charset),
        "Content-Length": str(found.entry.size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "ETag": f'"{found.entry.sha256}"',
    }
    return StreamingResponse(state.inputs.content(found.entry), headers=headers)
