"""A reading as bytes: how one child hands on the lines of a long PDF to the next.

The bytes are an Arrow stream: data, and nothing that could run, for the child that wrote them may have been taken over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from tasks.dataset import SECONDS
from tasks.document import Box, Element, Line, Page, Reading, Reject

#: Boxes without their page, four numbers each; texts as bytes, since a font's name may be anything.
_NUMBERS = pa.list_(pa.float64())
_LINE = pa.struct(
    {
        "text": pa.binary(),
        "number": pa.int32(),
        "box": _NUMBERS,
        "size": pa.float64(),
        "font": pa.binary(),
        "edges": _NUMBERS,
        "vertical": pa.bool_(),
        "score": pa.float64(),
        "element": pa.struct({"number": pa.int64(), "role": pa.binary()}),
    }
)
_PAGES = pa.schema(
    {
        "number": pa.int32(),
        "width": pa.float64(),
        "height": pa.float64(),
        "rules": _NUMBERS,
        "pictures": _NUMBERS,
        "lines": pa.list_(_LINE),
    }
)


def encode(reading: Reading, seconds: Mapping[str, float] | None = None) -> bytes:
    """Return a reading of some pages as bytes from which `decode` makes it again.

    `seconds` tell what it took, as in the tables that are handed back in the end: `tasks.dataset.decode_seconds` reads them.

    >>> reading = Reading((Page(1, (Line("一带一路", 1, Box(1, 0, 0, 40, 10)),)),), "application/pdf", 4, pages_left=1)
    >>> decode(encode(reading)) == reading
    True
    """
    rows = [
        {
            "number": page.number,
            "width": page.width,
            "height": page.height,
            "rules": _flat(page.rules),
            "pictures": _flat(page.pictures),
            "lines": [_row(line) for line in page.lines],
        }
        for page in reading.pages
    ]
    rest = {
        "media_type": reading.media_type,
        "n_chars": reading.n_chars,
        "encoding": reading.encoding,
        "left_out": dict(reading.left_out),
        "rejects": [asdict(reject) for reject in reading.rejects],
        "pages_left": reading.pages_left,
        "scans": [(number, asdict(reject)) for number, reject in reading.scans.items()],
    }
    schema = _PAGES.with_metadata({"rest": json.dumps(rest), SECONDS: json.dumps(dict(seconds or {}))})
    table = pa.Table.from_pylist(rows, schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode(data: bytes) -> Reading:
    """Return the reading that was encoded; raises (`ValueError`, `KeyError`, …) on bytes that are none."""
    with pa.ipc.open_stream(data) as reader:
        table = reader.read_all()
    rest = json.loads(table.schema.metadata[b"rest"])
    rejects = tuple(Reject(**reject) for reject in rest.pop("rejects"))
    scans = {int(number): Reject(**reject) for number, reject in rest.pop("scans")}
    return Reading(tuple(_page(row) for row in table.to_pylist()), rejects=rejects, scans=scans, **rest)


def _flat(boxes: Sequence[Box]) -> list[float]:
    return [number for box in boxes for number in box[1:]]


def _boxes(page: int, flat: Sequence[float]) -> tuple[Box, ...]:
    numbers = iter(flat)
    return tuple(Box(page, *four) for four in zip(numbers, numbers, numbers, numbers, strict=True))


def _row(line: Line) -> dict[str, Any]:
    return {
        "text": line.text.encode(errors="surrogatepass"),
        "number": line.number,
        "box": line.box and line.box[1:],
        "size": line.size,
        "font": line.font if line.font is None else line.font.encode(errors="surrogatepass"),
        "edges": line.edges,
        "vertical": line.vertical,
        "score": line.score,
        "element": line.element
        and {"number": line.element.number, "role": line.element.role.encode(errors="surrogatepass")},
    }


def _page(row: dict[str, Any]) -> Page:
    number: int = row["number"]
    lines = tuple(_line(number, line) for line in row["lines"])
    rules, pictures = (_boxes(number, row[name]) for name in ("rules", "pictures"))
    return Page(number, lines, row["width"], row["height"], rules, pictures)


def _line(page: int, row: dict[str, Any]) -> Line:
    return Line(
        text=row["text"].decode(errors="surrogatepass"),
        number=row["number"],
        box=Box(page, *row["box"]) if row["box"] else None,
        size=row["size"],
        font=row["font"] if row["font"] is None else row["font"].decode(errors="surrogatepass"),
        edges=tuple(row["edges"]),
        vertical=row["vertical"],
        score=row["score"],
        element=row["element"]
        and Element(row["element"]["number"], row["element"]["role"].decode(errors="surrogatepass")),
    )
