"""Known articles set as newspaper pages and wrapped texts, so that what a reader recovers can be judged.

articles.py     stories as written, dressed as a paper prints them: the gold
layout.py       page designs, drawn at random or written down
html_pages.py   a sheet for Chromium (browser.py keeps it open)
typst_pages.py  a sheet for Typst
pages.py        stories -> PDF and gold; were any characters lost or overprinted on the way?
wrap.py         stories -> hard-wrapped text and gold
dumps.py        a page as other programs dump it, or drawn again from the top down
cases.py        whole sets; `python -m benchmarks.typesetting STORIES.jsonl DIRECTORY` writes one
"""
