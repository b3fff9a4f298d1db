"""Pages for people, in which no text from a file or from the settings is markup, or drives what shows it."""

from __future__ import annotations

from typing import Any


def render(template: str, **values: Any) -> str:
    """Return the page that a template beside this file makes of these values: texts escaped, controls spelt out."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from flows.console import visible

    environment = Environment(
        loader=PackageLoader("flows", "."),
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,  # what a macro returns is markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
