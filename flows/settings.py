"""What can be set, where it is set, and what is said of a setting that does not exist.

A value is taken from the first place that has it: the command line, the environment (`WENLIU_WORKERS`,
`WENLIU_RETENTION__RELEASES`), the settings file (`wenliu.toml`), the default below. Relative paths count from the
directory in which the command runs.
"""

from __future__ import annotations

import codecs
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from tasks.document import Direction, Language, Opening

FILE = Path("wenliu.toml")
PREFIX = "WENLIU_"
#: Environment variables of the command line itself, which are no settings.
OF_THE_COMMAND = frozenset({"WENLIU_SETTINGS", "WENLIU_DEBUG"})

MIB, TIB = 1 << 20, 1 << 40
DAY = 24 * 60 * 60


class WrongSettings(Exception):
    """The settings, or a path that they name, cannot be used; the message is one line that says where and what."""


def _cpus() -> int:
    """Return how many processors this process may use: in a container often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retention(_Section):
    """Which releases stay: the newest `releases` of them, and any younger than `hours`."""

    releases: Annotated[int, Field(ge=1)] = 10
    hours: Annotated[float, Field(ge=0)] = 24.0


class Limits(_Section):
    """What one source may use before it is rejected, so that none can stop or starve the others (`tasks.guard`).

    The `ocr_` ones hold for a child that reads scans: it needs ten CPU-seconds a page, and a gibibyte before it begins.
    """

    cpu_seconds: Annotated[int, Field(ge=1, le=DAY)] = 60
    memory_bytes: Annotated[int, Field(ge=256 * MIB, le=TIB)] = 1_024 * MIB
    output_bytes: Annotated[int, Field(ge=1 * MIB, le=TIB)] = 256 * MIB
    wall_factor: Annotated[float, Field(ge=1, le=1_000)] = 5.0
    ocr_cpu_seconds: Annotated[int, Field(ge=1, le=DAY)] = 240
    ocr_memory_bytes: Annotated[int, Field(ge=1_024 * MIB, le=TIB)] = 3_072 * MIB


class Alerts(_Section):
    """Who is told what is the matter: addresses as Apprise has them, with secrets as `flows.alerts` finds them.

    What was told is told again after `cooldown_hours` if it still is the matter.
    """

    channels: tuple[SecretStr, ...] = ()
    cooldown_hours: Annotated[float, Field(ge=0)] = 24.0


class Folder(_Section):
    """What is set for the sources of one folder; what is left out holds as for all, or as the files say."""

    publisher: Annotated[str, Field(pattern=r"\S")] | None = None
    language: Language | None = None
    encoding: str | None = None
    direction: Direction | None = None
    opening: Opening | None = None
    expectations: Mapping[str, float] = Field(default_factory=dict)

    @property
    def reading(self) -> dict[str, Any]:
        """What of it changes how its sources are read: a change reads them again."""
        return self.model_dump(exclude={"expectations"}, exclude_none=True)


class Settings(BaseSettings):
    """Everything a run depends on besides its raw files.

    >>> Settings(workers=2).retention.releases
    10
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=None
    )

    raw: Path = Path("raw")
    processed: Path = Path("processed")
    workers: Annotated[int, Field(ge=1)] = Field(default_factory=_cpus)
    batch_bytes: Annotated[int, Field(ge=1)] = 1_500_000
    dictionary: Path | None = None
    encoding: str | None = None
    ocr: Literal["auto", "off"] = "auto"
    accepted: Path = Path("accepted.toml")
    corrections: Path = Path("corrections.toml")
    log: Literal["text", "json"] = "text"
    retention: Retention = Retention()
    limits: Limits = Limits()
    alerts: Alerts = Alerts()
    expectations: Mapping[str, float] = Field(default_factory=dict)
    grades: Mapping[str, Literal["error", "warning", "info"]] = Field(default_factory=dict)
    folders: Mapping[str, Folder] = Field(default_factory=dict)

    @property
    def reads_scans(self) -> bool:
        """Whether scanned pages are read: where the extra `ocr` is installed, and not turned off."""
        from tasks.read.ocr import is_installed

        return self.ocr == "auto" and is_installed()

    @property
    def file(self) -> Path | None:
        """The settings file that was read, if there was one."""
        file = self.model_config.get("toml_file")
        return file if isinstance(file, Path) and file.is_file() else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the places a value may come from, the strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(file: Path | None = None, **given: Any) -> Settings:
    """Return the settings in force, or raise `WrongSettings` with the one line that tells what to mend.

    `file` is the settings file asked for (`wenliu.toml` of this directory, if there is one, when None); `given` are
    values from the command line, of which those that are None count as not given.
    """
    if file is not None and not file.is_file():
        raise WrongSettings(f"{file}: there is no such settings file")
    path = file or FILE
    from_file = _parse(path)
    _refuse_unknown_variables()

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        settings = FromFile(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise WrongSettings(_first_line(error, path, from_file)) from None
    if settings.expectations:
        _refuse_unknown_thresholds(path, settings.expectations)
    if settings.grades:
        _refuse_fixed_grades(path, settings.grades)
    if settings.dictionary is not None and not settings.dictionary.is_file():
        raise WrongSettings(f"{settings.dictionary}: the setting `dictionary` names no file")
    if settings.encoding is not None and not _is_encoding(settings.encoding):
        raise WrongSettings(f"{settings.encoding}: the setting `encoding` names no encoding, such as utf-8 or gb18030")
    for name, folder in settings.folders.items():
        _refuse_wrong_folder(path, name, folder)
    return settings


def _refuse_wrong_folder(path: Path, name: str, folder: Folder) -> None:
    where = f"{path}: folders.{name}"
    if name != PurePosixPath(name).as_posix() or name.startswith(("/", ".")) or ".." in PurePosixPath(name).parts:
        raise WrongSettings(f"{where}: no folder of raw/; write its path from there, such as 人民日报 or 人民日报/2024")
    if folder.encoding is not None and not _is_encoding(folder.encoding):
        raise WrongSettings(f"{where}.encoding: {folder.encoding} is no encoding, such as utf-8 or gb18030")
    if folder.expectations:
        from expectations.suites import BY_FOLDER  # late, as below

        for threshold in folder.expectations.keys() - BY_FOLDER:
            known = _nearest(threshold, BY_FOLDER)
            raise WrongSettings(f"{where}.expectations.{threshold}: no threshold that a folder may have{known}")


def _is_encoding(name: str) -> bool:
    try:
        return bool(codecs.lookup(name).name)
    except LookupError:
        return False


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WrongSettings(f"{path}: the settings file cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongSettings(f"{path}: not valid TOML: {error}") from None


def _refuse_unknown_variables() -> None:
    """Refuse `WENLIU_WORKRES=4`, which pydantic would pass over in silence."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | OF_THE_COMMAND
    for variable in os.environ:
        if variable.upper().startswith(PREFIX) and variable.upper().split("__")[0] not in known:
            raise WrongSettings(f"environment variable {variable}: unknown setting{_nearest(variable.upper(), known)}")


def _refuse_unknown_thresholds(path: Path, given: Mapping[str, float]) -> None:
    from expectations.suites import THRESHOLDS  # late, for it brings the schemas and with them pyarrow

    for name in given.keys() - THRESHOLDS.keys():
        raise WrongSettings(f"{path}: expectations.{name}: unknown threshold{_nearest(name, THRESHOLDS)}")


def _refuse_fixed_grades(path: Path, given: Mapping[str, str]) -> None:
    from expectations.suites import GRADED  # late, as above

    for name in given.keys() - GRADED:
        raise WrongSettings(f"{path}: grades.{name}: no check whose grade can be set{_nearest(name, GRADED)}")


def _first_line(error: ValidationError, path: Path, from_file: Mapping[str, Any]) -> str:
    """Tell the first thing wrong in one line: the place, the key, and what it may be."""
    first = error.errors()[0]
    keys = [str(key) for key in first["loc"]]
    name = ".".join(keys)
    where = f"{path}: {name}" if _has(from_file, keys) else f"{name} (environment or command line)"
    if first["type"] != "extra_forbidden":
        got = "" if "channels" in keys else f" (got {first['input']!r})"  # an address holds secrets
        return f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}{got}"
    section: type[BaseModel] = Settings
    for key in keys[:-1] if keys[0] != "folders" else ():
        section = section.model_fields[key].annotation  # type: ignore[assignment]
    if keys[0] == "folders":
        section = Folder
    return f"{where}: unknown setting{_nearest(keys[-1], section.model_fields)}"


def _has(values: Mapping[str, Any], keys: Iterable[str]) -> bool:
    found: Any = values
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = found[key]
    return True


def _nearest(key: str, valid: Iterable[str]) -> str:
    """Say which valid key was probably meant.

    >>> _nearest("workres", ["raw", "workers"])
    '; did you mean `workers`?'
    """
    near = difflib.get_close_matches(key, list(valid), n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(f'`{name}`' for name in sorted(valid))}"
