"""Sentences and words, as spans of a paragraph.

Chinese is cut into words exactly as `jieba.lcut` does it: through rjieba, which is sixteen times as fast, with what it
does otherwise put right (rare Han, symbols among letters); through jieba itself where a user dictionary is given, which
rjieba cannot load. Latin runs are cut by Unicode's word rules. Sentences end by the rules of `tasks.sentences`.

This is the only room that imports jieba and rjieba; both load on first use.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tasks.document import Language, Sentence, Token
from tasks.sentences import split_sentences

if TYPE_CHECKING:
    import jieba

# Han, kana, their punctuation and full-width forms: whatever stands between them is a run of another script.
_CHINESE = r"\u2e80-\u312f\u3190-\u4dbf\u4e00-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_OTHER_RUN = re.compile(rf"[^\s{_CHINESE}](?:[^{_CHINESE}]*[^\s{_CHINESE}])?")
_ANY_CHINESE = re.compile(rf"[{_CHINESE}]")
_LETTER = re.compile(r"[^\W\d_]")

# Han that rjieba knows and jieba does not: to jieba each is a word by itself, and a wall between its neighbours.
_RARE_HAN = re.compile(r"([\u3400-\u4dbf\u9fd6-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
# Where letters and digits touch one of these, rjieba cuts otherwise than jieba (`jieba.finalseg.re_skip`).
_SYMBOL = re.compile(r"[+#&._%\-]")
_ASCII_BLOCK = re.compile(r"[a-zA-Z0-9+#&._%\-]+")
_ASCII_WORD = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")
# A block is what jieba looks at as one piece (`jieba.re_han_default`). Its time grows with the square of a block's
# length, so a longer one is handed over in pieces; rjieba's grows with the length, and needs no such bound.
_BLOCK_LENGTH = 1000
_BLOCK = re.compile(rf"([\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]{{1,{_BLOCK_LENGTH}}})")
# The logarithm of the likelihood that jieba's tagger gives what it has never seen.
_UNSEEN = -3.14e100
# Only the end of a long unknown word is needed to tell its part of speech.
_TAGGED_LENGTH = 16

_HAN_WORD = re.compile(r"[\u4e00-\u9fd5]+")
_NUMERAL = re.compile(r"[+-]?\d+(?:[.,:/-]\d+)*[%％‰]?")
_LATIN_WORD = re.compile(r"[^\W_]*[a-zA-Z\u00c0-\u024f]")

_DICTIONARY_LINE = re.compile(r"(?P<word>\S+)(?: (?P<frequency>[0-9]+))?(?: (?P<tag>[a-z]+))?")


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A user dictionary in jieba's own format: a line for each word, then its frequency and its tag if wanted.

    Two dictionaries are equal when their files are, byte for byte.
    """

    sha256: str
    entries: tuple[tuple[str, int | None, str | None], ...] = field(compare=False, repr=False)

    @classmethod
    def load(cls, path: Path | str) -> Dictionary:
        """Read a user dictionary, or say which line of it is wrong and what it should be.

        Raises OSError when the file cannot be read, ValueError naming file and line when it breaks the format.
        """
        data = Path(path).read_bytes()
        entries = []
        for number, raw in enumerate(data.splitlines(), start=1):
            try:
                line = raw.decode("utf-8").lstrip("\ufeff").strip()
            except UnicodeDecodeError:
                raise ValueError(f"{path}, line {number}: not UTF-8; save the dictionary as UTF-8") from None
            if not line:
                continue
            entry = _DICTIONARY_LINE.fullmatch(line)
            if entry is None:
                raise ValueError(
                    f"{path}, line {number}: {line!r} is no entry; write: word, then if wanted a frequency and a tag in "
                    "small letters, with one space between them"
                )
            frequency = entry["frequency"]
            entries.append((entry["word"], None if frequency is None else int(frequency), entry["tag"]))
        return cls(hashlib.sha256(data).hexdigest(), tuple(entries))


def segment(text: str, language: Language, dictionary: Dictionary | None = None) -> tuple[Sentence, ...]:
    """Return the sentences of a paragraph, each with its words, as spans that leave out nothing but white space.

    `language` is the article's: it decides how runs that could be either are read (numbers, a paragraph in two
    languages). `pos` is jieba's tag for the word by itself: that of its dictionary, else what its tagger makes of the
    word's end; `m` for numerals, `eng` for Latin words, `x` for punctuation and whatever else there is.

    >>> text = "他说Don't panic。5.2%是多少？"
    >>> for sentence in segment(text, "zh-Hans"):
    ...     print([(text[t.start : t.end], t.pos) for t in sentence.tokens])
    [('他', 'r'), ('说', 'v'), ("Don't", 'eng'), ('panic', 'eng'), ('。', 'x')]
    [('5.2%', 'm'), ('是', 'v'), ('多少', 'm'), ('？', 'x')]
    """
    return tuple(
        Sentence(start, end, _tokens(text[start:end], start, language, dictionary))
        for start, end in split_sentences(text, language)
    )


def language_of(text: str) -> Language:
    """Return the language of an article by its script: more Han characters than Latin words make it Chinese.

    Which Chinese, is told by whether GB2312 or Big5 holds more of its characters.

    >>> language_of("經濟全球化"), language_of("经济全球化"), language_of("It is called globalization, 全球化")
    ('zh-Hant', 'zh-Hans', 'en')
    """
    han = "".join(re.findall(r"[\u4e00-\u9fff]+", text))
    if len(han) < sum(1 for _ in re.finditer(r"[A-Za-z]+", text)):
        return "en"
    return "zh-Hant" if len(han.encode("big5", "ignore")) > len(han.encode("gb2312", "ignore")) else "zh-Hans"


def _tokens(sentence: str, offset: int, language: Language, dictionary: Dictionary | None) -> tuple[Token, ...]:
    known = _tags(dictionary).get
    tokens = []
    end = offset
    for word in _words(sentence, language, dictionary):
        start, end = end, end + len(word)
        if not word.isspace():
            tokens.append(Token(start, end, known(word) or _tag_unknown(word)))
    return tuple(tokens)


def _words(sentence: str, language: Language, dictionary: Dictionary | None) -> Iterable[str]:
    """Return the words of a sentence and the white space between them."""
    if not _ANY_CHINESE.search(sentence) and (language == "en" or _LETTER.search(sentence)):
        return _cut_latin(sentence)
    words = _cut_chinese(sentence, dictionary)
    runs = [
        run.span() for run in _OTHER_RUN.finditer(sentence) if language == "en" or _LETTER.search(sentence, *run.span())
    ]
    return _replace_runs(sentence, words, runs) if runs else words


def _replace_runs(sentence: str, words: list[str], runs: list[tuple[int, int]]) -> Iterator[str]:
    """Yield `words`, but for the runs of another script, which are cut by Unicode's rules.

    A run that shares a word with the Chinese around it (A股, T恤) is left as jieba cut it.
    """
    ends = set()
    end = 0
    for word in words:
        end += len(word)
        ends.add(end)
    kept = [(start, stop) for start, stop in runs if (start == 0 or start in ends) and stop in ends]
    position = 0
    pending = iter(kept)
    run = next(pending, None)
    for word in words:
        if run and position == run[0]:
            yield from _cut_latin(sentence[slice(*run)])
        position += len(word)
        if run is None or position <= run[0]:
            yield word
        elif position == run[1]:
            run = next(pending, None)


def _cut_latin(text: str) -> list[str]:
    return _latin_cutter()(text)


@cache
def _latin_cutter() -> Callable[[str], list[str]]:
    """Return what cuts a text by Unicode's word rules (UAX 29), white space apart.

    Two things are kept whole that those rules cut: an abbreviation with its last full stop, a number with its percent.
    Flags are matched first because the library counts back along a row of them for every one.
    """
    import regex

    find: Callable[[str], list[str]] = regex.compile(
        r"(?w)\s+|(?:\p{L}\.){2,}+(?!\w)|\d++(?:[.,]\d++)*+[%‰]|[\U0001f1e6-\U0001f1ff]{2}|\S+?\b|\S+"
    ).findall
    return find


def _cut_chinese(text: str, dictionary: Dictionary | None) -> list[str]:
    """Return exactly what `jieba.lcut` returns."""
    if dictionary is not None:
        return _cut_with(dictionary, text)
    if not _RARE_HAN.search(text):
        return _cut_fast(text)
    return [word for piece in _RARE_HAN.split(text) for word in _cut_fast(piece)]


def _cut_fast(text: str) -> list[str]:
    import rjieba

    words: list[str] = rjieba.cut(text)
    return list(_cut_symbols(words)) if _SYMBOL.search(text) else words


def _cut_symbols(words: list[str]) -> Iterator[str]:
    """Yield rjieba's words, but with letters, digits and symbols that touch cut as jieba cuts them."""
    known = _tags(None)
    touching = ""
    for word in words:
        if _ASCII_BLOCK.fullmatch(word) and word not in known:
            touching += word
            continue
        if touching:
            yield from filter(None, _ASCII_WORD.split(touching))
            touching = ""
        yield word
    yield from filter(None, _ASCII_WORD.split(touching))


def _cut_with(dictionary: Dictionary, text: str) -> list[str]:
    tokenizer, split_always = _tokenizer(dictionary)
    with _split_always(split_always):
        return [word for piece in _BLOCK.split(text) for word in tokenizer.cut(piece)]


@lru_cache(maxsize=1)
def _tokenizer(dictionary: Dictionary) -> tuple[jieba.Tokenizer, set[str]]:
    """Return a tokenizer that knows the dictionary, and the words it must never recognize (those of frequency 0).

    It is filled here, not by `initialize`, which would trust any `jieba.cache` that lies in the temporary directory.
    """
    tokenizer = _jieba().Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    with _split_always(set()) as split_always:
        for word, frequency, tag in dictionary.entries:
            tokenizer.add_word(word, frequency, tag)
    return tokenizer, split_always


_LOCK = threading.Lock()


@contextmanager
def _split_always(words: set[str]) -> Iterator[set[str]]:
    """Make `words` those that jieba splits wherever it recognizes them, for this dictionary alone.

    jieba keeps them in one global set, which would let one dictionary change what another cuts.
    """
    finalseg = _jieba().finalseg
    with _LOCK:
        before, finalseg.Force_Split_Words = finalseg.Force_Split_Words, words
        try:
            yield words
        finally:
            finalseg.Force_Split_Words = before


@lru_cache(maxsize=2)
def _tags(dictionary: Dictionary | None) -> Mapping[str, str]:
    """Return the part of speech of every word in jieba's dictionary, and in the user's."""
    with _jieba().dt.get_dict_file() as file:
        parts = file.read().decode().split()  # a word, how frequent it is, its tag
    tags = dict(zip(parts[::3], parts[2::3], strict=True))
    if dictionary is None:
        return tags
    return tags | {word: tag for word, _, tag in dictionary.entries if tag}


@lru_cache(maxsize=65536)
def _tag_unknown(word: str) -> str:
    """Return a part of speech for a word that no dictionary holds.

    A Han word has the tag that jieba's tagger gives its last part, for the head of a Chinese word comes last; when the
    tagger leaves the word whole, that is the tag of the word.
    """
    if _HAN_WORD.fullmatch(word):
        return _tag_of_end(word[-_TAGGED_LENGTH:])
    if _NUMERAL.fullmatch(word):
        return "m"
    return "eng" if _LATIN_WORD.match(word) else "x"


def _tag_of_end(word: str) -> str:
    """Return the tag of the last character in the likeliest reading of `word` by jieba's tagger.

    This is the forward half of `jieba.posseg.viterbi`, four times as fast, since it looks only at
    transitions that exist.
    """
    tagger = _tagger()
    emissions, states = tagger.emit_P, tagger.char_state_tab_P
    unseen = _UNSEEN
    before = _transitions_by_target()
    reached = {
        state: tagger.start_P[state] + emissions[state].get(word[0], unseen) for state in states.get(word[0]) or before
    }
    for character in word[1:]:
        step = {}
        for usual in (states.get(character, ()), before):
            for state in usual:
                sources = before[state]
                fewer = sources if len(sources) < len(reached) else reached
                arrivals = [
                    reached[source] + sources[source] for source in fewer if source in reached and source in sources
                ]
                if arrivals:
                    step[state] = max(arrivals) + emissions[state].get(character, unseen)
            if step:
                break
        reached = step
    _, (_, tag) = max((likelihood, state) for state, likelihood in reached.items())
    return str(tag)


@cache
def _transitions_by_target() -> dict[tuple[str, str], dict[tuple[str, str], float]]:
    """Return the tagger's transitions: by state, from which states it is reached, and how likely."""
    sources: dict[tuple[str, str], dict[tuple[str, str], float]] = {state: {} for state in _tagger().trans_P}
    for source, targets in _tagger().trans_P.items():
        for target, likelihood in targets.items():
            sources[target][source] = likelihood
    return sources


@cache
def _jieba() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pkg_resources is deprecated; jieba still looks for it
        import jieba
    jieba.setLogLevel(logging.WARNING)
    module: ModuleType = jieba
    return module


@cache
def _tagger() -> ModuleType:
    """Return jieba's tagger without its table of words, which it reads line by line, in three times the time of `_tags`."""
    tokenizer = _jieba().dt
    tokenizer.get_dict_file = BytesIO
    try:
        import jieba.posseg
    finally:
        del tokenizer.get_dict_file
    module: ModuleType = jieba.posseg
    return module
