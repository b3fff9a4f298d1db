"""Which paragraph of a PDF's structure tree a character belongs to.

A tagged PDF marks its contents with numbers, and a tree over them says what they are: a paragraph, a heading. The tree
is asked from its leaves: the page's entry in the parent tree names the element of each mark, and a few steps up stands
the paragraph. So a page costs as much as it has marks, however large the tree is, and whatever its makers claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tasks.document import Element

#: Elements that are parts of a line or of nothing in particular: the paragraph stands above them.
_INLINE = frozenset(
    {"Span", "NonStruct", "Private", "Quote", "Link", "Reference", "Code", "Em", "Strong", "Sub", "Annot"}
)
#: No tree of a real paper needs more steps from a mark to its paragraph, or from the root of the parent tree to a page.
MOST_STEPS = 12
#: Nor more branches than this at one step.
MOST_BRANCHES = 10_000


class Marks:
    """What pdfplumber's collector of marked content forgets: a mark without a number is part of the one around it."""

    cur_mcid: Any = None
    around: tuple[Any, ...] = ()

    def begin_tag(self, tag: Any, props: Any = None) -> None:
        """Enter a mark, of whatever the file gives as its properties."""
        outer = self.cur_mcid
        self.around = (outer, self.around)
        super().begin_tag(tag, props)  # type: ignore[misc]
        if not isinstance(self.cur_mcid, int):
            self.cur_mcid = outer

    def end_tag(self) -> None:
        """Leave a mark; some files leave more than they enter."""
        super().end_tag()  # type: ignore[misc]
        self.cur_mcid, self.around = self.around or (None, ())


def elements(page: Any, marks: Iterable[int]) -> dict[int, Element]:
    """Return the paragraph, or the heading, that each mark (`mcid`) on a page of pdfplumber belongs to.

    A mark of which the file says nothing has none; nor has any where the file has no tree, or a broken one.
    """
    try:
        root = _resolved(page.pdf.doc.catalog.get("StructTreeRoot"))
        number = _resolved(page.page_obj.attrs.get("StructParents"))
        parents = _entry(root.get("ParentTree"), number) if isinstance(root, dict) else None
        if not isinstance(parents, list):
            return {}
        roles = _resolved(root.get("RoleMap"))
        found = {
            m: _block(parents[m], roles if isinstance(roles, dict) else {}) for m in marks if 0 <= m < len(parents)
        }
        return {mark: element for mark, element in found.items() if element is not None}
    except MemoryError:
        raise  # the guard knows what to make of it
    except Exception:  # noqa: BLE001  pdfminer raises errors of every kind, and the page can be read without its tree
        return {}


def _entry(tree: Any, number: Any) -> Any:
    """Return what a number tree holds under `number`: each branch says from where to where its numbers go."""
    for _ in range(MOST_STEPS if isinstance(number, int) else 0):
        node = _resolved(tree)
        if not isinstance(node, dict):
            return None
        numbers = _listed(node.get("Nums"))
        for key, value in zip(numbers[::2], numbers[1::2], strict=False):
            if _resolved(key) == number:
                return _resolved(value)
        tree = next((kid for kid in _listed(node.get("Kids")) if _spans(_resolved(kid), number)), None)
    return None


def _listed(value: Any) -> list[Any]:
    value = _resolved(value)
    return value[: 2 * MOST_BRANCHES] if isinstance(value, list) else []


def _spans(kid: Any, number: int) -> bool:
    limits = _listed(kid.get("Limits")) if isinstance(kid, dict) else []
    low, high = map(_resolved, limits) if len(limits) == 2 else (None, None)
    return isinstance(low, int) and isinstance(high, int) and low <= number <= high


def _block(reference: Any, roles: dict[str, Any]) -> Element | None:
    """Return the nearest element from `reference` upwards that is no part of a line."""
    for _ in range(MOST_STEPS):
        element, number = _resolved(reference), getattr(reference, "objid", None)
        role = _role(element.get("S"), roles) if isinstance(element, dict) else None
        if role is None or not isinstance(number, int):
            return None
        if role not in _INLINE:
            return Element(number, role)
        reference = element.get("P")
    return None


def _role(name: Any, roles: dict[str, Any]) -> str | None:
    """Return the standard name of an element's role, which the file may call otherwise."""
    own = getattr(_resolved(name), "name", None)
    for _ in range(MOST_STEPS):
        if not isinstance(own, str) or own not in roles:
            break
        own = getattr(_resolved(roles[own]), "name", None)
    return own if isinstance(own, str) else None


def _resolved(value: Any) -> Any:
    """Return what a reference leads to; pdfminer's own `resolve1` follows one that leads to itself for ever."""
    for _ in range(MOST_STEPS):
        if not hasattr(value, "resolve"):
            return value
        value = value.resolve()
    return None
