"""A sheet as HTML and CSS, for Chromium."""

from __future__ import annotations

from html import escape

from benchmarks.typesetting.articles import Article, Paragraph
from benchmarks.typesetting.layout import REGIONS, PageLayout, Sheet

TAGS = {"title": "h1", "subtitle": "h2", "byline": "h3", "heading": "h4"}
#: Kinds that stand above an article's columns, and not in them.
ABOVE = ("title", "subtitle", "byline")


def compose_html(sheet: Sheet, layout: PageLayout) -> str:
    """Return the HTML document of `sheet`; every measure of `layout` is in its style sheet."""
    sections = [_section(a, sheet, layout) for a in sheet.articles]
    if layout.arrangement == "sidebar" and len(sections) > 1:
        body = f"<main>{''.join(sections[:-1])}</main><aside>{sections[-1]}</aside>"
    elif layout.arrangement == "beside" and len(sections) > 1:
        half = (len(sections) + 1) // 2
        body = f"<main>{''.join(sections[:half])}</main><main>{''.join(sections[half:])}</main>"
    elif layout.arrangement == "flow":
        body = f"<div class=columns>{''.join(sections)}</div>"
    else:
        body = "".join(sections)
    return f"<!doctype html><html lang={sheet.language}><meta charset=utf-8><style>{_css(sheet, layout)}</style><body>{body}"


def _section(article: Article, sheet: Sheet, layout: PageLayout) -> str:
    above = [p for p in article["paragraphs"] if p["kind"] in ABOVE]
    inside = "".join(_paragraph(p, sheet) for p in article["paragraphs"] if p["kind"] not in ABOVE)
    if layout.arrangement != "flow":
        inside = f"<div class=columns>{inside}</div>"
    return f"<section>{''.join(_paragraph(p, sheet) for p in above)}{inside}</section>"


def _paragraph(paragraph: Paragraph, sheet: Sheet) -> str:
    kind, text = paragraph["kind"], escape(paragraph["text"])
    if kind == "caption":
        return f"<figure><div class=photo></div><figcaption>{text}</figcaption></figure>"
    tag = TAGS.get(kind, "p")
    spread = " spread" if paragraph["text"] in sheet.spread else ""
    return f'<{tag} class="{kind}{spread}">{text}</{tag}>'


def _css(sheet: Sheet, layout: PageLayout) -> str:
    font = layout.font(sheet.language)
    other = f"Noto {'Serif' if layout.sans else 'Sans'} CJK {REGIONS[sheet.language]}"
    columns = layout.columns
    head = (
        f'@top-{layout.head} {{ content: "{sheet.head}"; font: 9pt "{font}"; white-space: pre; }}' if sheet.head else ""
    )
    number = f'@bottom-center {{ content: counter(page); font: 9pt "{font}"; }}' if sheet.head else ""
    # Chromium fits two thirds of the columns beside a neighbour of the rest.
    body = {"beside": "display: grid; grid-template-columns: 3fr 2fr; gap: 24pt;",
            "sidebar": "display: grid; grid-template-columns: 7fr 3fr; gap: 18pt; align-items: start;"}  # fmt: skip
    photo = "float: right; width: 45%; margin: 2pt 0 2pt 8pt;" if layout.photo == "float" else "margin: 4pt 0;"
    return f"""
    @page {{ size: {layout.width}mm {layout.height}mm; margin: 18mm 15mm; {head} {number} }}
    html {{ font-family: "{font}"; font-size: {layout.size}pt; line-height: {layout.leading}; }}
    body {{ margin: 0; {body.get(layout.arrangement, "") if len(sheet.articles) > 1 else ""}
      {f"writing-mode: vertical-rl; height: {layout.height - 40}mm;" if layout.vertical else ""} }}
    section {{ margin-block-end: {"4pt" if layout.arrangement == "flow" else "18pt"}; }}
    {"section + section { border-block-start: .5pt solid #444; margin-block-start: -9pt; padding-block-start: 8.5pt; }" if layout.parted else ""}
    h1, h2, h3, h4 {{ margin: 0; font-size: 1em; font-weight: normal; text-align: center; text-wrap: balance; }}
    h1 {{ font-size: {1.5 if layout.arrangement == "flow" else 2.1}em; line-height: 1.25; font-weight: bold; margin-block: .3em; }}
    h2 {{ font-size: 1.3em; font-family: "{other}"; margin-block-end: .3em; }}
    h3 {{ margin-block-end: .6em; }}
    h4 {{ font-family: "{other}"; font-size: 1.1em; margin-block: .3em; break-after: avoid; }}
    .columns {{ column-count: {columns}; column-gap: {layout.gap}pt; {"column-rule: .5pt solid #444;" if layout.rule else ""} }}
    main + main .columns {{ column-count: {max(1, columns - 1)}; }}
    aside {{ border: .7pt solid #333; padding: 8pt; font-family: "{other}"; }} aside .columns {{ column-count: 1; }}
    aside h1 {{ font-size: 1.4em; }}
    p {{ margin: 0; margin-block-end: {layout.paragraph_gap}em; text-indent: {layout.indent}em; widows: 1; orphans: 1;
      text-align: {"justify" if layout.justify else "start"}; }}
    p.metadata {{ text-indent: 0; }} p.affiliation {{ font-family: "{other}"; }}
    .spread {{ text-align-last: justify; }}
    figure {{ {photo} break-inside: avoid; }} .photo {{ background: #bbb; block-size: 90pt; }}
    figcaption {{ font-size: .85em; font-family: "{other}"; }}
    """
