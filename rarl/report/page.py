"""A table's Markdown as a page of its own, for the workflow's report. Imports no torch."""

from markdown_it import MarkdownIt

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60em; margin: 2em auto; }
h1 { font-size: 1.3em; }
table { border-collapse: collapse; margin: 1.5em 0; }
th, td { padding: .4em 1em; border-bottom: 1px solid #ddd; }
thead th { border-bottom: 2px solid #222; }
ul, p { color: #555; font-size: .9em; }
"""


def html(markdown: str) -> str:
    """Its first line, a heading, is the title, too. Raw HTML in it is shown, not obeyed."""
    title = markdown.partition("\n")[0].removeprefix("# ")
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    escaped = title.replace("&", "&amp;").replace("<", "&lt;")
    head = f'<meta charset="utf-8"><title>{escaped}</title><style>{STYLE}</style>'
    return f"<!doctype html>\n<html><head>{head}</head>\n<body>\n{body}</body></html>\n"
