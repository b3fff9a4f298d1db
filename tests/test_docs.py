"""What the documents say is so: commands parse, queries run, names and files are there, in both languages."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from flows import cli, pipeline
from flows.settings import Settings, load

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")
PAGES = (*READMES, *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in PAGES}


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXTS[name], re.MULTILINE | re.DOTALL)


def spans(name: str) -> list[str]:
    """What stands in backquotes on a page, outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", TEXTS[name], flags=re.MULTILINE | re.DOTALL))


def section(name: str, number: int) -> str:
    """The text under a page's heading of the second level, counted from 1; translations have the same ones."""
    return re.split(r"^## .*$", TEXTS[name], flags=re.MULTILINE)[number]


COMMANDS, SETTINGS, LAYOUT = 4, 6, 7


def commands(name: str) -> list[list[str]]:
    """Every command line on a page, as words, without variables set before it and without comments."""
    lines = [*spans(name), *(line for block in blocks(name, "sh") for line in block.splitlines())]
    words = [shlex.split(re.sub(r"^(\w+=\S+ )+", "", line), comments=True) for line in lines if _is_command(line)]
    return [[Path(line[0]).name, *line[1:]] for line in words]


def _is_command(line: str) -> bool:
    return re.match(r"(\w+=\S+ )*(\.venv/bin/)?(wenliu|make)( |$)", line) is not None


def parse(words: list[str]) -> str:
    """Return the name of the subcommand that these words are, or call; click's own error when they do neither."""
    command: click.Command = cli.cli
    context = click.Context(command, info_name="wenliu")
    names: list[str] = []
    while isinstance(command, click.Group):
        _, words, _ = command.make_parser(context).parse_args(words)
        if not words:
            return " ".join(names)
        _, subcommand, words = command.resolve_command(context, words)
        assert subcommand is not None
        command = subcommand
        names.append(str(command.name))
    if words:
        command.make_context(" ".join(names), words, parent=context)
    return " ".join(names)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_on_a_page_parses(name: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for program, *words in commands(name):
        if program == "wenliu" and words[:1] != ["COMMAND"]:
            parse(words)
        elif program == "make":
            assert not words or words[0] in targets


def test_a_command_that_is_none_would_be_noticed() -> None:
    for line in ("run --ful", "rejects shw x", "diff A"):
        with pytest.raises(click.UsageError):
            parse(line.split())


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_documented(name: str) -> None:
    told = {parse(words) for program, *words in commands(name) if program == "wenliu"}
    assert told - {""} == {*cli.cli.commands, *(f"rejects {command}" for command in cli.rejects.commands)}


@pytest.mark.parametrize("name", READMES)
def test_every_exit_code_is_documented(name: str) -> None:
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", section(name, COMMANDS), re.MULTILINE)]
    assert told == [cli.DONE, cli.REFUSED, cli.USAGE, cli.FAILED, cli.BUSY, cli.INTERRUPTED]


@pytest.mark.parametrize("name", READMES)
def test_settings_that_are_named_exist(name: str) -> None:
    told = {span for span in re.findall(r"`([a-z_]+)`", section(name, SETTINGS)) if span != "wenliu"}
    assert {"dictionary", "encoding", "retention"} <= told <= Settings.model_fields.keys()


@pytest.mark.parametrize("name", READMES)
def test_the_layout_is_the_repositorys(name: str) -> None:
    told = re.findall(r"^    (\w+)/", section(name, LAYOUT), re.MULTILINE)
    assert told
    assert {path.name for path in ROOT.iterdir() if path.is_dir() and (path.name in told or _holds_code(path))} == {
        *told
    }


def _holds_code(directory: Path) -> bool:
    return re.fullmatch(r"[a-z]+", directory.name) is not None and any(directory.glob("*.py"))


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_that_hold_what_they_are_named_for(name: str) -> None:
    for text, target in re.findall(r"\[([^\]]*)\]\(([^)#]+?)(?:#[^)]*)?\)", TEXTS[name]):
        if "://" in target:
            continue
        path = (ROOT / name).parent / target
        assert path.exists(), target
        if re.fullmatch(r"`\w+`", text):
            assert re.search(rf"\b{text.strip('`')}\b", path.read_text("utf-8")), f"{text} is not in {target}"


@pytest.mark.parametrize("name", PAGES)
def test_modules_that_are_named_exist(name: str) -> None:
    for span in spans(name):
        if re.fullmatch(r"(flows|tasks|expectations|tests|benchmarks|docs|requirements|raw)/[\w./-]*", span):
            assert (ROOT / span).exists(), span


def test_the_translation_shows_the_same() -> None:
    english, chinese = ([*blocks(name, "python"), *map(_bare, blocks(name, "sh"))] for name in READMES)
    assert english == chinese
    for mark in (r"^## ", r"^\|", r"^    \w+/", r"\]\((?!README)[^)]+\)"):
        first, second = (re.findall(mark, TEXTS[name], re.MULTILINE) for name in READMES)
        assert sorted(first) == sorted(second)


def _bare(block: str) -> str:
    return re.sub(r" *#.*$", "", block, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a release of the shipped samples."""
    here = tmp_path_factory.mktemp("released")
    outcome = pipeline.run(load(raw=ROOT / "raw", processed=here / "processed", workers=1))
    assert outcome.status == "published"
    return here


def last_value(code: str) -> Any:
    """Run a snippet and return the value of the expression it ends with, as a notebook shows it."""
    *body, last = ast.parse(code).body
    assert isinstance(last, ast.Expr)
    names: dict[str, Any] = {}
    exec(compile(ast.Module(body, []), "README.md", "exec"), names)
    return eval(compile(ast.Expression(last.value), "README.md", "eval"), names)


@pytest.mark.parametrize("code", blocks("README.md", "python"))
def test_queries_find_something_in_the_samples(code: str, released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(released)
    found = last_value(code)
    assert len(found)
