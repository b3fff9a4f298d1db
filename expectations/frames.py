"""What the suites judge: the staged tables, with what they are held against as columns beside their own.

Everything is read from the Parquet that is about to be published. The frames are lazy, so that a check reads the columns
that its suite names and no others; texts stay behind, their lengths come along.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.dataset import SCHEMAS
from tasks.quality import balance, visible_chars

if TYPE_CHECKING:
    import polars as pl

#: A segment: its part file for each table.
Segment = Mapping[str, Path]

#: A table of fewer rows than this may shrink at will: someone who tries wenliu on two files may take one away.
FEW = 20


def frames(
    staged: Sequence[Segment], kept: Sequence[Segment], parent: Sequence[Segment], seen: Collection[str]
) -> dict[str, pl.LazyFrame]:
    """Return the frames that `expectations.suites` judges, by name.

    `staged` are the new and changed segments, judged row by row; `kept` those that did not change, looked at only for
    what must be unique across a release; `parent` all segments of the release before (none at first). `seen` holds every
    source found under raw/. When a staged segment lacks a table there are no rows to hold against each other: `release`
    and `seen` are all there is then, and `release` tells.
    """
    built = {"release": _release([*staged, *kept], parent), "seen": _seen([*staged, *kept], parent, seen)}
    if staged and all(segment.keys() >= SCHEMAS.keys() for segment in staged):
        built |= {
            "sources": _sources(staged),
            "articles": _articles(staged, kept),
            "paragraphs": _paragraphs(staged),
            "quality": _quality(staged),
            "rejects": _rejects(staged),
        }
    return built


def in_folders(frame: pl.LazyFrame, folders: Collection[str]) -> pl.LazyFrame:
    """Add `folder`: the longest of these that the row's `source` lies in, empty where it lies in none.

    >>> import polars as pl
    >>> rows = pl.LazyFrame({"source": ["rmrb/1.txt", "rmrb/2024/1.txt", "rmrb.txt"]})
    >>> in_folders(rows, ["rmrb", "rmrb/2024"]).collect()["folder"].to_list()
    ['rmrb', 'rmrb/2024', '']
    """
    import polars as pl

    folder = pl.lit("")
    for name in sorted(folders, key=len):
        folder = pl.when(pl.col("source").str.starts_with(f"{name}/")).then(pl.lit(name)).otherwise(folder)
    return frame.with_columns(folder=folder)


def _scan(segments: Sequence[Segment], table: str) -> pl.LazyFrame:
    import polars as pl

    parts = [segment[table] for segment in segments if table in segment]
    return pl.scan_parquet(parts) if parts else pl.LazyFrame(pl.from_arrow(SCHEMAS[table].empty_table()))


def _release(segments: Sequence[Segment], parent: Sequence[Segment]) -> pl.LazyFrame:
    """Lay out one row per table, those that should not be there included.

    `parts` are its files, `parts_due` how many there should be, `rows` their rows, `kept_share` the same as a share of
    the parent's; `as_declared` says whether all have the schema's columns and types.
    """
    import polars as pl
    import pyarrow.parquet as pq

    tables = [*SCHEMAS, *sorted({table for segment in segments for table in segment} - SCHEMAS.keys())]
    rows = []
    for table in tables:
        parts = [segment[table] for segment in segments if table in segment]
        footers = [(pq.read_metadata(part).num_rows, pq.read_schema(part)) for part in parts]
        n = sum(n for n, _ in footers)
        before = sum(pq.read_metadata(segment[table]).num_rows for segment in parent if table in segment)
        row = {
            "table": table,
            "parts": len(parts),
            "parts_due": len(segments) if table in SCHEMAS else 0,
            "rows": n,
            "kept_share": n / before if before >= FEW else None,
            "as_declared": all(schema.equals(SCHEMAS.get(table)) for _, schema in footers),
        }
        rows.append(row)
    return pl.LazyFrame(rows, schema_overrides={"kept_share": pl.Float64}, infer_schema_length=None)


def _seen(segments: Sequence[Segment], parent: Sequence[Segment], seen: Collection[str]) -> pl.LazyFrame:
    """Lay out one row per source heard of: `rows` it has, `rows_due`, and whether one of the parent is `still_there`."""
    import polars as pl

    found = pl.LazyFrame({"source": sorted(seen), "seen": True}, schema={"source": pl.String, "seen": pl.Boolean})
    rows = _scan(segments, "sources").group_by("source").agg(rows=pl.len().cast(pl.Int64))
    before = _scan(parent, "sources").select("source", in_parent=pl.lit(True)).unique()
    return (
        found.join(rows, on="source", how="full", coalesce=True)
        .join(before, on="source", how="full", coalesce=True)
        .with_columns(pl.col("seen").fill_null(False), pl.col("rows").fill_null(0))
        .with_columns(rows_due=pl.col("seen").cast(pl.Int64), still_there=pl.when("in_parent").then("seen"))
        .sort("source")
    )


def _sources(staged: Sequence[Segment]) -> pl.LazyFrame:
    """Add `n_lost` (characters nobody accounts for) and `status_due` (what its articles and rejects say it is)."""
    import polars as pl

    balances = pl.concat([balance(segment) for segment in staged]).lazy()
    rejected = _scan(staged, "rejects").group_by("source").agg(n_reasons=pl.len())
    balances = (
        balances.unique("source", keep="first")
        .join(rejected, on="source", how="left")
        .select(
            "source",
            "n_lost",
            status_due=pl.when(pl.col("n_articles") == 0)
            .then(pl.lit("rejected"))
            .when(pl.col("n_reasons").is_null())
            .then(pl.lit("published"))
            .otherwise(pl.lit("partly")),
        )
    )
    return _scan(staged, "sources").join(balances, on="source", how="left", maintain_order="left")


def _articles(staged: Sequence[Segment], kept: Sequence[Segment]) -> pl.LazyFrame:
    """Add lengths, `judged` (it has a quality vector), `reused` (another segment has an article of its id) and the day.

    `published_day` is the date as a number, 20240305: pandas has no dates without hours, and those end in 2262.
    """
    import polars as pl

    judged = _scan(staged, "quality").select("article_id", judged=pl.lit(True)).unique()
    reused = _scan(kept, "articles").select("article_id", reused=pl.lit(True)).unique()
    return (
        _scan(staged, "articles")
        .with_columns(
            published_day=pl.col("published_on").dt.year() * 10_000
            + pl.col("published_on").dt.month().cast(pl.Int32) * 100
            + pl.col("published_on").dt.day(),
            title_chars=pl.col("title").str.len_chars().cast(pl.Int64),
            visible=visible_chars(pl.col("text")),
        )
        .join(judged, on="article_id", how="left", maintain_order="left")
        .join(reused, on="article_id", how="left", maintain_order="left")
        .with_columns(pl.col("judged", "reused").fill_null(False))
    )


def _paragraphs(staged: Sequence[Segment]) -> pl.LazyFrame:
    """Add `visible` (characters that are not white space) and `placed` (it leads back to boxes or lines)."""
    import polars as pl

    return _scan(staged, "paragraphs").with_columns(
        visible=visible_chars(pl.col("text")),
        placed=(pl.col("boxes").list.len() > 0).fill_null(False)
        | (pl.col("line_first").is_not_null() & pl.col("line_last").is_not_null()),
    )


def _quality(staged: Sequence[Segment]) -> pl.LazyFrame:
    """Add the article's `language`, for what is plausible depends on it, and `cjk_space_share` of the characters."""
    import polars as pl

    language = _scan(staged, "articles").select("article_id", "language").unique("article_id", keep="first")
    return (
        _scan(staged, "quality")
        .join(language, on="article_id", how="left", maintain_order="left")
        .with_columns(cjk_space_share=pl.col("cjk_spaces") / pl.max_horizontal("n_chars", 1))
    )


def _rejects(staged: Sequence[Segment]) -> pl.LazyFrame:
    """Add `source_known`, and `published`: its article is in `articles` all the same."""
    import polars as pl

    sources = _scan(staged, "sources").select("source", source_known=pl.lit(True)).unique()
    published = _scan(staged, "articles").select("article_id", published=pl.lit(True)).unique()
    return (
        _scan(staged, "rejects")
        .join(sources, on="source", how="left", maintain_order="left")
        .join(published, on="article_id", how="left", maintain_order="left")
        .with_columns(pl.col("source_known", "published").fill_null(False))
    )
