"""What a good dataset is, as data: one entry per expectation, in the words of Great Expectations and of people.

An entry names the frame it judges (see `expectations.frames`), Great Expectations' own type and arguments, and what is to
happen when it fails. `expectations.check` runs them; `docs/expectations.md` is printed from them by
`python -m expectations.suites`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from tasks.dataset import SCHEMAS, STATUSES
from tasks.document import KINDS, LANGUAGES

#: `error` rejects the row or refuses the release, `warning` publishes and alerts, `info` is only recorded.
Grade = Literal["error", "warning", "info"]
#: A failed `row` is withdrawn and the rest published; a failed `dataset` refuses the release.
Level = Literal["row", "dataset"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that is true of every good dataset.

    `where` narrows it to the rows whose column (its first part) holds one of the values (its second). An argument
    {"$PARAMETER": name} is taken from `THRESHOLDS` or the settings when the check runs.
    """

    table: str
    name: str
    type: str
    arguments: Mapping[str, object]
    message: str
    remedy: str
    level: Level = "row"
    grade: Grade = "error"
    where: tuple[str, tuple[str, ...]] | None = None
    folder: str = ""  #: of which folder of raw/, where its bounds are that folder's own

    @property
    def key(self) -> str:
        """What tells it from all others of its suite."""
        return f"{self.name} of {self.folder}" if self.folder else self.name


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound that the settings may move: its value if they do not, and why it is that."""

    value: float
    reason: str


#: The bounds that depend on whose newspapers these are.
THRESHOLDS: Mapping[str, Threshold] = {
    "kept_share": Threshold(
        0.5, "a disk that is not mounted empties a folder; a day's deletions do not halve a dataset"
    ),
    "seen_share": Threshold(0.5, "a folder renamed at will is worth a word, though not a refusal"),
    "published_share": Threshold(0.5, "a handful of broken files is daily life, half a batch is a broken delivery"),
    "confidence": Threshold(0.5, "below even odds a person should look at the page"),
    "title_chars": Threshold(
        120, "headlines with their subtitles stay under it, a body paragraph taken for one does not"
    ),
    "article_chars_min": Threshold(20, "a note has a sentence; less is a headline or a caption that lost its article"),
    "article_chars_max": Threshold(200_000, "a long essay has 30,000; ten times that is several articles not split"),
    "cjk_spaces": Threshold(0.05, "names set as 林 晓 stay far below one in twenty, letter-spaced text does not"),
    "unknown_share": Threshold(0.1, "news stays under one in a hundred, text wrongly decoded does not"),
    "history_runs": Threshold(7, "a week of daily runs has seen a Sunday"),
    "history_articles": Threshold(10, "of fewer articles one alone moves every share"),
    "volume_spreads": Threshold(5, "five robust standard deviations: a thin Sunday is nearer to the median than that"),
    "late_days": Threshold(7, "a week beyond what is usual is more than a long holiday"),
    "length_factor": Threshold(2, "articles twice as long as they were are articles not split, or cut in half"),
    "confidence_drop": Threshold(0.1, "a new layout that is misread costs more than that"),
    "language_shift": Threshold(0.3, "when a third of the articles changes its language, something else is delivered"),
    "rejected_rise": Threshold(0.2, "one source in five more than usual is a fault of the delivery, not of a file"),
    "unknown_rise": Threshold(0.02, "a month's new words are few; wrong decoding makes many at once"),
}


def in_force(given: Mapping[str, float]) -> dict[str, float]:
    """Return the value of every threshold, those given in place of our own."""
    return {name: threshold.value for name, threshold in THRESHOLDS.items()} | dict(given)


HEX = r"^[0-9a-f]{64}$"
FILLED = r"^\s*\S"
_BUG = "Nothing in the source causes this: report it with release.json."
_LOOK = "Look at the source with `wenliu explain`; if the page reads well there, report it with the file."


def _filled(table: str, *columns: str, level: Level) -> Iterator[Expectation]:
    """Yield, for each column, that it is never null: all other expectations pass over nulls."""
    for column in columns:
        yield Expectation(
            table,
            f"{table}_{column}_present",
            "expect_column_values_to_not_be_null",
            {"column": column},
            f"`{column}` is missing.",
            _BUG,
            level,
        )


def _unique(table: str, *columns: str, level: Level) -> Expectation:
    """Return that no two rows have the same value in a column, or the same values in several."""
    if len(columns) == 1:
        name, type_ = f"{table}_{columns[0]}_unique", "expect_column_values_to_be_unique"
        arguments: Mapping[str, object] = {"column": columns[0]}
    else:
        name, type_ = f"{table}_key_unique", "expect_compound_columns_to_be_unique"
        arguments = {"column_list": list(columns)}
    told = " and ".join(f"`{column}`" for column in columns)
    return Expectation(table, name, type_, arguments, f"The same {told} is there twice.", _BUG, level)


def _no(column: str, name: str, message: str, remedy: str = _BUG) -> Expectation:
    """Return that a counter of the quality vector is 0."""
    return Expectation(
        "quality", name, "expect_column_values_to_be_between", {"column": column, "max_value": 0}, message, remedy
    )


def _plausible(name: str, languages: tuple[str, ...], bounds: Mapping[str, object], message: str) -> Expectation:
    """Return that a ratio is one that articles of these languages have; text that is odd but sound may break it."""
    type_ = "expect_column_values_to_be_between"
    return Expectation("quality", name, type_, bounds, message, _LOOK, "row", "warning", ("language", languages))


_CHINESE = ("zh-Hans", "zh-Hant")
_ENGLISH = ("en",)

RELEASE = (
    Expectation(
        "release",
        "tables_complete",
        "expect_column_pair_values_to_be_equal",
        {"column_A": "parts", "column_B": "parts_due"},
        "A segment lacks a table, or has one that no release has.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "release",
        "schema_as_declared",
        "expect_column_values_to_be_in_set",
        {"column": "as_declared", "value_set": [True]},
        "A part file's columns or types are not those of the schema.",
        "Run `wenliu run --full`, which writes every segment again.",
        "dataset",
    ),
    Expectation(
        "release",
        "rows_present",
        "expect_column_values_to_be_between",
        {"column": "rows", "min_value": 1},
        "A table has no rows: nothing at all could be published.",
        "See `wenliu rejects` for the reasons, and whether raw/ is the right folder and its disk is there.",
        "dataset",
        where=("table", tuple(name for name in SCHEMAS if name != "rejects")),
    ),
    Expectation(
        "release",
        "not_shrunk",
        "expect_column_values_to_be_between",
        {"column": "kept_share", "min_value": {"$PARAMETER": "kept_share"}},
        "The release has far fewer rows than the one before.",
        "Check that raw/ is complete and its disk is there; if the rows are meant to go, lower the threshold kept_share.",
        "dataset",
        where=("table", ("articles", "tokens")),
    ),
)

SEEN = (
    Expectation(
        "seen",
        "sources_accounted_for",
        "expect_column_pair_values_to_be_equal",
        {"column_A": "rows", "column_B": "rows_due"},
        "A file under raw/ does not have exactly one row in `sources`, or one that is gone still has.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "seen",
        "sources_still_there",
        "expect_column_values_to_be_in_set",
        {"column": "still_there", "value_set": [True], "mostly": {"$PARAMETER": "seen_share"}},
        "Many sources of the release before are no longer under raw/.",
        "Check that raw/ is complete; if they are meant to go, nothing is to be done: `wenliu rollback` brings them back.",
        "dataset",
        "warning",
    ),
)

SOURCES = (
    *_filled("sources", "source", "sha256", "bytes", "status", "fingerprint", level="dataset"),
    _unique("sources", "source", level="dataset"),
    Expectation(
        "sources",
        "source_sha256_shape",
        "expect_column_values_to_match_regex",
        {"column": "sha256", "regex": HEX},
        "`sha256` is not 64 hexadecimal digits.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "sources",
        "source_size_possible",
        "expect_column_values_to_be_between",
        {"column": "bytes", "min_value": 0},
        "A file's size is negative.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "sources",
        "status_known",
        "expect_column_values_to_be_in_set",
        {"column": "status", "value_set": list(STATUSES)},
        f"`status` is none of {', '.join(STATUSES)}.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "sources",
        "status_true",
        "expect_column_pair_values_to_be_equal",
        {"column_A": "status", "column_B": "status_due"},
        "`status` does not agree with the source's rows in `articles` and `rejects`.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "sources",
        "reason_present",
        "expect_column_values_to_not_be_null",
        {"column": "reason"},
        "A source is not (all) published and no reason is given.",
        _BUG,
        "dataset",
        where=("status", ("partly", "rejected")),
    ),
    Expectation(
        "sources",
        "reason_filled",
        "expect_column_values_to_match_regex",
        {"column": "reason", "regex": FILLED},
        "The reason why a source is not (all) published is empty.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "sources",
        "reason_absent",
        "expect_column_values_to_be_null",
        {"column": "reason"},
        "A source is published and yet a reason is given why not.",
        _BUG,
        "dataset",
        where=("status", ("published",)),
    ),
    Expectation(
        "sources",
        "characters_conserved",
        "expect_column_values_to_be_between",
        {"column": "n_lost", "min_value": 0, "max_value": 0},
        "Characters of the file are neither published nor left out by a rule nor rejected, or some were added.",
        _LOOK,
        where=("status", ("published", "partly")),
    ),
    Expectation(
        "sources",
        "sources_mostly_published",
        "expect_column_values_to_not_be_in_set",
        {"column": "status", "value_set": ["rejected"], "mostly": {"$PARAMETER": "published_share"}},
        "Most of the new sources were rejected.",
        "See `wenliu rejects`: one cause for many files is one remedy.",
        "dataset",
        "warning",
    ),
)

ARTICLES = (
    *_filled("articles", "article_id", "source", "ordinal", "language", "text_sha256", "confidence", level="row"),
    _unique("articles", "article_id", level="row"),
    _unique("articles", "source", "ordinal", level="row"),
    Expectation(
        "articles",
        "article_id_not_reused",
        "expect_column_values_to_be_in_set",
        {"column": "reused", "value_set": [False]},
        "`article_id` stands for another article, in a segment that did not change.",
        _BUG,
    ),
    Expectation(
        "articles",
        "articles_judged",
        "expect_column_values_to_be_in_set",
        {"column": "judged", "value_set": [True]},
        "An article has no row in `quality`: nothing was counted in it.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "articles",
        "ordinal_possible",
        "expect_column_values_to_be_between",
        {"column": "ordinal", "min_value": 0},
        "`ordinal` is negative.",
        _BUG,
    ),
    Expectation(
        "articles",
        "language_known",
        "expect_column_values_to_be_in_set",
        {"column": "language", "value_set": list(LANGUAGES)},
        f"`language` is none of {', '.join(LANGUAGES)}.",
        _BUG,
    ),
    Expectation(
        "articles",
        "title_present",
        "expect_column_values_to_not_be_null",
        {"column": "title"},
        "No title was found.",
        "Nothing, if the page shows none; else report it with the file.",
        grade="info",
    ),
    Expectation(
        "articles",
        "title_filled",
        "expect_column_values_to_match_regex",
        {"column": "title", "regex": FILLED},
        "The title is empty.",
        _LOOK,
    ),
    Expectation(
        "articles",
        "title_length",
        "expect_column_values_to_be_between",
        {"column": "title_chars", "max_value": {"$PARAMETER": "title_chars"}},
        "The title is as long as a paragraph.",
        _LOOK,
        grade="warning",
    ),
    Expectation(
        "articles",
        "date_possible",
        "expect_column_values_to_be_between",
        {"column": "published_day", "min_value": 1800_01_01, "max_value": {"$PARAMETER": "today"}},
        "The date of publication lies in the future or before 1800, when no newspaper wrote modern Chinese.",
        "Correct the date in the source, or this machine's clock.",
    ),
    Expectation(
        "articles",
        "url_shape",
        "expect_column_values_to_match_regex",
        {"column": "url", "regex": r"^https?://[^\s/]+\S*$"},
        "The address is not one of the web (http or https).",
        "Correct the address in the source.",
    ),
    Expectation(
        "articles",
        "article_text_filled",
        "expect_column_values_to_be_between",
        {"column": "visible", "min_value": 1},
        "The article has no running text.",
        _LOOK,
    ),
    Expectation(
        "articles",
        "text_sha256_shape",
        "expect_column_values_to_match_regex",
        {"column": "text_sha256", "regex": HEX},
        "`text_sha256` is not 64 hexadecimal digits.",
        _BUG,
    ),
    Expectation(
        "articles",
        "article_length",
        "expect_column_values_to_be_between",
        {
            "column": "n_chars",
            "min_value": {"$PARAMETER": "article_chars_min"},
            "max_value": {"$PARAMETER": "article_chars_max"},
        },
        "The article is shorter or longer than articles are.",
        _LOOK,
        grade="warning",
    ),
    Expectation(
        "articles",
        "article_confidence_range",
        "expect_column_values_to_be_between",
        {"column": "confidence", "min_value": 0, "max_value": 1},
        "`confidence` is not between 0 and 1.",
        _BUG,
    ),
    Expectation(
        "articles",
        "article_confidence_low",
        "expect_column_values_to_be_between",
        {"column": "confidence", "min_value": {"$PARAMETER": "confidence"}},
        "The reading of this article is in doubt.",
        _LOOK,
        grade="warning",
    ),
)

PARAGRAPHS = (
    *_filled("paragraphs", "article_id", "paragraph", "kind", "confidence", level="row"),
    _unique("paragraphs", "article_id", "paragraph", level="row"),
    Expectation(
        "paragraphs",
        "kind_known",
        "expect_column_values_to_be_in_set",
        {"column": "kind", "value_set": list(KINDS)},
        f"`kind` is none of {', '.join(KINDS)}.",
        _BUG,
    ),
    Expectation(
        "paragraphs",
        "paragraph_filled",
        "expect_column_values_to_be_between",
        {"column": "visible", "min_value": 1},
        "A paragraph is empty.",
        _LOOK,
    ),
    Expectation(
        "paragraphs",
        "paragraph_confidence_range",
        "expect_column_values_to_be_between",
        {"column": "confidence", "min_value": 0, "max_value": 1},
        "A paragraph's `confidence` is not between 0 and 1.",
        _BUG,
    ),
    Expectation(
        "paragraphs",
        "paragraph_placed",
        "expect_column_values_to_be_in_set",
        {"column": "placed", "value_set": [True]},
        "A paragraph leads to no place in its raw file: neither boxes nor lines.",
        _BUG,
    ),
    Expectation(
        "paragraphs",
        "lines_in_order",
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "line_last", "column_B": "line_first", "or_equal": True},
        "A paragraph ends on an earlier line than it begins.",
        _BUG,
    ),
)

QUALITY = (
    *_filled("quality", "article_id", "source", level="dataset"),
    _unique("quality", "article_id", level="dataset"),
    Expectation(
        "quality",
        "article_known",
        "expect_column_values_to_match_regex",
        {"column": "source", "regex": FILLED},
        "Rows name an article that is not in `articles`.",
        _BUG,
        "dataset",
    ),
    _no("null_errors", "required_filled", "A column that may not be null is."),
    _no(
        "span_errors",
        "spans_valid",
        "Sentences or tokens are empty, lie outside their parent, overlap or are out of order.",
    ),
    _no("gap_errors", "text_covered", "Characters other than white space are in no sentence, or in no token."),
    _no(
        "index_errors",
        "numbers_consecutive",
        "Paragraphs, sentences or tokens are not numbered 0, 1, 2 … in their parent.",
    ),
    _no(
        "reference_errors", "references_whole", "Rows name a source, article, paragraph or sentence that is not there."
    ),
    _no(
        "text_errors", "text_is_slice", "The text of a sentence or token is not the paragraph's from `start` to `end`."
    ),
    _no(
        "pos_errors",
        "pos_known",
        "A token's part of speech is empty or no tag.",
        "Check the tags of the user dictionary.",
    ),
    _no("count_errors", "counts_agree", "What `articles` says of its text, hash and counts is not what its rows hold."),
    _no(
        "line_errors", "lines_traced", "The lines of a paragraph do not begin at its head and follow one another in it."
    ),
    _no(
        "character_errors",
        "characters_valid",
        "Replacement, private-use, control or non-characters stand in the text.",
        "The file was decoded wrongly before it came here, or its font maps glyphs to private code points: save it anew.",
    ),
    Expectation(
        "quality",
        "tokens_present",
        "expect_column_values_to_be_between",
        {"column": "n_tokens", "min_value": 1},
        "The article has not a single word.",
        _LOOK,
    ),
    _plausible(
        "tokens_per_char_chinese",
        _CHINESE,
        {"column": "tokens_per_char", "min_value": 0.25, "max_value": 0.9},
        "Chinese runs at about 0.6 tokens a character: near 1 nothing was recognised as a word, near 0 nothing was cut.",
    ),
    _plausible(
        "tokens_per_char_english",
        _ENGLISH,
        {"column": "tokens_per_char", "min_value": 0.08, "max_value": 0.6},
        "English runs at about 0.2 tokens a character: far above, words fell apart; far below, they were not cut.",
    ),
    _plausible(
        "sentence_length_chinese",
        _CHINESE,
        {"column": "sentence_chars", "min_value": 3, "max_value": 200},
        "Chinese sentences run to 40 characters or so; this mean says that they were not cut, or cut to pieces.",
    ),
    _plausible(
        "sentence_length_english",
        _ENGLISH,
        {"column": "sentence_chars", "min_value": 10, "max_value": 500},
        "English sentences run to 130 characters or so; this mean says that they were not cut, or cut to pieces.",
    ),
    _plausible(
        "han_share_chinese",
        _CHINESE,
        {"column": "han_share", "min_value": 0.2},
        "Less than a fifth of a Chinese article is Chinese characters: its language is wrong, or its encoding.",
    ),
    _plausible(
        "han_share_english",
        _ENGLISH,
        {"column": "han_share", "max_value": 0.5},
        "More than half of an English article is Chinese characters: its language is wrong.",
    ),
    Expectation(
        "quality",
        "words_known",
        "expect_column_values_to_be_between",
        {"column": "unknown_share", "max_value": {"$PARAMETER": "unknown_share"}},
        "Many of the words with Chinese characters are unknown to the dictionary.",
        "Look whether the text is sound; if it is, add its words to the user dictionary.",
        grade="warning",
    ),
    Expectation(
        "quality",
        "letter_spacing_closed",
        "expect_column_values_to_be_between",
        {"column": "cjk_space_share", "max_value": {"$PARAMETER": "cjk_spaces"}},
        "Chinese characters are set apart by spaces that the layout put there.",
        _LOOK,
        grade="warning",
    ),
    Expectation(
        "quality",
        "paragraph_confidence_low",
        "expect_column_values_to_be_between",
        {"column": "confidence_min", "min_value": {"$PARAMETER": "confidence"}},
        "The reading of one of its paragraphs is in doubt.",
        _LOOK,
        grade="info",
    ),
)

REJECTS = (
    *_filled("rejects", "reject_id", "source", "stage", "check", "message", "remedy", level="dataset"),
    _unique("rejects", "reject_id", level="dataset"),
    Expectation(
        "rejects",
        "rejected_source_known",
        "expect_column_values_to_be_in_set",
        {"column": "source_known", "value_set": [True]},
        "A reject names a source that is not in `sources`.",
        _BUG,
        "dataset",
    ),
    Expectation(
        "rejects",
        "rejected_not_published",
        "expect_column_values_to_be_in_set",
        {"column": "published", "value_set": [False]},
        "An article is both rejected and published.",
        _BUG,
        "dataset",
    ),
    *(
        Expectation(
            "rejects",
            f"reject_{column}_filled",
            "expect_column_values_to_match_regex",
            {"column": column, "regex": FILLED},
            f"A reject's `{column}` is empty.",
            _BUG,
            "dataset",
        )
        for column in ("check", "message", "remedy")
    ),
)


def _usual(name: str, column: str, threshold: str, message: str, remedy: str) -> Expectation:
    """Return that a run does not depart from those before it by more than a threshold; nothing is said of too few."""
    type_ = "expect_column_values_to_be_between"
    arguments = {"column": column, "max_value": {"$PARAMETER": threshold}}
    return Expectation("history", name, type_, arguments, message, remedy, "dataset", "warning")


_DELIVERY = "Look at the folder and ask who delivers it; `wenliu releases` and the report show the days before."
_READING = "Look at some of the new articles with `wenliu explain`; the report shows since when."
HISTORY = (
    _usual(
        "volume_usual",
        "volume",
        "volume_spreads",
        "A folder brought far less or far more than it usually does.",
        _DELIVERY,
    ),
    _usual(
        "newest_in_time",
        "days",
        "late_days",
        "The newest article of a folder is older than it usually is: the delivery has stopped, or its dates are misread.",
        _DELIVERY,
    ),
    _usual(
        "length_usual",
        "length",
        "length_factor",
        "Articles are far longer or shorter than usual: several may be read as one, or one in pieces.",
        _READING,
    ),
    _usual(
        "confidence_usual",
        "confidence",
        "confidence_drop",
        "Articles are read with less confidence than usual: the layout may be another.",
        _READING,
    ),
    _usual(
        "languages_usual",
        "languages",
        "language_shift",
        "The languages of the articles are others than usual.",
        _READING,
    ),
    _usual(
        "rejected_usual",
        "rejected",
        "rejected_rise",
        "Far more sources than usual are not, or not all, published.",
        "See `wenliu rejects`: one cause for many files is one remedy.",
    ),
    _usual(
        "words_usual",
        "unknown",
        "unknown_rise",
        "More words than usual are unknown to the dictionary.",
        "Look whether the new text is sound; if it is, add its words to the user dictionary.",
    ),
)

#: All that is expected, by the frame it is expected of. `sentences` and `tokens` are judged row by row in `quality`.
SUITES: Mapping[str, tuple[Expectation, ...]] = {
    "release": RELEASE,
    "seen": SEEN,
    "sources": SOURCES,
    "articles": ARTICLES,
    "paragraphs": PARAGRAPHS,
    "quality": QUALITY,
    "rejects": REJECTS,
    "history": HISTORY,
}
EXPECTATIONS: tuple[Expectation, ...] = tuple(entry for suite in SUITES.values() for entry in suite)
#: The column that names what is withdrawn when a row of the frame fails.
KEYS: Mapping[str, str] = {
    "release": "table",
    "seen": "source",
    "sources": "source",
    "articles": "article_id",
    "paragraphs": "article_id",
    "quality": "article_id",
    "rejects": "reject_id",
    "history": "subject",
}


#: The frames with a row per article and its `source`: what a folder may bound, and a person let pass.
BY_ARTICLE = ("articles", "quality")

#: The expectations whose grade the settings may move: what is no fault of the tables, but one of what is delivered.
GRADED: frozenset[str] = frozenset(entry.name for entry in EXPECTATIONS if entry.grade != "error")

#: The thresholds of what a folder brings, held against the runs before.
OF_FOLDERS = frozenset({"history_runs", "history_articles", "volume_spreads", "late_days"})
#: The thresholds that a folder may have of its own: these, and those of its articles.
BY_FOLDER: frozenset[str] = OF_FOLDERS | frozenset(
    value["$PARAMETER"]
    for entry in EXPECTATIONS
    if entry.level == "row" and entry.table in BY_ARTICLE
    for value in entry.arguments.values()
    if isinstance(value, dict) and value["$PARAMETER"] in THRESHOLDS
)

#: The checks that a person may let a row pass: a matter of judgement, not of tables that are wrong.
ACCEPTABLE: frozenset[str] = frozenset(
    entry.name for entry in EXPECTATIONS if entry.level == "row" and entry.remedy != _BUG and entry.table in BY_ARTICLE
)


def _judged_of(threshold: str) -> str:
    """Say of what a threshold is a bound: of single articles, of a folder of raw/, or of the dataset."""
    if threshold in OF_FOLDERS:
        return "folders"
    return "articles" if threshold in BY_FOLDER else "the dataset"


def describe() -> str:
    """Return docs/expectations.md: every expectation, what it asks and what to do when it fails, for people."""
    lines = [
        "# Expectations",
        "",
        "What a release is held against before it is published. Printed from `expectations/suites.py` by",
        "`python -m expectations.suites > docs/expectations.md`; change it there.",
        "",
        "An `error` on a row withdraws its article (or source) into `rejects` and the rest is published; an `error` on the",
        "dataset refuses the release. A `warning` publishes and tells, an `info` is only recorded. A check that crashes, or",
        "that saw other rows than it should, refuses the release whatever its grade. The grade of a `warning` or an `info`",
        "can be set to any of the three in the settings, under `grades`.",
        "",
        "`sentences` and `tokens` are judged row by row too: what is wrong with them is counted by article in `quality`.",
        "`release` has a row per table, `seen` a row per file under raw/, `history` a row per measure of what a run brought, for",
        "each folder of raw/ and for all, held against the runs before it.",
    ]
    for table, suite in SUITES.items():
        lines += [
            "",
            f"## {table}",
            "",
            "| check | grade | of | what is wrong when it fails | remedy |",
            "|---|---|---|---|---|",
        ]
        lines += [f"| `{e.name}` | {e.grade} | {e.level} | {e.message} | {e.remedy} |" for e in suite]
    lines += [
        "",
        "## Thresholds",
        "",
        "Bounds that the settings may move, under `expectations`; those of folders and of articles for one folder too, under its",
        "own `expectations`.",
        "",
        "| threshold | value | of | reason |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {threshold.value:g} | {_judged_of(name)} | {threshold.reason} |"
        for name, threshold in THRESHOLDS.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(describe())
