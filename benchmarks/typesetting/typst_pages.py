"""A sheet as a Typst document."""

from __future__ import annotations

import json

from benchmarks.typesetting.articles import Article, Paragraph
from benchmarks.typesetting.html_pages import ABOVE
from benchmarks.typesetting.layout import REGIONS, PageLayout, Sheet

#: Columns of equal height: Typst fills the first before the second, so the height has to be measured beforehand, and
#: what a column may leave empty at its foot (`waste`) added.
BALANCED = """
#let balanced(n, gap, rule, waste, body) = if n == 1 { body } else {
  layout(size => {
    let width = (size.width - gap * (n - 1)) / n
    let height = measure(block(width: width, body)).height / n + waste
    block(height: height, width: 100%, {
      if rule { for k in range(1, n) { place(dx: (width + gap) * k - gap / 2, line(angle: 90deg, length: height, stroke: .5pt)) } }
      columns(n, gutter: gap, body)
    })
  })
}
"""


def compose_typst(sheet: Sheet, layout: PageLayout) -> str:
    """Return the Typst source of `sheet` by `layout`."""
    font = layout.font(sheet.language)
    lead = (layout.leading - 1) * layout.size
    region = {"SC": "cn", "TC": "tw"}[REGIONS[sheet.language]]
    head = f"header: align({layout.head}, text(size: 9pt, {_string(sheet.head)}))," if sheet.head else ""
    flow = f"columns: {layout.columns}," if layout.arrangement == "flow" else ""
    parts = [
        f"#set page(width: {layout.width}mm, height: {layout.height}mm, margin: (x: 15mm, y: 18mm), {head} {flow}",
        f"  footer: {'context align(center, counter(page).display())' if sheet.head else 'none'})",
        f"#set columns(gutter: {layout.gap}pt)",
        f'#set text(font: "{font}", size: {layout.size}pt, lang: "{sheet.language[:2]}", region: "{region}",',
        "  top-edge: .88em, bottom-edge: -.12em)",
        f"#set par(justify: {str(layout.justify).lower()}, leading: {lead}pt,",
        f"  spacing: {lead + layout.paragraph_gap * layout.size}pt,",
        f"  first-line-indent: (amount: {layout.indent}em, all: true))",
        "#let plain(body) = { set par(first-line-indent: 0em, justify: false); body }",
        BALANCED,
    ]
    contents = [_section(a, sheet, layout) for a in sheet.articles]
    gap = "#v(7pt)#line(length: 100%, stroke: .5pt)#v(7pt)\n" if layout.parted else "#v(14pt, weak: true)\n"
    if layout.arrangement in ("beside", "sidebar") and len(contents) > 1:
        half = (len(contents) + 1) // 2 if layout.arrangement == "beside" else len(contents) - 1
        first, second = gap.join(contents[:half]), gap.join(contents[half:])
        if layout.arrangement == "sidebar":
            second = f"#rect(width: 100%, stroke: .7pt, inset: 8pt)[{second}]"
        shares = "3fr, 2fr" if layout.arrangement == "beside" else "7fr, 3fr"
        parts.append(f"#grid(columns: ({shares}), gutter: 20pt, [{first}], [{second}])")
    else:
        parts.append(gap.join(contents))
    return "\n".join(parts)


def _section(article: Article, sheet: Sheet, layout: PageLayout) -> str:
    above = "".join(_paragraph(p, sheet, layout) for p in article["paragraphs"] if p["kind"] in ABOVE)
    inside = "".join(_paragraph(p, sheet, layout) for p in article["paragraphs"] if p["kind"] not in ABOVE)
    if layout.arrangement == "flow":
        return above + inside
    last_of_sidebar = layout.arrangement == "sidebar" and article is sheet.articles[-1] and len(sheet.articles) > 1
    in_second = layout.arrangement == "beside" and article in sheet.articles[(len(sheet.articles) + 1) // 2 :]
    columns = 1 if last_of_sidebar else max(1, layout.columns - in_second)
    kinds = {p["kind"] for p in article["paragraphs"]}
    waste = (
        layout.leading * layout.size * (2.6 if "heading" in kinds else 1) + (100 if "caption" in kinds else 0) / columns
    )
    return f"{above}#balanced({columns}, {layout.gap}pt, {str(layout.rule).lower()}, {waste}pt)[{inside}]\n"


def _paragraph(paragraph: Paragraph, sheet: Sheet, layout: PageLayout) -> str:
    kind, text = paragraph["kind"], _string(paragraph["text"])
    other = f"Noto {'Serif' if layout.sans else 'Sans'} CJK {REGIONS[sheet.language]}"
    titled = 1.5 if layout.arrangement == "flow" else 2
    set_ = {
        "title": f'#plain(align(center, text(size: {titled}em, weight: "bold", {text})))',
        "subtitle": f'#plain(align(center, text(size: 1.3em, font: "{other}", {text})))',
        "byline": f"#plain(align(center, text({text})))",
        "heading": f'#block(sticky: true, plain(align(center, text(size: 1.1em, font: "{other}", {text}))))',
        "metadata": f"#plain(text({text}))",
        "affiliation": f'#par(text(font: "{other}", {text}))',
        "caption": "#block(breakable: false, plain({ rect(width: 100%, height: 80pt, fill: luma(180), stroke: none);"
        f' v(3pt, weak: true); text(size: .85em, font: "{other}", {text}) }}))',
    }
    return set_.get(kind, f"#par(text({text}))") + "\n\n"


def _string(text: str) -> str:
    """Return `text` as a Typst string literal, so that nothing in it is markup."""
    return json.dumps(text, ensure_ascii=False)
