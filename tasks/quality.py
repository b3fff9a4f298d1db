"""What is wrong with a staged segment, counted in its Parquet as it was written.

Nothing here trusts the code that made the rows: spans are cut again from the paragraphs, numbers and counts are counted
again, references looked up again. Every row of the large tables is judged, and what is found is rolled up by article, so
that the checks afterwards need not read a single token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from tasks.dataset import SCHEMAS
from tasks.document import BESIDE

if TYPE_CHECKING:
    import polars as pl

#: What an author cannot have written: replacement, private-use, control and non-characters. Tab and line feed are white
#: space and no business of this rule.
BAD_CHARACTER = (
    r"[\x{FFFD}\p{Co}\x{00}-\x{08}\x{0B}-\x{1F}\x{7F}-\x{9F}\x{FDD0}-\x{FDEF}\x{FFFE}\x{FFFF}"
    + "".join(rf"\x{{{plane:X}FFFE}}\x{{{plane:X}FFFF}}" for plane in range(1, 15))
    + "]"
)
#: jieba's tags are one to five lower-case letters (n, nr, eng …), but a user dictionary may bring its own.
TAG = r"^[A-Za-z][A-Za-z0-9_-]{0,15}$"
#: To cut a span out, its text is counted through from the beginning: a longer one is laid in parts of so many characters,
#: or a million words of one sentence would take hours.
PART = 4096
#: Ratios are rounded, for a mean's last bits depend on how its rows fell to the threads.
DIGITS = 6

_COUNTS = [field.name for field in SCHEMAS["quality"] if pa.types.is_integer(field.type)]


def quality(parts: Mapping[str, Path]) -> pa.Table:
    """Count what is wrong with each article of one staged segment; a row for every article, in the order of `articles`.

    `parts` leads from the name of a table to its Parquet file; `articles`, `paragraphs`, `sentences`, `tokens` and
    `sources` are read. The table has the columns of `SCHEMAS["quality"]`. Rows that name an article which is not there
    get a row of their own at the end, with an empty `source`: nothing goes unjudged. Raises OSError when a file is
    missing and polars.exceptions.PolarsError when one is no Parquet or lacks a column.
    """
    import polars as pl

    articles = _read(parts, "articles")
    paragraphs = _read(parts, "paragraphs")
    sentences = _read(parts, "sentences")
    sources = _read(parts, "sources")

    spans = paragraphs.select(
        "article_id", "paragraph", "text", start=pl.lit(0, pl.Int32), end=pl.col("text").str.len_chars().cast(pl.Int32)
    )
    found = [
        _nulls(articles, "articles"),
        _nulls(paragraphs, "paragraphs"),
        _nulls(sentences, "sentences"),
        articles.join(sources, on="source", how="anti").select("article_id", reference_errors=pl.lit(1)),
        _paragraphs(paragraphs, articles),
        _spans(sentences, spans, ["article_id", "paragraph"], "sentence"),
        _characters(articles),
        _tokens(parts, sentences),
    ]
    counted = (
        pl.concat(found, how="diagonal_relaxed")
        .group_by(pl.col("article_id").fill_null(""))
        .agg(
            pl.col(name).sum()
            for name in (*_COUNTS, "han", "han_tokens", "unknown", "length")
            if name != "count_errors"
        )
    )
    confidence = paragraphs.group_by(pl.col("article_id").fill_null("")).agg(
        confidence_min=pl.col("confidence").min(), confidence_mean=pl.col("confidence").mean()
    )
    known = articles.select("article_id", "source").unique("article_id", keep="first", maintain_order=True)
    orphans = counted.join(known, on="article_id", how="anti").sort("article_id")
    rows = (
        pl.concat([known.fill_null(""), orphans.select("article_id", source=pl.lit(""))])
        .join(counted, on="article_id", how="left", maintain_order="left")
        .join(confidence, on="article_id", how="left", maintain_order="left")
    )
    rows = rows.join(_count_errors(articles, paragraphs, rows), on="article_id", how="left", maintain_order="left")
    ratios = rows.with_columns(
        pl.col(_COUNTS).fill_null(0),
        tokens_per_char=_ratio("n_tokens", "n_chars"),
        sentence_chars=_ratio("length", "n_sentences"),
        unknown_share=_ratio("unknown", "han_tokens"),
        han_share=_ratio("han", "n_chars"),
        confidence_min=pl.col("confidence_min").round(DIGITS),
        confidence_mean=pl.col("confidence_mean").round(DIGITS),
    )
    schema = SCHEMAS["quality"]
    return ratios.select(schema.names).to_arrow().cast(schema)


def balance(parts: Mapping[str, Path]) -> pl.DataFrame:
    """Say for each source of one staged segment where its characters went: the law of conservation as a table.

    One row per row of `sources`, in its order: `source`, `n_chars` (read from the raw file), `n_published` (in its
    paragraphs), `n_left_out` (by rule), `n_rejected` (kept in `rejects`), `n_lost` (what no one accounts for; below 0
    when characters were added), and `n_articles`, `n_rejects` (rejected articles). White space is not counted.
    """
    import polars as pl

    sources = _read(parts, "sources")
    owner = _read(parts, "articles").select("article_id", "source").unique("article_id", keep="first")
    paragraphs = pl.read_parquet(parts["paragraphs"], columns=["article_id", "text"])
    rejects = _read(parts, "rejects")
    published = (
        paragraphs.select("article_id", n_published=visible_chars(pl.col("text")))
        .join(owner, on="article_id")
        .group_by("source")
        .agg(pl.col("n_published").sum())
    )
    rejected = rejects.group_by("source").agg(
        n_rejected=visible_chars(pl.col("text")).sum(), n_rejects=pl.col("article_id").drop_nulls().n_unique()
    )
    return (
        sources.select(
            "source",
            "n_chars",
            n_left_out=pl.col("left_out").list.eval(pl.element().struct.field("chars")).list.sum(),
        )
        .join(published, on="source", how="left", maintain_order="left")
        .join(rejected, on="source", how="left", maintain_order="left")
        .join(owner.group_by("source").agg(n_articles=pl.len()), on="source", how="left", maintain_order="left")
        .with_columns(pl.exclude("source").fill_null(0).cast(pl.Int64))
        .with_columns(n_lost=pl.col("n_chars") - pl.col("n_published") - pl.col("n_left_out") - pl.col("n_rejected"))
    )


def _read(parts: Mapping[str, Path], table: str) -> pl.DataFrame:
    import polars as pl

    return pl.read_parquet(parts[table])


def visible_chars(text: pl.Expr) -> pl.Expr:
    """Count the characters of a column that are not white space; none in a null."""
    import polars as pl

    return (text.str.len_chars().cast(pl.Int64) - text.str.count_matches(r"\s")).fill_null(0)


def _ratio(part: str, whole: str) -> pl.Expr:
    import polars as pl

    return pl.when(pl.col(whole) > 0).then((pl.col(part) / pl.col(whole)).round(DIGITS))


def _nulls(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """Count the nulls in the columns that its schema says have none."""
    import polars as pl

    required = [field.name for field in SCHEMAS[name] if not field.nullable]
    return table.select("article_id", null_errors=pl.sum_horizontal(pl.col(required).is_null())).filter(
        pl.col("null_errors") > 0
    )


def _paragraphs(paragraphs: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """Count paragraphs, their characters, numbers that do not run 0, 1, 2 …, lines in disorder, and those of no article."""
    import polars as pl

    text = pl.col("text")
    starts = pl.col("lines").list.eval(pl.element().struct.field("start"))
    spaced = text.str.contains(r"\p{Han}\s+\p{Han}")
    return paragraphs.join(
        articles.select("article_id", known=pl.lit(True)).unique(), on="article_id", how="left", maintain_order="left"
    ).select(
        "article_id",
        n_paragraphs=pl.lit(1),
        n_chars=visible_chars(pl.col("text")),
        han=text.str.count_matches(r"\p{Han}"),
        # Each character twice, for one character may have a space on either side and matches do not overlap.
        cjk_spaces=pl.when(spaced).then(
            text.str.replace_all(r"(\p{Han})", "$1$1").str.count_matches(r"\p{Han}\s+\p{Han}")
        ),
        character_errors=text.str.count_matches(BAD_CHARACTER),
        line_errors=(
            (starts.list.first() != 0)
            | (starts.list.last() >= text.str.len_chars())
            | (starts.list.diff().list.min() <= 0).fill_null(False)  # of one line there is no difference
        )
        .fill_null(True)
        .cast(pl.Int64),
        index_errors=(pl.col("paragraph") != pl.int_range(pl.len()).over("article_id")).fill_null(True).cast(pl.Int64),
        reference_errors=pl.col("known").is_null().cast(pl.Int64),
    )


def _characters(articles: pl.DataFrame) -> pl.DataFrame:
    """Count the bad characters of whatever stands beside the text; those of `text` are counted in its paragraphs."""
    import polars as pl
    import polars.selectors as cs

    texts = cs.string() - cs.by_name("source", "text")  # a file may have any name
    lists = cs.by_dtype(pl.List(pl.String)).list.join("")
    found = (some.str.count_matches(BAD_CHARACTER).fill_null(0) for some in (texts, lists))
    return articles.select("article_id", character_errors=pl.sum_horizontal(*found))


def _tokens(parts: Mapping[str, Path], sentences: pl.DataFrame) -> pl.DataFrame:
    """Count the tokens, what is wrong with their spans and tags, and which words with Han characters jieba did not know."""
    import polars as pl

    tokens = _read(parts, "tokens")
    tags = tokens["pos"].unique()
    bad = tags.filter(~tags.str.contains(TAG).fill_null(False)).to_list()
    words = (
        tokens.lazy()
        .filter(pl.col("text").str.contains(r"\p{Han}"))
        .group_by("article_id")
        .agg(han_tokens=pl.len(), unknown=(pl.col("pos") == "x").sum())
        .collect()
    )
    tagged = tokens.lazy().filter(pl.col("pos").is_in(bad, nulls_equal=True)).group_by("article_id").len("pos_errors")
    spans = _spans(tokens, sentences, ["article_id", "paragraph", "sentence"], "token").drop("length")
    return pl.concat([spans, words, tagged.collect(), _nulls(tokens, "tokens")], how="diagonal_relaxed")


def _spans(children: pl.DataFrame, parents: pl.DataFrame, keys: Sequence[str], number: str) -> pl.DataFrame:
    """Hold spans against the spans they lie in: tokens against sentences, sentences against paragraphs."""
    import polars as pl

    children, runs = _in_runs(children, parents, keys, number)
    start, end = pl.col("start"), pl.col("end")
    judged = (
        children.lazy()
        .select(
            "run",
            "end",
            length=pl.col("text").str.len_chars(),
            span=(start >= end) | (start < pl.col("before")) | (end > pl.col("parent_end")),
            index=pl.col(number) != pl.int_range(pl.len()) - pl.col("row"),
            text=pl.col("text") != _of_parent(start, end),
        )
        .group_by("run")
        .agg(pl.len().alias("rows"), pl.col("length", "span", "index", "text").sum().cast(pl.Int64), last=end.last())
        .sort("run")
        .collect()
    )
    # Between most words of a Chinese text there is nothing to look at.
    skipped = (
        children.filter(pl.col("before") < start)
        .group_by("run")
        .agg(skipped=visible_chars(_of_parent(pl.col("before"), start)).sum())
    )
    by_run = runs.with_columns(judged).join(skipped, on="run", how="left", maintain_order="left")
    found = by_run.select(
        "article_id",
        "length",
        pl.col("rows").alias(f"n_{number}s"),
        gap_errors=pl.col("skipped").fill_null(0) + visible_chars(_of_parent(pl.col("last"), pl.col("parent_end"))),
        span_errors="span",
        index_errors=pl.col("index") + pl.col("again").cast(pl.Int64),
        reference_errors=pl.when(pl.col("known").is_null()).then("rows").otherwise(0),
        text_errors="text",
    )
    childless = parents.join(runs, on=list(keys), how="anti").select(
        "article_id", gap_errors=visible_chars(pl.col("text"))
    )
    return pl.concat([found, childless], how="diagonal_relaxed")


def _in_runs(
    children: pl.DataFrame, parents: pl.DataFrame, keys: Sequence[str], number: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return spans beside those they lie in, and the runs: neighbouring rows with the same `keys` are one parent's.

    The join is made once per run, not once per row: it is the rows that are many. `before` is where the last span ended,
    `again` whether the parent has had a run already.
    """
    import polars as pl

    key = [pl.col(name) for name in keys]
    first = pl.any_horizontal(column.ne_missing(column.shift()) for column in key) | (pl.int_range(pl.len()) == 0)
    children = children.select(*keys, number, "start", "end", "text", first=first).with_columns(
        run=pl.col("first").cum_sum() - 1
    )
    runs = (
        children.with_row_index("row")
        .filter("first")
        .select("row", *keys, again=pl.struct(keys).is_first_distinct().not_())
        .join(
            parents.unique(keys, keep="first").select(
                *keys, parent="text", parent_start="start", parent_end="end", known=pl.lit(True)
            ),
            on=list(keys),
            how="left",
            maintain_order="left",
        )
    )
    run = children["run"]
    children = children.with_columns(
        runs[name].gather(run) for name in ("parent", "parent_start", "parent_end", "row")
    ).with_columns(before=pl.when("first").then("parent_start").otherwise(pl.col("end").shift()))
    is_long = runs.select((pl.col("parent").str.len_bytes() > PART).any()).item()
    return _in_parts(children) if is_long else children, runs


def _in_parts(children: pl.DataFrame) -> pl.DataFrame:
    """Lay long texts in parts: beside each span, only what is around it of the text that it lies in."""
    import polars as pl

    start = pl.col("parent_start")
    children = children.with_columns(
        skipped=(pl.min_horizontal("before", "start") - start).clip(0).fill_null(0) // PART * PART
    )
    parts = (
        children.group_by("run", "skipped")
        .agg(pl.col("parent").first(), reach=(pl.col("end").max() - start.first()).clip(0))
        .select(
            "run",
            "skipped",
            parent=pl.col("parent").str.slice("skipped", (pl.col("reach") - pl.col("skipped")).clip(0)),
        )
    )
    return (
        children.drop("parent")
        .join(parts, on=["run", "skipped"], how="left", maintain_order="left")
        .with_columns(start + pl.col("skipped"))
    )


def _of_parent(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Cut a span, given in the paragraph's code points, out of the text of what it lies in."""
    import polars as pl

    return pl.col("parent").str.slice((start - pl.col("parent_start")).clip(0), (end - start).clip(0))


def _count_errors(articles: pl.DataFrame, paragraphs: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """Compare what `articles` says of its rows, text and hash with what is there."""
    import polars as pl

    running = (
        paragraphs.filter(~pl.col("kind").is_in(list(BESIDE)))
        .group_by("article_id")
        .agg(running=pl.col("text").sort_by("paragraph").str.join("\n"))
    )
    told = (
        articles.join(running, on="article_id", how="left", maintain_order="left")
        .join(counted.select("article_id", pl.col("^n_.*$").name.suffix("_counted")), on="article_id", how="left")
        .with_columns(
            hashed=pl.Series([_sha256(text) for text in articles["text"]], dtype=pl.String),
            running=pl.col("running").fill_null(""),
        )
    )
    return told.group_by("article_id").agg(
        count_errors=(
            (pl.col("n_chars") != pl.col("text").str.len_chars()).cast(pl.Int64)
            + (pl.col("text") != pl.col("running"))
            + (pl.col("text_sha256") != pl.col("hashed"))
            + (pl.col("n_paragraphs") != pl.col("n_paragraphs_counted").fill_null(0))
            + (pl.col("n_sentences") != pl.col("n_sentences_counted").fill_null(0))
            + (pl.col("n_tokens") != pl.col("n_tokens_counted").fill_null(0))
        ).sum()
    )


def _sha256(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
