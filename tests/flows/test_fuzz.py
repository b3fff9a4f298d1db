"""Our own samples, spoiled at random: whatever comes of them has a name, and the good ones beside them are unharmed."""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from flows.batch import CHINESE, ENGLISH, page_of
from flows.read import WARM, WORK
from tasks.dataset import decode_tables
from tasks.document import Source
from tasks.guard import Batch, Guard, Limits
from tasks.instructions import Instructions

SAMPLES = Path(__file__).parents[2] / "raw" / "samples"
SETTINGS = {"instructions": Instructions().dump(), "fingerprint": {}, "pdf": True}
#: The words of a PDF's structure: swapped for one another they break it where random bytes would not.
WORDS = (
    b"/Kids", b"/Count", b"/Parent", b"/Contents", b"/Length", b"/Resources", b"/Font", b"/Encoding", b"/DW", b"/W", b" 2 0 R", b" 4 0 R",
    b" 3 0 R", b"endobj", b"stream", b"endstream", b"BT", b"ET", b"Tj", b"T*", b"<<", b">>", b"[", b"]", b"-1", b"99999999999", b"1e38",
)  # fmt: skip


def spoil(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with some of them changed, lost, doubled, moved, or a word of a PDF put in."""
    spoiled = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at, size = chance.randrange(len(spoiled) + 1), chance.choice([1, 1, 2, 8, 200])
        piece = bytes(spoiled[at : at + size])
        kind = chance.randrange(5)
        if kind == 0:
            spoiled[at : at + size] = chance.randbytes(len(piece))
        elif kind == 1:
            del spoiled[at : at + size]
        elif kind == 2:
            spoiled[at:at] = piece * chance.choice([1, 3, 50])
        elif kind == 3:
            to = chance.randrange(len(spoiled) + 1)
            spoiled[to:to] = piece
        else:
            spoiled[at : at + size] = chance.choice(WORDS)
    return bytes(spoiled)


def named(batch: Batch[dict[str, list[str]]]) -> dict[str, list[str]]:
    """Return what became of each source: nothing for those published, else the checks that rejected it."""
    found = {document.source.source: [reject.check for reject in document.rejects] for document in batch.rejected}
    for result in batch.results:
        found |= result
    return found


def decode(data: bytes, _: Sequence[Source]) -> dict[str, list[str]]:
    tables = decode_tables(data)
    found: dict[str, list[str]] = {name: [] for name in tables["sources"]["source"].to_pylist()}
    for row in tables["rejects"].select(["source", "check"]).to_pylist():
        found[row["source"]].append(row["check"])
    return found


def check_seed(seed: int, count: int, samples: Sequence[tuple[str, bytes]], place: Path) -> None:
    chance = random.Random(seed)
    sources = []
    for number in range(count):
        suffix, data = chance.choice(samples)
        path = place / f"{number:04d}{suffix}"
        path.write_bytes(spoil(data, chance) if number % 5 else data)
        sources.append(Source(path.name, str(path), path.stat().st_size, "0" * 64))
    limits = Limits(cpu_seconds=20, memory_bytes=512 << 20, wall_factor=30)
    with Guard(WORK, SETTINGS, decode, warm=WARM, limits=limits, workers=2) as guard:
        found = named(guard.run(sources))
    told = f"seed {seed}: {found}"
    assert found.keys() == {source.source for source in sources}, told
    assert not any(found[source.source] for source in sources[::5]), told
    assert not any("failed" in checks for checks in found.values()), told


SMALL = (
    (".txt", CHINESE.encode()),
    (".txt", CHINESE.encode("gb18030")),
    (".txt", ENGLISH.encode()),
    (".pdf", page_of(CHINESE)),
)


def test_spoiled_files_end_with_a_name(tmp_path: Path) -> None:
    check_seed(1, 60, SMALL, tmp_path)


@pytest.mark.long
def test_many_spoiled_files_end_with_a_name(tmp_path: Path) -> None:
    seed = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"FUZZ_SEED={seed} repeats this")
    whole = [(path.suffix, path.read_bytes()) for path in sorted(SAMPLES.iterdir()) if path.name != "truncated.pdf"]
    check_seed(seed, 1_000, [*SMALL, *whole], tmp_path)
