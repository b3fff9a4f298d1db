"""A small dataset in which nothing is wrong: what is spoiled in one place, and held against the suites."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from expectations.frames import frames
from expectations.history import Departure, history_frame
from tasks.dataset import build_tables
from tasks.document import Article, Box, Document, Language, Paragraph, Reject, Source, Stretch, count_chars
from tasks.quality import quality
from tasks.segment import segment

RIVER = (
    ("title", "河上的早晨"),
    ("body", "天还没有亮，渡口已经点起了灯。撑船的老人把缆绳解开，等第一批进城的菜农。"),
    ("body", "“今天水大，”他说，“慢一点走。”菜农们把筐放稳，谁也没有再说话。"),
    ("caption", "渡口的灯光。本报记者摄"),
)
MARKET = (
    ("title", "Market day"),
    ("body", "The stalls open before six. By noon most of the fish is sold, and the square smells of rain and diesel."),
    ("body", "Nobody hurries on market day, not even the man who sells clocks at the corner."),
)
LANTERN = (
    ("title", "燈市"),
    ("body", "元宵那天，整條老街都掛上了燈籠。孩子們提著紙兔子，從街頭跑到街尾，笑聲一路不斷。"),
)


def article(ordinal: int, language: Language, paragraphs: tuple[tuple[str, str], ...], **more: object) -> Article:
    laid_out = tuple(
        Paragraph(
            kind,  # type: ignore[arg-type]
            text,
            0.9,
            line_first=i + 1,
            line_last=i + 1,
            sentences=segment(text, language),
            stretches=(Stretch(0, i + 1, None),),
        )
        for i, (kind, text) in enumerate(paragraphs)
    )
    return Article(ordinal, laid_out, language, 0.9, title=paragraphs[0][1], **more)  # type: ignore[arg-type]


def document(
    name: str, *articles: Article, rejects: tuple[Reject, ...] = (), left_out: dict[str, int] | None = None
) -> Document:
    texts = [p.text for a in articles for p in a.paragraphs] + [reject.text for reject in rejects]
    return Document(
        Source(name, f"/raw/{name}", 500, "0" * 64),
        articles,
        rejects,
        "text/plain",
        "utf-8",
        n_chars=sum(map(count_chars, texts)) + sum((left_out or {}).values()),
        left_out=left_out or {},
    )


def a_good_dataset() -> list[Document]:
    """Two articles of one file, one of another, a file partly rejected, a file rejected whole."""
    river = article(0, "zh-Hans", RIVER, published_on=date(2024, 3, 5), url="https://paper.example/2024/river")
    boxes = tuple(Box(1, 10.0, 20.0 * i, 200.0, 20.0 * i + 15) for i in range(2))
    paged = tuple(
        Paragraph(p.kind, p.text, p.confidence, boxes=(box,), sentences=p.sentences, stretches=(Stretch(0, 1, box),))
        for p, box in zip(article(0, "zh-Hant", LANTERN).paragraphs, boxes, strict=True)
    )
    lantern = Article(0, paged, "zh-Hant", 0.8, title="燈市", published_on=date(1931, 2, 4))
    lost = Reject("reflow", "no_body", "Only a title was found.", "Look at the page.", text="無題", ordinal=1)
    broken = Reject("read", "truncated", "The file ends early.", "Copy it again.")
    return [
        document("a/river.txt", river, article(1, "en", MARKET), left_out={"page_number": 2}),
        document("b/lantern.pdf", lantern, rejects=(lost,)),
        document("c/broken.pdf", rejects=(broken,)),
    ]


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the parts of one segment that holds the good dataset, as they stand in a staging directory."""
    return stage(a_good_dataset(), tmp_path_factory.mktemp("staged"))


def stage(documents: list[Document], directory: Path) -> dict[str, Path]:
    parts = {name: directory / f"{name}.parquet" for name in (*build_tables([], "f"), "quality")}
    for name, table in build_tables(documents, "f" * 16).items():
        pq.write_table(table, parts[name])
    pq.write_table(quality(parts), parts["quality"])
    return parts


@pytest.fixture(scope="session")
def seen() -> list[str]:
    return [document.source.source for document in a_good_dataset()]


@pytest.fixture(scope="session")
def good(staged: dict[str, Path], seen: list[str]) -> dict[str, pl.DataFrame]:
    """Return the frames of the good dataset, the release before being the same and the days before like any other."""
    history = history_frame([Departure("all", name, 9.0, 9.0, 0.0) for name in ("articles", "days", "length")])
    built = frames([staged], [], [staged], seen) | {"history": history}
    return {name: frame.collect() for name, frame in built.items()}
