"""What is done with a batch of sources in a child of the guard (`tasks.guard`)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.metrics import OF_A_DOCUMENT, Stopwatch, add_up
from tasks.article import Unfinished, process
from tasks.dataset import build_tables, decode_seconds, encode_tables
from tasks.document import Document, Reading, Source
from tasks.guard import Part
from tasks.instructions import Instructions, Options
from tasks.read import ipc
from tasks.sources import Fingerprint, kinds_of

#: Texts that meet what loads on first use: dictionary and tagger, weights, the rules of both scripts.
CHINESE = """河边的春天
2024年5月1日
今年春天来得很早，河边的柳树已经发芽，孩子们在操
场上放风筝，老人坐在长椅上聊天。他们说It's spring，
气温已升到18.5度。
"""
ENGLISH = """The bridge in spring
By the second week of March the willows along the river had turned
green, and 18.5 degrees were measured at noon. "It's early," they said.
"""


def work(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes | Part:
    """Read, reflow, correct and segment these sources, of a long PDF its next pages.

    Returns their tables as bytes, with the seconds of each stage, or the part of the long PDF.
    """
    watch = Stopwatch()
    instructions = Instructions.load(settings["instructions"])
    try:
        documents = _documents(sources, instructions, watch, [ipc.decode(part) for part in parts])
    except Unfinished as unfinished:
        return Part(ipc.encode(unfinished.reading, watch.seconds), unfinished.limits)
    watch.enter("tables")
    fingerprint = Fingerprint(settings["fingerprint"])
    own = {d.source.source: fingerprint.of(instructions.own(d.source), kinds_of(d)) for d in documents}
    tables = build_tables(documents, fingerprint.value, own)
    return encode_tables(tables, add_up([watch.seconds, *(decode_seconds(part, OF_A_DOCUMENT) for part in parts)]))


def _documents(
    sources: Sequence[Source], instructions: Instructions, watch: Stopwatch, before: Sequence[Reading] = ()
) -> list[Document]:
    return [
        process(
            source, instructions.options_for(source.source), instructions.corrections_for(source), watch.enter, before
        )
        for source in sources
    ]


def warm(settings: dict[str, Any]) -> None:
    """Load, before the first child is forked, what each of them would else load for itself: do the work once.

    Raises `RuntimeError` when samples of our own cannot be read: then no source can, and it is no source's fault.
    """
    options = Options(dictionary=settings["instructions"]["options"]["dictionary"])  # ours are in no other encoding
    samples = {"chinese.txt": CHINESE.encode(), "english.txt": ENGLISH.encode()}
    if settings["pdf"]:
        samples["page.pdf"] = page_of(CHINESE)
    with tempfile.TemporaryDirectory() as place:
        sources = []
        for name, data in samples.items():
            path = Path(place, name)
            path.write_bytes(data)
            sources.append(Source(name, str(path), len(data), ""))
        documents = _documents(sources, Instructions(options), Stopwatch())
    if rejects := [reject for document in documents for reject in document.rejects]:
        raise RuntimeError(f"a sample of the reader's own cannot be read: {rejects[0].message}")
    encode_tables(build_tables(documents, ""))


def page_of(text: str) -> bytes:
    """Return a PDF of one page that shows these lines, in a font that readers bring along."""
    shown = b"".join(b"<%s> Tj T*\n" % line.encode("utf-16-be").hex().encode() for line in text.splitlines())
    contents = b"BT /F 10 Tf 12 TL 20 180 Td\n" + shown + b"ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(contents), contents),
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 7 0 R/CIDSystemInfo 8 0 R/DW 1000>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 -120 1000 880]/Ascent 880/Descent -120>>",
        b"<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>",
    )
    body = b"".join(b"%d 0 obj%s endobj\n" % numbered for numbered in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 9>>\n%%EOF"
