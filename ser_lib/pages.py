"""How pages and notebooks show a table, the runs behind it, and what of it can be downloaded."""

import base64
import gzip
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ser_lib.wording import ABSENT, counted


@dataclass(frozen=True)
class Cell:
    """A cell of a shown table: its text; optionally a CSS class, where it links to, a name to link to, and a note."""

    text: str
    css: str = ""
    href: str = ""
    anchor: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.note}" if self.note else self.text


@dataclass(frozen=True)
class Shown:
    """A table as pages and notebooks show it: caption, no index, and the table as CSV; the same on every machine."""

    frame: pd.DataFrame
    caption: str
    source: str = ""
    """The runs behind it, said below; see :func:`ser_lib.provenance.behind`."""

    def __repr__(self) -> str:
        # Not padded: notebooks store this text beside the table, and a column of sentences would be spaces for most.
        rows = [self.frame.columns, *self.frame.itertuples(index=False)]
        lines = [self.caption, *(" | ".join(map(str, row)) for row in rows)]
        return "\n".join([*lines, self.source] if self.source else lines)

    def _repr_html_(self) -> str:
        columns = [(str(name), list(map(_cell, values))) for name, values in self.frame.items()]
        of_words = [_are_words(cell.text for cell in cells) for _, cells in columns]
        head = "".join(
            f'<th scope="col"{_alignment(words)}>{html.escape(name)}</th>'
            for (name, _), words in zip(columns, of_words, strict=True)
        )
        rows = zip(*(cells for _, cells in columns), strict=True)
        body = "".join(f"<tr>{''.join(map(_in_row, row, of_words))}</tr>" for row in rows)
        return (
            f'<div class="shown-table"><table class="dataframe table"><caption>{html.escape(self.caption)} '
            f"{download(self.frame, self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{_source(self.source)}</div>"
        )


def _cell(value: object) -> Cell:
    return value if isinstance(value, Cell) else Cell(str(value))


@dataclass(frozen=True)
class Source:
    """The runs behind a figure, as pages say it below; see :func:`ser_lib.provenance.behind`."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return _source(self.text)


def _in_row(cell: Cell, among_words: bool) -> str:
    """A cell of a table's body as HTML."""
    content = _content(cell.text)
    if cell.href:
        content = f'<a href="{html.escape(cell.href)}">{content}</a>'
    if cell.css:
        content = f'<span class="{cell.css}">{content}</span>'
    if cell.note:
        content += f"<br>{_content(cell.note)}"
    name = f' id="{html.escape(cell.anchor)}"' if cell.anchor else ""
    return f"<td{name}{_alignment(among_words)}>{content}</td>"


def _alignment(words: bool) -> str:
    """Numbers line up on the right, words on the left, and what heads words alone stands above them."""
    return ' class="words"' if words else ""


def _are_words(texts: Iterable[str]) -> bool:
    """Whether a column is one of words: it holds any that do not stand for a missing number.

    A number of some folds, "65.6 (2 folds)", or of a whole, "0 of 10", is a number; a digest is a word.
    """
    number = re.compile(r"[+−-]?[\d.]+ (\([^()]*\)|of \d+)")
    said = [text for text in texts if text not in ABSENT]
    return any(not number.fullmatch(text) and re.search(r"[^\W\d_]{2}|[\da-f]{12}", text) for text in said)


def _content(text: str) -> str:
    """Text as HTML: backticks hold code, numbers have a true minus, and intervals and per cent stay whole."""
    signed = re.sub(r"(?<![\w`-])-(?=\d)", "−", text)
    whole = re.sub(r"[\[(][^][()]{1,20}[])]|\d %", lambda bracket: bracket[0].replace(" ", "\u00a0"), signed)
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(whole))


def _source(text: str) -> str:
    return f'<p class="source">{html.escape(text)}</p>' if text else ""


def download(frame: pd.DataFrame, name: str, text: str = "CSV", packed: bool = False) -> str:
    """A link, in HTML, that holds a table as CSV; no other file is needed.

    Args:
        frame: the table; its index is left out.
        name: from which the file's name is made.
        text: what the link says.
        packed: whether the CSV is compressed (gzip, which pandas and R read as it is): the page grows with it.
    """
    file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") + ".csv"
    content, kind = frame.to_csv(index=False).encode(), "text/csv"
    if packed:
        file, content, kind = f"{file}.gz", gzip.compress(content, mtime=0), "application/gzip"
    data = base64.b64encode(content).decode()
    return f'<a class="csv" download="{file}" href="data:{kind};base64,{data}">{html.escape(text)}</a>'


@dataclass(frozen=True)
class Downloads:
    """Tables that can be downloaded from a page, as compressed CSV: what each is -> the table."""

    frames: Mapping[str, pd.DataFrame]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {counted(len(frame), 'row')}" for name, frame in self.frames.items())

    def _repr_html_(self) -> str:
        items = (
            f"<li>{download(frame, name, name, packed=True)} ({counted(len(frame), 'row')}, csv.gz)</li>"
            for name, frame in self.frames.items()
        )
        return f"<ul>{''.join(items)}</ul>"
