"""The files that jobs read (`source_type: file`): list, upload, download, delete."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, WithJsonSchema

from nightmail_api.http.dependencies import AppState, State
from nightmail_api.http.problems import Conflict, FieldError, NotFound, PreconditionFailed, TooLarge
from nightmail_api.http.responses import encoded_response, json_response, problems
from nightmail_api.http.routing import Caller, EditorRoute, ViewerRoute
from nightmail_api.metrics import QUOTA_REFUSALS
from nightmail_api.read_model.file_readers import jobs_reading
from nightmail_common.broker.object_bucket import ObjectChanged, ObjectEntry
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.limits import MAX_FILE_READERS, MAX_FILES, MAX_FILES_BYTES, MAX_TOKEN_FILES_BYTES
from nightmail_common.contract.stored_path import check_stored_path

editor = APIRouter(route_class=EditorRoute, tags=["files"])
viewer = APIRouter(route_class=ViewerRoute, tags=["files"])
routers = (editor, viewer)

_SHOWN_JOBS = 5
_FORCE_HINT = "delete it with `nightmail files delete --force`, or with DELETE /files/{path}?force=true"
#: A weak one (`W/`) is never equal to a file's (RFC 9110 section 13.1.1).
_ETAG = re.compile(r'((?:W/)?"[!#-~]*")')
_BYTES: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string"}, "example": "region,amount\nnorth,1200\n"}
}
_DOWNLOAD: dict[int | str, dict[str, Any]] = {200: {"description": "The file", "content": _BYTES}}


logger = structlog.get_logger()


class StoredFile(BaseModel):
    """A file that jobs can read: `path` is the `location` of a source of the type `file`."""

    path: str = Field(examples=["sales/2026.csv"])
    size: int = Field(examples=[1832])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    modified_at: datetime = Field(examples=["2026-11-25T09:10:00.000Z"])
    read_by: list[str] | None = Field(
        default=None,
        description=f"Jobs that may read it, by name; the first {MAX_FILE_READERS}. Only in a list with `path`.",
        examples=[["daily sales"]],
    )


class StoredFileList(BaseModel):
    """All uploaded files, by path."""

    items: list[StoredFile]


def _sha256_of(etag: object) -> str | None:
    text = str(etag).strip()
    if etag is None or text == "*":
        return None if etag is None else "*"
    if (match := _ETAG.fullmatch(text)) is None:
        raise ValueError("not one ETag of a file (its SHA-256 in double quotes), nor *")
    return match[1].strip('"')


FilePath = Annotated[
    str,
    Path(description="The file's path: parts with '/' between them.", examples=["sales/2026.csv"]),
    AfterValidator(check_stored_path),
]
IfMatch = Annotated[
    str | None,
    Header(
        description="The file's `ETag`: the change is refused (412) if the file is another one; `*`: if there is none."
    ),
    BeforeValidator(_sha256_of),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r'^((W/)?"[!#-~]*"|\*)$'}, {"type": "null"}]}),
]
IfNoneMatch = Annotated[
    Literal["*"] | None,
    Header(description="`*`: the file is stored only if there is none of this path (412 otherwise)."),
]


_CREATED: dict[int | str, dict[str, Any]] = {201: {"description": "The file is new", "model": StoredFile}}


@viewer.get("/files", response_model=StoredFileList, responses=problems())
async def list_files(
    state: State,
    path: Annotated[
        Annotated[str, AfterValidator(check_stored_path)] | None,
        Query(description="Only this file, with the jobs that may read it."),
    ] = None,
) -> Response:
    """List the uploaded files. Files that lie in the data folder of a runner are not among them."""
    if path is None:
        return json_response({"items": [_fields(entry) for entry in await state.files.list()]})
    entry = await state.files.find(path)
    if entry is None:
        return json_response({"items": []})
    readers = await state.read(jobs_reading, path=path)
    return json_response({"items": [_fields(entry) | {"read_by": readers[:MAX_FILE_READERS]}]})


@editor.put(
    "/files/{path:path}",
    response_model=StoredFile,
    responses=_CREATED | problems(408, 412, 413),
    openapi_extra={"requestBody": {"required": True, "content": _BYTES}},
)
async def upload_file(
    request: Request,
    caller: Caller,
    state: State,
    path: FilePath,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Store a file, whose bytes are the body. A run reads the old file or the new one, never a part."""
    before = await state.files.find(path)
    if if_match is not None and (before is None or if_match not in {"*", before.sha256}):
        raise _changed(path)
    if if_none_match is not None and before is not None:
        raise _exists(path)
    with state.uploads.hold(caller.name):
        await _check_room(state, path, caller.name, int(request.headers.get("content-length", "0")))
        try:
            entry, is_new = await state.files.put(
                path, request.stream(), if_match, caller.name, only_new=if_none_match is not None
            )
        except ObjectChanged:
            raise (_changed if if_none_match is None else _exists)(path) from None
    logger.info("file_stored", path=path, bytes=entry.size, sha256=entry.sha256, actor=caller.name)
    response = json_response(_fields(entry), 201 if is_new else 200)
    response.headers["ETag"] = _etag(entry)
    return response


@editor.get("/files/{path:path}", response_class=Response, responses=_DOWNLOAD | problems(404))
async def download_file(state: State, path: FilePath) -> Response:
    """Return a file's bytes."""
    entry = await state.files.find(path)
    if entry is None:
        raise _missing(path)
    headers = {
        "ETag": _etag(entry),
        "Content-Length": str(entry.size),
        "Content-Disposition": "attachment",
    }
    content: AsyncIterator[bytes] = state.files.read(entry)
    return StreamingResponse(content, headers=headers, media_type="application/octet-stream")


@editor.delete("/files/{path:path}", status_code=204, responses=problems(404, 409, 412))
async def delete_file(
    caller: Caller,
    state: State,
    path: FilePath,
    if_match: IfMatch = None,
    force: Annotated[bool, Query(description="Also a file that a job names.")] = False,
) -> Response:
    """Delete a file. A file that a job names is deleted with `force=true` only."""
    if await state.files.find(path) is None:
        raise _missing(path)
    jobs = [] if force else await state.read(jobs_reading, path=path)
    if jobs:
        shown = ", ".join(map(repr, jobs[:_SHOWN_JOBS])) + (" and others" if len(jobs) > _SHOWN_JOBS else "")
        problem = FieldError(field="path", detail=f"read by {shown}", hint=_FORCE_HINT)
        raise Conflict(f"the file {path!r} is {problem.detail}; {_FORCE_HINT}", errors=[problem])
    try:
        await state.files.delete(path, if_match)
    except ObjectChanged:
        raise _changed(path) from None
    logger.info("file_deleted", path=path, actor=caller.name)
    return encoded_response(b"", 204)


async def _check_room(state: AppState, path: str, token: str, size: int) -> None:
    """Check that a file fits beside the others. Uploads under way at the same time may exceed a ceiling."""
    others = [entry for entry in await state.files.list() if entry.name != path]
    own = sum(entry.size for entry in others if entry.stored_by == token)
    for kind, reached, detail in (
        ("files", len(others) >= MAX_FILES, f"there are at most {MAX_FILES} files"),
        (
            "bytes of files",
            await state.files.stored_bytes() + size > MAX_FILES_BYTES,
            f"all files together have at most {MAX_FILES_BYTES} bytes",
        ),
        (
            "bytes of files of a token",
            own + size > MAX_TOKEN_FILES_BYTES,
            f"the files that the token {token!r} stored have at most {MAX_TOKEN_FILES_BYTES} bytes",
        ),
    ):
        if reached:
            QUOTA_REFUSALS.labels(kind).inc()
            raise TooLarge(f"{detail}; delete some")


def _fields(entry: ObjectEntry) -> dict[str, Any]:
    return {
        "path": entry.name,
        "size": entry.size,
        "sha256": entry.sha256,
        "modified_at": iso_time(entry.modified_at),
    }


def _etag(entry: ObjectEntry) -> str:
    return f'"{entry.sha256}"'


def _changed(path: str) -> PreconditionFailed:
    detail = f"the file {path!r} is another one now, or there is none; read it again"
    return PreconditionFailed(detail, errors=[("If-Match", "does not match")])


def _exists(path: str) -> PreconditionFailed:
    detail = f"the file {path!r} exists; without If-None-Match it is replaced"
    return PreconditionFailed(detail, errors=[("If-None-Match", "does not match")])


def _missing(path: str) -> NotFound:
    return NotFound(f"there is no uploaded file {path!r}")
