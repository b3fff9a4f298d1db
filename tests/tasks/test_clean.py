"""What cleaning undoes, and what it must leave as the author wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import clean
from tasks.clean import RULES, is_wide, joint
from tasks.document import count_chars

#: For every rule: a line that it repairs and how, and a line that looks alike and must stay.
CASES = [
    ("lay_vertical_forms", "︽河埠︾︵下︶", "《河埠》（下）", "《河埠》（下）"),
    ("lower_ellipsis", "船走了⋯⋯", "船走了……", "1, 2, ⋯, n"),
    ("unify_radicals", "⻓⼯", "长工", "长工与部首（⿰）"),
    ("unify_compatibility", "\uf914，（乐）", "樂，（乐）", "樂，（ＡＢＣ）１２"),
    ("drop_invisible", "堤\u200b岸\u00ad上\ufeff", "堤岸上", "堤岸\u3000上"),
    ("narrow_spaces", "　　堤岸\u00a0 上　", "堤岸 上", "堤岸 上"),
    ("close_letter_spacing", "堤 岸 上 的 灯 。", "堤岸上的灯。", "本报记者 林 晓 高 远"),
    ("close_letter_spacing", "堤岸上 的 灯 。", "堤岸上的灯。", "守住底线 放开手脚"),
    ("close_letter_spacing", "两岸的文 化 诗 篇 。", "两岸的文化诗篇。", "文/图 林 晓 高 远"),
    ("close_letter_spacing", "一 二 三", "一二三", "A B C D"),
]


@pytest.mark.parametrize(("rule", "raw", "cleaned", "kept"), CASES)
def test_rule(rule: str, raw: str, cleaned: str, kept: str) -> None:
    apply = getattr(clean, rule)
    assert apply in RULES
    assert apply(raw) == cleaned
    assert apply(kept) == kept
    assert rule == "drop_invisible" or count_chars(raw) == count_chars(cleaned), "that rule alone is blamed for a loss"


def test_every_rule_has_a_case() -> None:
    without = {rule.__name__ for rule in RULES} - {rule for rule, *_ in CASES}
    assert not without, f"add to CASES a line that it repairs and one that must stay: {', '.join(without)}"


#: Two line ends, what goes and what comes between them, and other words of the same text.
JOINTS = [
    ("堤岸", "上的灯", (0, ""), ""),
    ("in the", "valley", (0, " "), ""),
    ("eco-", "nomic", (1, ""), ""),
    ("state-", "ment", (1, ""), ""),
    ("market-", "ing", (1, ""), ""),
    ("in-", "creased", (1, ""), ""),
    ("low-", "priced", (0, ""), ""),
    ("medium-", "sized", (0, ""), ""),
    ("market-", "oriented", (0, ""), ""),
    ("under-", "stood", (1, ""), ""),
    ("tide-", "mill", (0, ""), "tide-mill"),
    ("cross-", "roads", (1, ""), "crossroads"),
    ("2019-", "2023", (0, ""), ""),
    ("Anglo-", "Saxon", (0, ""), ""),
    ("增长 5", "%，高于", (0, ""), ""),
    ("", "堤岸", (0, ""), ""),
]


@pytest.mark.parametrize(("left", "right", "expected", "words"), JOINTS)
def test_joint(left: str, right: str, expected: tuple[int, str], words: str) -> None:
    assert joint(left, right, words=frozenset(words.split())) == expected


@pytest.mark.parametrize(("left", "right"), [("eco-", "nomic"), ("long-", "term"), ("http://a.example/2025/", "1")])
@pytest.mark.parametrize("before", ["https://b.example/ ", "well-"])
def test_what_stands_far_before_a_line_end_does_not_matter(before: str, left: str, right: str) -> None:
    assert joint(before + "渡口" * 2000 + " " + left, right) == joint(left, right)


def test_joint_sets_the_authors_space_between_chinese_and_latin() -> None:
    assert joint("总量和", "GDP", spaced=True) == (0, " ")
    assert joint("总量和", "GDP") == (0, "")
    assert joint("总量，", "GDP", spaced=True) == (0, "")


@given(st.text(alphabet=st.sampled_from("堤岸灯，。“”（）⋯…AB 　\u00a01\t-⻓︽"), max_size=30))
def test_clean_keeps_every_character_that_can_be_seen(line: str) -> None:
    cleaned, fixes = clean.clean(line)
    assert len("".join(cleaned.split())) == len("".join(line.split()))
    assert not any(is_wide(a) and b == " " == c for a, b, c in zip(cleaned, cleaned[1:], cleaned[2:], strict=False))
    assert bool(fixes) or "".join(cleaned.split()) == "".join(line.split())


@given(st.text(max_size=40))
def test_clean_settles(line: str) -> None:
    once, _ = clean.clean(line)
    assert clean.clean(once)[0] == once or once.count(" ") > 1
