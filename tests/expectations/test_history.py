"""Four weeks of a newspaper, and what is said when the next day is not like them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from expectations.check import check, check_history
from expectations.history import REMEMBERED, Folder, Profile, departures, past, remember, take_profile
from expectations.suites import in_force

FIRST = date(2024, 3, 1)


def day(number: int, articles: int = 40) -> Profile:
    """The `number`-th day: a daily that is thinner on Sundays, and an archive of old papers."""
    on = FIRST + timedelta(days=number)
    printed = articles // 2 if on.weekday() == 6 else articles + number % 3
    return Profile(
        f"{on:%Y%m%d}T060000Z-000",
        on.isoformat(),
        new=printed,
        sources=printed + 1,
        rejected=1,
        articles=printed,
        length=800.0 + number % 5,
        confidence=0.9,
        unknown=0.005,
        languages={"en": printed // 10, "zh-Hans": printed - printed // 10},
        folders={
            "daily": Folder(printed, printed * 800, on.isoformat()),
            "archive": Folder(0, 0, "1931-02-04"),
        },
    )


MONTH = [day(number) for number in range(28)]
NEXT = day(28)


def told(
    now: Profile, before: Sequence[Profile], own: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, list[str]]:
    """Return the checks that warn, each with the folders or `all` that it warns of."""
    verdict = check_history(departures(now, before, in_force({}), own or {}), folders=own)
    assert not verdict.refusals
    return {
        finding.check: sorted({row["subject"] for row in json.loads(finding.evidence)}) for finding in verdict.warnings
    }


def brought(articles: int, chars: int, newest: str = NEXT.day) -> Profile:
    return replace(NEXT, folders={**NEXT.folders, "daily": Folder(articles, chars, newest)})


BAD: Mapping[str, tuple[Profile, dict[str, list[str]]]] = {
    "nothing of a folder": (brought(0, 0), {"volume_usual": ["daily"]}),
    "a folder delivered five times": (brought(200, 160_000), {"volume_usual": ["daily"]}),
    "as many articles of a tenth of their text": (brought(41, 3_000), {"volume_usual": ["daily"]}),
    "old papers for new ones": (brought(41, 33_000, "2024-03-20"), {"newest_in_time": ["daily"]}),
    "articles not split": (replace(NEXT, length=2_500.0), {"length_usual": ["all"]}),
    "articles in pieces": (replace(NEXT, length=90.0), {"length_usual": ["all"]}),
    "a layout that is misread": (replace(NEXT, confidence=0.7), {"confidence_usual": ["all"]}),
    "another language": (replace(NEXT, languages={"en": 20, "zh-Hans": 21}), {"languages_usual": ["all"]}),
    "half of it broken": (replace(NEXT, rejected=20), {"rejected_usual": ["all"]}),
    "wrongly decoded": (replace(NEXT, unknown=0.2), {"words_usual": ["all"]}),
}


@pytest.mark.parametrize(("now", "warned"), BAD.values(), ids=BAD)
def test_a_day_unlike_those_before_it_warns(now: Profile, warned: dict[str, list[str]]) -> None:
    assert told(now, MONTH) == warned


def two_papers(number: int, daily: int, evening: int) -> Profile:
    """A day of two papers, each with a folder of its own, which together bring as many articles as ever."""
    run = day(number)
    folders = {name: Folder(n, n * 800, run.day) for name, n in {"daily": daily, "evening": evening}.items()}
    return replace(run, folders=folders)


def test_a_folder_that_dries_up_is_told_by_its_name_though_there_are_as_many_articles_as_ever() -> None:
    before = [two_papers(number, 40, 20) for number in range(28)]
    assert told(two_papers(28, 40, 20), before) == {}
    dry = two_papers(28, 60, 0)
    assert told(dry, before) == {"volume_usual": ["evening"]}
    assert told(dry, before, {"daily": {"volume_spreads": 2}}) == {"volume_usual": ["daily", "evening"]}
    assert told(dry, before, {"evening": {"volume_spreads": 9}}) == {}
    assert told(dry, before, {"evening": {"history_articles": 30}}) == {}


def test_how_late_a_folder_may_be_can_be_set_for_it() -> None:
    late = brought(41, 33_000, "2024-03-20")
    assert told(late, MONTH, {"daily": {"late_days": 14}}) == {}
    assert told(late, MONTH, {"archive": {"late_days": 14}}) == {"newest_in_time": ["daily"]}
    assert told(brought(41, 33_000, "2024-03-26"), MONTH, {"daily": {"late_days": 1}}) == {"newest_in_time": ["daily"]}


SUNDAY = day(30)
GOOD: Mapping[str, tuple[Profile, Sequence[Profile]]] = {
    "a day like any other": (NEXT, MONTH),
    "a thin Sunday": (SUNDAY, MONTH),
    "a holiday of three days": (brought(41, 33_000, "2024-03-26"), MONTH),
    "a correction, nothing new": (replace(brought(0, 0), new=0, articles=1, length=9_000.0), MONTH),
    "a handful of articles": (replace(NEXT, articles=3, sources=3, rejected=3, length=9_000.0, confidence=0.1), MONTH),
    "the first run": (NEXT, []),
    "too few runs": (replace(brought(900, 9_000_000), length=9_000.0, confidence=0.1), MONTH[:6]),
    "too few articles": (day(28, articles=30), [day(number, articles=4) for number in range(28)]),
    "one bad day among them": (NEXT, [*MONTH[:-1], replace(brought(0, 0), confidence=0.1, length=9_000.0)]),
}


@pytest.mark.parametrize(("now", "before"), GOOD.values(), ids=GOOD)
def test_a_day_like_those_before_it_does_not(now: Profile, before: Sequence[Profile]) -> None:
    assert told(now, before) == {}


def test_the_grade_of_a_check_can_be_moved() -> None:
    found = departures(brought(0, 0), MONTH, in_force({}))
    assert [f.check for f in check_history(found, grades={"volume_usual": "error"}).refusals] == ["volume_usual"]
    assert [f.check for f in check_history(found, grades={"volume_usual": "info"}).infos] == ["volume_usual"]
    assert check_history(found, thresholds={"volume_spreads": 50}).warnings == ()


def test_a_profile_sums_up_what_was_read(staged: dict[str, Path], seen: list[str]) -> None:
    profile = take_profile([staged], seen, {"a/river.txt"}, [], "r", date(2026, 1, 31))
    assert (profile.new, profile.sources, profile.rejected, profile.articles) == (1, 3, 2, 3)
    assert profile.languages == {"en": 1, "zh-Hans": 1, "zh-Hant": 1}
    assert profile.folders["a"].articles == 2
    assert profile.folders["a"].chars > 200
    assert profile.folders["a"].newest == "2024-03-05"
    # `b` is not new: it adds no volume, and is the folder's newest article all the same.
    assert profile.folders["b"] == Folder(0, 0, "1931-02-04")
    assert profile.folders["c"] == Folder(0, 0, None)
    assert take_profile([staged], seen, set(), [], "r", date(2026, 1, 31), ["a/b"]).folders.keys() == {"a", "b", "c"}
    later = take_profile([], [], set(), [profile], "s", date(2026, 2, 1))
    assert later.folders["a"] == Folder(0, 0, "2024-03-05")
    assert (later.articles, later.length) == (0, None)


def test_a_release_remembers_the_runs_before_it() -> None:
    long = [day(number) for number in range(40)]
    kept = json.loads(json.dumps(remember(NEXT, long)))
    assert past(kept) == (*long[-REMEMBERED + 1 :], NEXT)
    assert past({}) == ()


def test_a_staged_release_is_held_against_the_runs_before(staged: dict[str, Path], seen: list[str]) -> None:
    found = departures(replace(NEXT, confidence=0.2), MONTH, in_force({}))
    verdict = check([staged], seen=seen, today=date(2026, 1, 31), parent=[staged], history=found)
    assert [finding.check for finding in verdict.warnings] == ["confidence_usual"]
    (row,) = json.loads(verdict.warnings[0].evidence)
    assert (row["subject"], row["measure"], row["value"], row["usual"]) == ("all", "confidence", 0.2, 0.9)
