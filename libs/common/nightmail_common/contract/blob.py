"""The bytes of a result, as an event carries them."""

import base64
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, PlainSerializer


def _from_base64(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


#: Bytes in Python, standard base64 (RFC 4648 section 4) in JSON.
Base64 = Annotated[
    bytes,
    BeforeValidator(_from_base64),
    PlainSerializer(lambda data: base64.b64encode(data).decode("ascii"), return_type=str, when_used="json"),
]


class Blob(BaseModel, frozen=True):
    """Bytes of a result: inline, or a reference into the object store (`bucket` and `object_name`)."""

    size: int
    sha256: str
    data: Base64 | None = None
    bucket: str | None = None
    object_name: str | None = None


class ResultFile(BaseModel, frozen=True):
    """A file of a result besides its CSV. `format` is the ending of its name, such as `xlsx`."""

    format: str
    blob: Blob


class ResultFigure(BaseModel, frozen=True):
    """A figure that the script drew: a PNG of this width and height in pixels. `alt` describes it."""

    name: str
    alt: str
    width: int
    height: int
    blob: Blob
