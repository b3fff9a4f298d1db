"""How each source is to be read: what the settings say of all, of its folder, and what was corrected in it by hand.

What holds for one source alone is part of that source's fingerprint alone, so that a change reads no other again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tasks.document import Direction, Language, Opening, Source

if TYPE_CHECKING:
    from tasks.corrections import Correction


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may set about reading: plain values, so that they reach a child process as JSON.

    `dictionary` is the path of a user dictionary in jieba's format, `encoding` the encoding of text files where it is
    known; `publisher` and `language` are those of every article; `direction` is that of a page's lines, `opening` what
    shows where paragraphs of running text begin. None lets the file itself say. `ocr` says whether pages that are only
    pictures are read, for which the extra of that name has to be installed.
    """

    dictionary: str | None = None
    encoding: str | None = None
    publisher: str | None = None
    language: Language | None = None
    direction: Direction | None = None
    opening: Opening | None = None
    ocr: bool = False


DEFAULT = Options()


def folder_of(source: str, folders: Collection[str]) -> str | None:
    """Return the longest of the folders that a source lies in, at whatever depth; None where it lies in none.

    >>> folder_of("rmrb/2024/0501.pdf", ["rmrb", "rmrb/2024", "rmrb/20"])
    'rmrb/2024'
    """
    around = [folder for folder in folders if source.startswith(f"{folder}/")]
    return max(around, key=len, default=None)


@dataclass(frozen=True, slots=True)
class Instructions:
    """What holds for all sources, what for those of a folder by its path under raw/, and the corrections by source."""

    options: Options = DEFAULT
    folders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    corrections: Mapping[str, Sequence[Correction]] = field(default_factory=dict)

    def options_for(self, source: str) -> Options:
        """Return the options that a source is read with: those of the longest folder around it before those of all.

        >>> orders = Instructions(folders={"wanbao": {"publisher": "临江晚报"}})
        >>> orders.options_for("wanbao/a.txt").publisher, orders.options_for("a.txt").publisher
        ('临江晚报', None)
        """
        folder = folder_of(source, self.folders)
        return replace(self.options, **self.folders[folder]) if folder else self.options

    def corrections_for(self, source: Source) -> tuple[Correction, ...]:
        """Return the entries that hold for a source as its bytes are."""
        return tuple(c for c in self.corrections.get(source.source, ()) if c.sha256 == source.sha256)

    def own(self, source: Source) -> dict[str, str]:
        """Return what is particular to how a source is read, hashed: nothing for most."""
        found = {}
        if folder := folder_of(source.source, self.folders):
            settings = json.dumps(dict(self.folders[folder]), sort_keys=True)
            found["folder"] = hashlib.sha256(settings.encode()).hexdigest()[:16]
        if corrections := self.corrections_for(source):
            from tasks.corrections import digest

            found["correction"] = digest(corrections)
        return found

    def dump(self) -> dict[str, Any]:
        """Return the whole as plain values, fit for JSON; `load` makes it again."""
        return {
            "options": asdict(self.options),
            "folders": {name: dict(settings) for name, settings in self.folders.items()},
            "corrections": {
                source: [c.model_dump(mode="json", exclude_none=True) for c in corrections]
                for source, corrections in self.corrections.items()
            },
        }

    @classmethod
    def load(cls, plain: Mapping[str, Any]) -> Instructions:
        """Return the instructions that `dump` wrote."""
        corrections = {}
        if plain["corrections"]:  # pydantic, which validates them, is a tenth of what a process that reads loads
            from tasks.corrections import Correction

            corrections = {
                source: tuple(map(Correction.model_validate, entries))
                for source, entries in plain["corrections"].items()
            }
        return cls(Options(**plain["options"]), plain["folders"], corrections)
