"""Looking into what is published, rejected or refused. Nothing here changes anything."""

from __future__ import annotations

import difflib
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import release
from tasks.dataset import SCHEMAS


class NotFound(Exception):
    """Nothing of this name is there; the message says what is."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The directory of a release, or of one that was refused: what `Release` and `Staging` leave on disk."""

    path: Path

    def rows(self, table: str, column: str | None = None, value: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of a table, or those of them whose column has this value."""
        filters = [(column, "=", value)] if column else None
        parts = [pq.read_table(path, filters=filters) for path in sorted((self.path / table).glob("*.parquet"))]
        rows: list[dict[str, Any]] = pa.concat_tables(parts or [SCHEMAS[table].empty_table()]).to_pylist()
        return rows


def directory(processed: Path, name: str | None, refused: bool = False) -> Path:
    """Return where a release lies, published or refused: the current one, or the newest refused, without a name."""
    if refused or (name and (processed / ".work" / "refused" / Path(name).name).is_dir()):
        return processed / ".work" / "refused" / Path(name).name if name else shelf(processed, refused).path
    return release.open_release(processed, name).path


def shelf(processed: Path, refused: bool = False) -> Shelf:
    """Return the current release, or the newest refused one; raises `NoRelease` or `NotFound`."""
    if not refused:
        return Shelf(release.open_release(processed).path)
    found = sorted((processed / ".work" / "refused").glob("*"))
    if not found:
        raise NotFound(f"{processed}: no refused release is kept")
    return Shelf(found[-1])


def reject(shelf: Shelf, reject_id: str) -> dict[str, Any]:
    """Return one reject with its text; raises `NotFound`."""
    found = shelf.rows("rejects", "reject_id", reject_id)
    if not found:
        raise NotFound(f"{reject_id}: no such reject; `wenliu rejects` lists those there are")
    return found[0]


class Tables(Protocol):
    """Where rows are found: a release, or tables that are in none."""

    def rows(self, table: str, column: str | None = None, value: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of a table, or those of them whose column has this value."""
        ...


def explain(shelf: Tables, name: str) -> dict[str, Any]:
    """Return a source, its rejects and its articles with their paragraphs; or those of one article.

    `name` is an `article_id`, a `source`, or the path of a source's file. Raises `NotFound`.
    """
    articles = shelf.rows("articles", "article_id", name)
    if articles:
        source = articles[0]["source"]
    else:
        source = _source(shelf, name)
        articles = sorted(shelf.rows("articles", "source", source), key=lambda row: row["ordinal"])
    of_source = shelf.rows("sources", "source", source)[0]
    keys = (
        "article_id",
        "title",
        "authors",
        "affiliation",
        "publisher",
        "published_on",
        "url",
        "language",
        "confidence",
    )
    return {
        "source": of_source,
        "rejects": shelf.rows("rejects", "source", source),
        "articles": [
            {key: article[key] for key in keys}
            | {"paragraphs": shelf.rows("paragraphs", "article_id", article["article_id"])}
            for article in articles
        ],
    }


def _source(shelf: Tables, name: str) -> str:
    """Find the source that a name or a path means: the longest end of it that is a source."""
    known = {row["source"] for row in shelf.rows("sources")}
    parts = Path(name).parts
    for start in range(len(parts)):
        if (end := Path(*parts[start:]).as_posix()) in known:
            return end
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else "name its path under raw/, or an article_id"
    raise NotFound(f"{name}: no such article or source; {remedy}")


def place(paragraph: dict[str, Any]) -> str:
    """Say where a paragraph stands in its file.

    >>> place({"boxes": [], "line_first": 3, "line_last": 7})
    'lines 3-7'
    >>> place({"boxes": [], "line_first": 8, "line_last": 8})
    'line 8'
    >>> place({"boxes": [{"page": 2, "x0": 40.5, "top": 90.0, "x1": 200.0, "bottom": 130.2}]})
    'page 2 (40, 90, 200, 130)'
    """
    boxes = paragraph["boxes"]
    if not boxes and paragraph["line_first"] == paragraph["line_last"]:
        return f"line {paragraph['line_first']}"
    if not boxes:
        return f"lines {paragraph['line_first']}-{paragraph['line_last']}"
    return "; ".join(
        f"page {b['page']} ({b['x0']:.0f}, {b['top']:.0f}, {b['x1']:.0f}, {b['bottom']:.0f})" for b in boxes
    )


def figure(confidence: float) -> str:
    """Return a confidence to two places, rounded down: what is shown as 0.90 is at least that.

    >>> [figure(c) for c in (1.0, 0.8999, 0.29)]
    ['1.00', '0.89', '0.29']
    """
    return f"{int(round(confidence * 10_000) / 100) / 100:.2f}"


def answers(address: str, seconds: float = 5.0) -> bool:
    """Say whether a Prefect server answers at this address, in whatever words."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=seconds):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
