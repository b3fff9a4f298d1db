"""The corrections file: its entries, and those that do not apply (`tasks.corrections` says what they do)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.settings import WrongSettings
from tasks.corrections import APPLIED, FACTS, Correction, parse
from tasks.document import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.release import Release, Staging


def load(path: Path) -> dict[str, tuple[Correction, ...]]:
    """Return the entries of the file by source, none where there is no file; raise `WrongSettings` for one that is wrong."""
    try:
        entries = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # a UnicodeDecodeError is one
        raise WrongSettings(f"{path}: {error}") from None
    found: dict[str, list[Correction]] = {}
    for entry in entries:
        found.setdefault(entry.source, []).append(entry)
    return {source: tuple(of_source) for source, of_source in found.items()}


class Unapplied(NamedTuple):
    """A source of which an entry is not applied, and why."""

    source: str
    why: str


def outcomes(found: Release | Staging, sources: Collection[str]) -> dict[str, str | None]:
    """Return what reading made of the entries of these sources: the column `correction` of their rows."""
    import pyarrow.parquet as pq

    rows: dict[str, str | None] = {}
    for segment in found.segments if sources else ():
        part = segment.paths(found.path)["sources"]
        if "correction" in pq.read_schema(part).names:  # tables of an earlier schema have none
            table = pq.read_table(part, columns=["source", "correction"], filters=[("source", "in", sorted(sources))])
            rows |= dict(zip(table["source"].to_pylist(), table["correction"].to_pylist(), strict=True))
    return rows


def unapplied(
    corrections: Mapping[str, Sequence[Correction]], hashes: Mapping[str, str], outcomes: Mapping[str, str | None]
) -> list[Unapplied]:
    """Return the sources whose entries do not (all) apply.

    `hashes` are those of the sources as they are now, `outcomes` what reading them made of their entries (the column
    `correction` of `sources`).
    """
    found = []
    for source, entries in sorted(corrections.items()):
        if source not in hashes:
            found.append(Unapplied(source, "there is no such source under raw/"))
        elif any(entry.sha256 != hashes[source] for entry in entries):
            found.append(Unapplied(source, "the source has changed since the entry was written"))
        elif outcomes.get(source) not in (None, APPLIED):
            found.append(Unapplied(source, str(outcomes[source])))
    return found


#: Code points of a paragraph that are quoted to tell it from others.
QUOTED = 12


def entry(found: Mapping[str, Any], paragraph: int | None) -> str:
    """Return an entry to start from, as text: for a paragraph of the one article that `flows.look.explain` found, or its facts.

    Raises `WrongSettings` where no single article is meant, or it has no such paragraph.
    """
    source = found["source"]["source"]
    if len(found["articles"]) != 1:
        ids = ", ".join(article["article_id"] for article in found["articles"]) or "none is published"
        raise WrongSettings(f"{source}: name the article to correct by its id: {ids}")
    (article,) = found["articles"]
    rows = article["paragraphs"]
    if paragraph is not None and paragraph >= len(rows):
        raise WrongSettings(f"{article['article_id']}: its paragraphs are 0 to {len(rows) - 1}")
    values: dict[str, Any] = {
        "source": source,
        "sha256": found["source"]["sha256"],
        "because": "",
        "article": int(article["article_id"].rpartition("-")[2]),
    }
    if paragraph is None:
        values["quote"] = rows[0]["text"][:QUOTED]
        facts = {name: article[name] or ([] if name == "authors" else "") for name in FACTS}
        choices = ["# What is wrong of these:", *(f"#{name} = {_toml(value)}" for name, value in facts.items())]
    else:
        values |= {"paragraph": paragraph, "quote": rows[paragraph]["text"][:QUOTED]}
        choices = [
            "# One of these:",
            f"#kind = {_toml(rows[paragraph]['kind'])}  # {', '.join(KINDS)}",
            '#split_before = ""  # the words that the new paragraph begins with',
        ]
        if paragraph + 1 < len(rows):
            choices.append(
                f"#join_next = {_toml(rows[paragraph + 1]['text'][:QUOTED])}  # joins the next paragraph to it"
            )
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    return "\n".join(["[[correct]]", *lines, *choices])


def _toml(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
