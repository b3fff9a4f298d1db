"""Where settings come from, and what is said of wrong ones."""

import tomllib
from pathlib import Path

import pytest

from expectations.suites import EXPECTATIONS, THRESHOLDS
from flows.settings import Settings, WrongSettings, load
from tasks.read import ocr


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_command_line_beats_the_environment_which_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("wenliu.toml").write_text("workers = 1\nbatch_bytes = 2\n[retention]\nreleases = 3\nhours = 4\n")
    assert load().workers == 1
    monkeypatch.setenv("WENLIU_WORKERS", "5")
    monkeypatch.setenv("WENLIU_RETENTION__RELEASES", "6")
    settings = load(workers=7, raw=None)
    assert (settings.workers, settings.batch_bytes, settings.raw) == (7, 2, Path("raw"))
    assert (settings.retention.releases, settings.retention.hours) == (6, 4)


def test_scans_are_read_where_ocr_is_installed_and_not_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "is_installed", lambda: True)
    assert load().reads_scans
    assert not load(ocr="off").reads_scans
    monkeypatch.setattr(ocr, "is_installed", lambda: False)
    assert not load().reads_scans


def test_another_file_may_be_named() -> None:
    Path("other.toml").write_text('raw = "elsewhere"\n')
    assert load(Path("other.toml")).raw == Path("elsewhere")


WRONG = {
    "unknown key": ("workres = 2\n", "wenliu.toml: workres: unknown setting; did you mean `workers`?"),
    "unknown key of a section": (
        "[retention]\nrelease = 2\n",
        "wenliu.toml: retention.release: unknown setting; did you mean `releases`?",
    ),
    "unlike any key": (
        "[retention]\nzzz = 2\n",
        "wenliu.toml: retention.zzz: unknown setting; there are `hours`, `releases`",
    ),
    "out of range": (
        "workers = 0\n",
        "wenliu.toml: workers: input should be greater than or equal to 1 (got 0)",
    ),
    "unknown threshold": (
        "[expectations]\nconfidense = 0.4\n",
        "wenliu.toml: expectations.confidense: unknown threshold; did you mean `confidence`?",
    ),
    "unknown grade": (
        '[grades]\nnewest_in_time = "fatal"\n',
        "wenliu.toml: grades.newest_in_time: input should be 'error', 'warning' or 'info' (got 'fatal')",
    ),
    "a grade that is fixed": (
        '[grades]\nnewest_on_time = "info"\n',
        "wenliu.toml: grades.newest_on_time: no check whose grade can be set; did you mean `newest_in_time`?",
    ),
    "less memory than the recogniser takes": (
        "[limits]\nocr_memory_bytes = 1_000_000_000\n",
        "wenliu.toml: limits.ocr_memory_bytes: input should be greater than or equal to 1073741824 (got 1000000000)",
    ),
    "more memory than there is in any machine": (
        "[limits]\nmemory_bytes = 10_000_000_000_000_000_000\n",
        "wenliu.toml: limits.memory_bytes: input should be less than or equal to 1099511627776 (got 10000000000000000000)",
    ),
    "no encoding": (
        'encoding = "gb18031"\n',
        "gb18031: the setting `encoding` names no encoding, such as utf-8 or gb18030",
    ),
    "not TOML": ("workers = \n", "wenliu.toml: not valid TOML: Invalid value (at line 1, column 11)"),
    "unknown key of a folder": (
        '[folders."人民日报"]\npublishr = "x"\n',
        "wenliu.toml: folders.人民日报.publishr: unknown setting; did you mean `publisher`?",
    ),
    "no language of a folder": (
        '[folders."人民日报"]\nlanguage = "zh"\n',
        "wenliu.toml: folders.人民日报.language: input should be 'zh-Hans', 'zh-Hant' or 'en' (got 'zh')",
    ),
    "no encoding of a folder": (
        '[folders."人民日报"]\nencoding = "gb18031"\n',
        "wenliu.toml: folders.人民日报.encoding: gb18031 is no encoding, such as utf-8 or gb18030",
    ),
    "no threshold of a folder": (
        '[folders."人民日报".expectations]\nlength_factor = 3\n',
        (
            "wenliu.toml: folders.人民日报.expectations.length_factor: no threshold that a folder may have; there are "
            "`article_chars_max`, `article_chars_min`, `cjk_spaces`, `confidence`, `history_articles`, `history_runs`, "
            "`late_days`, `title_chars`, `unknown_share`, `volume_spreads`"
        ),
    ),
    "a folder that is none": (
        '[folders."../人民日报"]\nlanguage = "en"\n',
        "wenliu.toml: folders.../人民日报: no folder of raw/; write its path from there, such as 人民日报 or 人民日报/2024",
    ),
    "no dictionary there": ('dictionary = "none.txt"\n', "none.txt: the setting `dictionary` names no file"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_told_in_one_line(text: str, message: str) -> None:
    Path("wenliu.toml").write_text(text)
    with pytest.raises(WrongSettings) as error:
        load()
    assert str(error.value) == message


def test_a_file_that_is_not_there_is_wrong_only_when_it_was_asked_for() -> None:
    assert load().workers >= 1
    with pytest.raises(WrongSettings, match=r"^none\.toml: there is no such settings file$"):
        load(Path("none.toml"))
    Path("wenliu.toml").mkdir()
    with pytest.raises(WrongSettings, match=r"^wenliu\.toml: the settings file cannot be read: Is a directory$"):
        load()


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("WENLIU_WORKRES", "environment variable WENLIU_WORKRES: unknown setting; did you mean `WENLIU_WORKERS`?"),
        (
            "WENLIU_RETENTION__HOUR",
            "retention.hour (environment or command line): unknown setting; did you mean `hours`?",
        ),
    ],
)
def test_a_wrong_variable_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, variable: str, message: str) -> None:
    monkeypatch.setenv(variable, "4")
    with pytest.raises(WrongSettings) as error:
        load()
    assert str(error.value) == message


def test_the_sample_names_every_setting_and_its_default() -> None:
    sample = Path(__file__).parents[2] / "wenliu.toml"
    text = "\n".join(line.removeprefix("#") for line in sample.read_text().splitlines() if not line.startswith("# "))
    assert tomllib.loads(text).keys() == Settings.model_fields.keys()
    of_the_machine = {"workers", "dictionary", "encoding"}
    bounds = {name: threshold.value for name, threshold in THRESHOLDS.items()}
    grades = {entry.name: entry.grade for entry in EXPECTATIONS if entry.name in tomllib.loads(text)["grades"]}
    default = load().model_dump(exclude=of_the_machine) | {"expectations": bounds, "grades": grades}
    Path("dictionary.txt").touch()
    Path("wenliu.toml").write_text(text)
    assert load().model_dump(exclude=of_the_machine) == default
