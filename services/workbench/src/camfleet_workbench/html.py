"""Small HTML for cells: tables and pictures. All text is escaped here."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

import cv2

from camfleet.cli.pictures import encode_jpeg
from camfleet.images import Image


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells are written as text."""
    head = "".join(f"<th style='text-align:left'>{escape(header)}</th>" for header in headers)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{escape(str(c))}</td>" for c in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def picture(image: Image, width: int | None = None, title: str = "") -> str:
    """A BGR picture as a data URL, not wider than `width` pixels."""
    data = base64.b64encode(encode_jpeg(fitted(image, width))).decode()
    return (
        f"<img alt='{escape(title)}' title='{escape(title)}' src='data:image/jpeg;base64,{data}'>"
    )


def paragraph(text: str) -> str:
    """A line of text."""
    return f"<p style='margin:0.3em 0'>{escape(text)}</p>"


def fitted(image: Image, width: int | None) -> Image:
    """The picture, made smaller where it is wider than `width`."""
    if width is None or image.shape[1] <= width:
        return image
    height = round(image.shape[0] * width / image.shape[1])
    smaller: Image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return smaller
