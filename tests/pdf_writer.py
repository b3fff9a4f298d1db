"""PDFs for tests, written operator by operator."""


def pdf(*contents: str) -> bytes:
    """Return a PDF with a page for each content stream, 400 by 400 points, with Helvetica as /F."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(contents)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>"]
    font = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    for n, content in enumerate(contents):
        page = f"/MediaBox [0 0 400 400] /Contents {4 + 2 * n} 0 R /Resources << {font} >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {page} >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
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
