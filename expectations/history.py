"""What each run brought, and how far the last one departs from what is usual here.

A profile is a run in a few figures. Every release keeps its own and those of the runs before it in `release.json`
(`metrics`), so that the history outlives the releases that retention removes, and leads back along the releases that
were published: a batch that was refused never becomes what is usual.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.instructions import folder_of

if TYPE_CHECKING:
    import polars as pl

    from expectations.frames import Segment

#: So many runs are remembered: a month of daily ones.
REMEMBERED = 30
#: A folder whose newest article is usually older than this (in days) holds old papers, which are never late.
LIVE_DAYS = 31
#: Makes the median absolute deviation of normally spread values their standard deviation.
_MAD = 1.4826
#: A spread is at least this share of the median: where six days were alike, a Sunday half as thick is no alarm.
_LEAST_SPREAD = 0.15


#: What the checks ask of a run, and of which measures it is told.
ASKED: Mapping[str, Sequence[str]] = {
    "volume": ("articles", "chars"),
    **{name: (name,) for name in ("days", "length", "confidence", "languages", "rejected", "unknown")},
}


class Folder(NamedTuple):
    """What a run brought that was new in one folder of raw/, and the day of the newest article that it ever had."""

    articles: int
    chars: int
    newest: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A run in a few figures.

    `new` counts the sources that had not been there before, `sources` all that were read and `rejected` those of them
    that are not (all) published. `length` is the median of its articles' characters, `confidence` and `unknown` (words
    that the dictionary has not) are means, `languages` counts articles. `checks` says how often each check failed.
    """

    release: str
    day: str
    new: int = 0
    sources: int = 0
    rejected: int = 0
    articles: int = 0
    length: float | None = None
    confidence: float | None = None
    unknown: float | None = None
    languages: Mapping[str, int] = field(default_factory=dict)
    folders: Mapping[str, Folder] = field(default_factory=dict)
    checks: Mapping[str, int] = field(default_factory=dict)


def past(metrics: Mapping[str, Any]) -> tuple[Profile, ...]:
    """Return the profiles that a release's metrics hold, the oldest first: those before it and its own."""
    kept = [*metrics.get("past", ()), *([metrics["profile"]] if "profile" in metrics else ())]
    return tuple(
        Profile(**entry | {"folders": {name: Folder(*values) for name, values in entry["folders"].items()}})
        for entry in kept[-REMEMBERED:]
    )


def remember(profile: Profile, before: Sequence[Profile]) -> dict[str, Any]:
    """Return what a release's metrics have to hold so that `past` finds it again.

    >>> today = Profile("20240305T060000Z-000", "2024-03-05", folders={"daily": Folder(3, 2_000, "2024-03-05")})
    >>> past(remember(today, [])) == (today,)
    True
    """
    return {"profile": asdict(profile), "past": [asdict(entry) for entry in before[-REMEMBERED + 1 :]]}


def delivered_in(source: str, folders: Collection[str] = ()) -> str:
    """Say which folder of raw/ a source was delivered in.

    The innermost of those that have settings of their own, else the first of its path, `.` for raw/ itself.

    >>> delivered_in("people/2024/03/05.pdf"), delivered_in("note.txt")
    ('people', '.')
    >>> delivered_in("people/abroad/05.pdf", ["people/abroad"])
    'people/abroad'
    """
    first, slash, _ = source.partition("/")
    return folder_of(source, folders) or (first if slash else ".")


def take_profile(
    segments: Sequence[Segment],
    fresh: Collection[str],
    new: Collection[str],
    before: Sequence[Profile],
    release: str,
    day: date,
    own: Collection[str] = (),
) -> Profile:
    """Sum up the sources `fresh`, of which those in `new` were not there before, from the segments that hold them.

    `own` are the folders with settings of their own, which are counted by themselves.
    """
    import polars as pl

    def rows(table: str, columns: list[str]) -> pl.DataFrame:
        # Read, not scanned: a scan with a filter takes 50 ms, however few the rows.
        parts = [pl.read_parquet(segment[table], columns=columns) for segment in segments]
        wanted = pl.col("source").is_in(list(fresh))
        return pl.concat(parts).filter(wanted) if parts else pl.DataFrame(schema=columns)

    sources = rows("sources", ["source", "status"])
    articles = rows("articles", ["article_id", "source", "n_chars", "confidence", "language", "published_on"])
    unknown = rows("quality", ["source", "unknown_share"])["unknown_share"]
    folders = dict(before[-1].folders) if before else {}
    folders = {name: Folder(0, 0, folder.newest) for name, folder in folders.items()}
    for name in sorted(fresh):
        folders.setdefault(delivered_in(name, own), Folder(0, 0, None))
    for source, chars, published in articles.select("source", "n_chars", "published_on").iter_rows():
        name = delivered_in(source, own)
        n, total, newest = folders[name]
        came = source in new
        latest = max(newest or "", published.isoformat() if published else "") or None
        folders[name] = Folder(n + came, total + chars * came, latest)
    return Profile(
        release,
        day.isoformat(),
        new=len(frozenset(new) & frozenset(fresh)),
        sources=sources.height,
        rejected=sources.filter(pl.col("status") != "published").height,
        articles=articles.height,
        length=_rounded(articles["n_chars"].median()),
        confidence=_rounded(articles["confidence"].mean()),
        unknown=_rounded(unknown.mean()),
        languages=dict(sorted(articles["language"].value_counts().iter_rows())),
        folders=dict(sorted(folders.items())),
    )


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 6)


class Departure(NamedTuple):
    """How far a measure of a subject departs from what is usual; `departure` is None while too little is known.

    The unit of `departure` is the measure's: spreads for volumes, days for `days`, a factor for `length`, and a
    difference of shares for the rest.
    """

    subject: str
    measure: str
    value: float | None
    usual: float | None
    departure: float | None


def departures(
    now: Profile,
    before: Sequence[Profile],
    bounds: Mapping[str, float],
    own: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> list[Departure]:
    """Hold a run against those before it: folder by folder, then as a whole.

    Nothing is said before there were `history_runs` runs that brought something, of `history_articles` articles each (for
    a folder: as their median, and by its `own` bounds). A run without new sources brings no volume that could be too small.
    """
    found: list[Departure] = []
    for name, folder in now.folders.items():
        runs, articles = _least({**bounds, **own.get(name, {})})
        earlier = [(run, run.folders[name]) for run in before if name in run.folders]
        came = [was for run, was in earlier if run.new]
        enough = len(came) >= runs and median(was.articles for was in came) >= articles and now.new > 0
        for measure in ("articles", "chars"):
            values = [float(getattr(was, measure)) for was in came]
            found.append(_spreads(name, measure, float(getattr(folder, measure)), values, enough))
        found.append(lateness(name, folder.newest, date.fromisoformat(now.day), before, runs))
    runs, articles = _least(bounds)
    told = [run for run in before if run.articles >= articles]
    enough = len(told) >= runs and now.articles >= articles
    for measure in ("length", "confidence", "unknown"):
        values = [value for run in told if (value := getattr(run, measure)) is not None]
        found.append(_drift(measure, getattr(now, measure), values, enough))
    found.append(_mix(now, told, enough))
    read = [run for run in before if run.sources >= articles]
    shares = [run.rejected / run.sources for run in read]
    share = now.rejected / now.sources if now.sources else None
    found.append(_drift("rejected", share, shares, len(read) >= runs and now.sources >= articles))
    return found


def _least(bounds: Mapping[str, float]) -> tuple[float, float]:
    return bounds["history_runs"], bounds["history_articles"]


def lateness(name: str, newest: str | None, day: date, before: Sequence[Profile], runs: float) -> Departure:
    """Say how many days ago the newest article of a folder came out, more than it usually did."""
    lags = [
        _days(date.fromisoformat(run.day), run.folders[name].newest)
        for run in before
        if name in run.folders and run.folders[name].newest
    ]
    if newest is None or not lags:
        return Departure(name, "days", None, None, None)
    lag, usual = _days(day, newest), float(median(lags))
    speaks = len(lags) >= runs and usual <= LIVE_DAYS
    return Departure(name, "days", lag, usual, lag - usual if speaks else None)


def _days(day: date, newest: str | None) -> float:
    return float((day - date.fromisoformat(newest or "")).days)


def _spreads(name: str, measure: str, value: float, values: Sequence[float], enough: bool) -> Departure:
    """Count by how many robust spreads a value lies off the median, to either side."""
    if not values:
        return Departure(name, measure, value, None, None)
    usual = float(median(values))
    spread = max(_MAD * median(abs(v - usual) for v in values), _LEAST_SPREAD * usual, 1.0)
    return Departure(name, measure, value, usual, abs(value - usual) / spread if enough else None)


def _drift(measure: str, value: float | None, values: Sequence[float], enough: bool) -> Departure:
    """Say how much worse a measure is than its median, or by what factor a length is another."""
    usual = float(median(values)) if values else None
    if value is None or usual is None or not enough:
        return Departure("all", measure, value, usual, None)
    if measure == "length":
        factor = max(value, 1.0) / max(usual, 1.0)
        return Departure("all", measure, value, usual, max(factor, 1 / factor))
    worse = usual - value if measure == "confidence" else value - usual
    return Departure("all", measure, value, usual, worse)


def _mix(now: Profile, before: Sequence[Profile], enough: bool) -> Departure:
    """Say what share of the articles would have to be in another language for the usual mix.

    The value told is the share of the language that is usually the most frequent.
    """
    names = sorted({*now.languages, *(name for run in before for name in run.languages)})
    usual = {
        name: float(median(run.languages.get(name, 0) / run.articles for run in before)) for name in names if before
    }
    if not now.articles or not usual:
        return Departure("all", "languages", None, None, None)
    total = sum(usual.values()) or 1.0
    shares = {name: now.languages.get(name, 0) / now.articles for name in names}
    moved = sum(abs(shares[name] - usual[name] / total) for name in names) / 2
    main = max(usual, key=lambda name: usual[name])
    return Departure("all", "languages", shares[main], usual[main], moved if enough else None)


def history_frame(found: Sequence[Departure], own: Collection[str] = ()) -> pl.LazyFrame:
    """Return departures as the frame `history` that the suite of this name judges: a column for what each check asks.

    `folder` is the subject where it is a folder with bounds of its `own`, else empty.
    """
    import polars as pl

    numbers = dict.fromkeys(("value", "usual", "departure"), pl.Float64)
    rows = pl.LazyFrame(list(found), schema={"subject": pl.String, "measure": pl.String, **numbers}, orient="row")
    return rows.with_columns(
        *(pl.when(pl.col("measure").is_in(of)).then("departure").alias(asked) for asked, of in ASKED.items()),
        folder=pl.when(pl.col("subject").is_in(list(own))).then("subject").otherwise(pl.lit("")),
    )
