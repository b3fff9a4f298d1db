"""PDFs for tests, written operator by operator."""

from collections.abc import Sequence


def pdf(*contents: str, tree: Sequence[str] = ()) -> bytes:
    """Return a PDF with a page for each content stream, 400 by 400 points, with Helvetica as /F.

    `tree` are the objects of a structure tree, its root first; with one page it is number 5.
    """
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(contents)))
    tagged = f"/StructTreeRoot {3 + 2 * len(contents)} 0 R" if tree else ""
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {tagged} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>",
    ]
    font = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    for n, content in enumerate(contents):
        page = f"/MediaBox [0 0 400 400] /Contents {4 + 2 * n} 0 R /Resources << {font} >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R /StructParents {n} {page} >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    objects += tree
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    return out + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()


def show(x: float, y: float, text: str, size: float = 10) -> str:
    return f"BT /F {size} Tf {x} {y} Td {text if text.startswith('[') else f'({text}) Tj'} ET\n"
