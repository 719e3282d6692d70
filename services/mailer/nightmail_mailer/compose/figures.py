"""The figures of a result inside its mail: images that the HTML shows by their Content-ID (RFC 2387, RFC 2392)."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage, MIMEPart

from nightmail_common.contract.events import ResultReady
from nightmail_mailer.compose.attachment import RESERVED_BYTES, Attachment, choose_attachments, encoded_size

#: The width of the mail's card; a wider image is drawn smaller.
_MAX_WIDTH = 696
#: The headers of an image.
_HEADER_BYTES = 512


@dataclass(frozen=True)
class InlineFigure:
    """An image of a mail. `width` is the one to show, in CSS pixels; `content_id` has no angle brackets."""

    data: bytes
    name: str
    alt: str
    width: int
    content_id: str


def inline_figures(event: ResultReady, images: Sequence[bytes], domain: str) -> list[InlineFigure]:
    """Return the figures of a result with their PNGs. They have two pixels for each CSS pixel, for sharp screens.

    Args:
        domain: the sender's.
    """
    return [
        InlineFigure(
            data=data,
            name=figure.name,
            alt=figure.alt,
            width=min(round(figure.width / 2), _MAX_WIDTH),
            content_id=f"{figure.name.removesuffix('.png')}.{event.run_id}@{domain}",
        )
        for figure, data in zip(event.figures, images, strict=False)
    ]


def embed_figures(mail: EmailMessage, figures: Sequence[InlineFigure]) -> None:
    """Add images to the HTML of a mail with two alternatives."""
    if not figures:
        return
    html = mail.get_body(("html",))
    assert isinstance(html, MIMEPart)
    for figure in figures:
        html.add_related(
            figure.data, "image", "png", cid=f"<{figure.content_id}>", filename=figure.name, disposition="inline"
        )
    html.set_param("type", "text/html")  # RFC 2387 section 3.1 requires it


def choose_parts(
    files: Sequence[Attachment], images: Sequence[bytes], limit_bytes: int, *, name: str, has_link: bool
) -> tuple[Sequence[Attachment], Sequence[bytes]]:
    """Return the attachments and the images of a mail of at most `limit_bytes`.

    Data comes before pictures: a mail that cannot link its result has attachments without images rather than neither.

    Args:
        name: of the files in an archive, without an ending.
        has_link: whether a mail without attachments links the result.
    """
    room = limit_bytes - sum(encoded_size(len(data)) + _HEADER_BYTES for data in images)
    attachments = choose_attachments(files, room, name)
    if attachments or (has_link and room >= RESERVED_BYTES):
        return attachments, images
    return choose_attachments(files, limit_bytes, name), ()
