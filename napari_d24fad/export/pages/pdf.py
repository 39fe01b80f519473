"""Report pages as PDF: a page of A4 for each case, however much there is to say."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    KeepInFrame,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.pages.page import Page, Row
from napari_d24fad.export.pages.pictures import Picture

_MARGIN, _FOOT = 12 * mm, 16 * mm
_WIDTH, _HEIGHT = A4[0] - 2 * _MARGIN, A4[1] - _MARGIN - _FOOT
_MOST_SLICES, _LONGEST_NOTE = 4, 240
_MOST_ROWS, _FEW_ROWS, _SHEET_ROWS = 12, 6, 2
_COLUMNS = 8
_FONTS = {"Report": "DejaVuSans.ttf", "Report-Bold": "DejaVuSans-Bold.ttf"}

_TEXT = ParagraphStyle("text", fontName="Report", fontSize=7.5, leading=9.6)
_BOLD = ParagraphStyle("bold", _TEXT, fontName="Report-Bold")
_SAID = ParagraphStyle("said", _TEXT, fontSize=10, leading=13)
_TITLE = ParagraphStyle("title", _BOLD, fontSize=15, leading=18)
_NOTICE = ParagraphStyle("notice", _BOLD, fontSize=9.5, leading=18, alignment=2)
_CAPTION = ParagraphStyle("caption", _TEXT, fontSize=7, leading=8.5)
_CENTRED = ParagraphStyle("centred", _CAPTION, alignment=1)
_RULE = ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black)
_PLAIN = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0)]
_TIGHT = [*_PLAIN, ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0)]


def pdf_of(pages: Sequence[Page]) -> bytes:
    """Returns the file. It states no date and no author, so that equal pages make equal files."""
    for name, file in _FONTS.items():  # they know Greek and Cyrillic, which notes may be written in
        pdfmetrics.registerFont(TTFont(name, str(Path(mpl.get_data_path(), "fonts", "ttf", file))))
    content = io.BytesIO()
    document = BaseDocTemplate(content, pagesize=A4, title="Anomaly report", author="", invariant=1)
    frame = Frame(_MARGIN, _FOOT, _WIDTH, _HEIGHT, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(frames=[frame], onPage=_foot)])
    story: list[Flowable] = []
    for page in pages:
        fitting = next((each for each in _fittings(page) if _height(_story(page, *each)) < _HEIGHT), (1, 0))
        # Shrunk only if notes or warnings are so long that nothing else helps.
        whole = KeepInFrame(_WIDTH, _HEIGHT - 1, _story(page, *fitting), mode="shrink")
        story += [whole, PageBreak()]
    document.build(story[:-1])
    return content.getvalue()


def _foot(canvas: Any, document: Any) -> None:
    canvas.setFont("Report", 7.5)
    canvas.drawString(_MARGIN, 9 * mm, "Read by: ____________________________    Date: ________________")
    canvas.setFont("Report-Bold", 7.5)
    canvas.drawRightString(A4[0] - _MARGIN, 9 * mm, f"{NOTICE} Page {document.page}")


def _fittings(page: Page) -> Iterator[tuple[int, int]]:
    """Yields how many findings and rows of small slices a page could have, the best first.

    Findings matter more, but for the last of many; the HTML has all.
    """
    most, few = min(len(page.rows), _MOST_ROWS), min(len(page.rows), _FEW_ROWS)
    for sheet in range(_SHEET_ROWS, -1, -1):
        yield from ((rows, sheet) for rows in range(most, few - 1, -1))
    yield from ((rows, 0) for rows in range(few - 1, 0, -1))


def _height(story: Sequence[Flowable]) -> float:
    return float(sum(each.wrap(_WIDTH, _HEIGHT)[1] for each in story))


def _story(page: Page, most_rows: int, sheet_rows: int) -> list[Flowable]:
    head = Table(
        [[Paragraph("Anomaly report", _TITLE), Paragraph(NOTICE, _NOTICE)]], [_WIDTH / 2] * 2, hAlign="LEFT"
    )
    head.setStyle([*_TIGHT, ("BOTTOMPADDING", (0, 0), (-1, -1), 4), _RULE])
    story: list[Flowable] = [head, Spacer(0, 2 * mm), _paragraph(page.title, _BOLD), Spacer(0, 1.5 * mm)]
    story += [_paragraph(" ".join(page.statement), _SAID), Spacer(0, 2.5 * mm)]
    story += _key_slices(page)
    if page.colours is not None:
        story += [_colours(page.colours), Spacer(0, 2 * mm)]
    if page.rows:
        story += [*_findings(page.rows, most_rows), Spacer(0, 2 * mm)]
    if page.measured:
        said = f"Measured beside the findings: {'; '.join(page.measured)}."
        story += [_paragraph(said), Spacer(0, 2 * mm)]
    story += _sheet(page, sheet_rows)
    limited = [_paragraph("What limits this", _BOLD), *map(_item, page.limits)]
    if page.warnings:
        limited += [_paragraph("Warnings", _BOLD), *map(_item, page.warnings)]
    numbered = [_paragraph(each) for each in page.references]
    made = [_paragraph(f"{name}: {words}") for name, words in page.made]
    compared = [_paragraph("References, marked as normal by the reader", _BOLD), *numbered]
    both = Table(
        [[limited, [*compared, _paragraph("Made with", _BOLD), *made]]], [_WIDTH / 2] * 2, hAlign="LEFT"
    )
    both.setStyle([*_TIGHT, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("RIGHTPADDING", (0, 0), (0, 0), 4 * mm)])
    return [*story, both]


def _key_slices(page: Page) -> list[Flowable]:
    shown = page.key_slices[:_MOST_SLICES]
    if not shown:
        return []
    columns = min(2, len(shown))
    alone = 92 * mm if not page.sheet else 70 * mm  # the whole width for a single image
    width, height = (alone, alone) if columns == 1 else (45 * mm, (56 if len(shown) < 3 else 42) * mm)
    pairs = []
    for plain, marked in shown:
        images = [_fitted(plain, width, height), _fitted(marked, width, height)]
        pair = Table(
            [images, [_paragraph(marked.caption, _CAPTION), ""]],
            [images[0].drawWidth + 0.7 * mm] * 2,
            hAlign="LEFT",
        )
        pair.setStyle([*_TIGHT, ("SPAN", (0, 1), (1, 1)), ("TOPPADDING", (0, 1), (1, 1), 1.5)])
        pairs.append(pair)
    rows = [pairs[at : at + columns] for at in range(0, len(pairs), columns)]
    rows[-1] += [""] * (columns - len(rows[-1]))
    table = Table(rows, [_WIDTH / columns] * columns, hAlign="LEFT")
    table.setStyle([*_PLAIN, ("VALIGN", (0, 0), (-1, -1), "TOP")])
    more = len(page.key_slices) - len(shown)
    told = [_paragraph(f"{more} more in the HTML report.", _CAPTION)] if more else []
    return [table, *told]


def _colours(bar: Picture) -> Flowable:
    table = Table(
        [["Map:", Image(io.BytesIO(bar.png), 45 * mm, 2.6 * mm), _paragraph(bar.caption, _CAPTION)]]
    )
    table.setStyle([*_TIGHT, ("FONT", (0, 0), (0, 0), "Report", 7), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    table._argW = [9 * mm, 47 * mm, _WIDTH - 56 * mm]
    return table


def _findings(rows: Sequence[Row], most: int) -> list[Flowable]:
    columns = [
        ("No.", 8, [str(row.number) for row in rows]),
        ("Verdict", 18, [row.verdict for row in rows]),
        ("Where", 30, [row.where for row in rows]),
        ("Size", 32, [row.size for row in rows]),
        ("Map value", 34, [row.score for row in rows]),
        ("Departs from the references", 48, [row.departs for row in rows]),
        ("Remarks", 36, [_remarks(row) for row in rows]),
    ]
    used = [each for each in columns if any(each[2])]
    total = sum(width for _, width, _ in used)
    lines = [[_paragraph(name, _BOLD) for name, _, _ in used]]
    lines += [[_paragraph(texts[at]) for *_, texts in used] for at in range(min(most, len(rows)))]
    table = Table(lines, [width * _WIDTH / total for _, width, _ in used], hAlign="LEFT")
    table.setStyle(
        [
            _RULE,
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
    )
    more = len(rows) - most
    if more <= 0:
        return [table]
    return [table, _paragraph(f"{more} more in findings.csv and in the HTML report.", _CAPTION)]


def _remarks(row: Row) -> str:
    note = row.note if len(row.note) <= _LONGEST_NOTE else f"{row.note[:_LONGEST_NOTE]}…"
    return " · ".join(filter(None, (row.label, note, row.measured)))


def _sheet(page: Page, rows: int) -> list[Flowable]:
    shown = page.sheet if len(page.sheet) <= rows * _COLUMNS else page.sheet[::2]
    if not shown or not rows:
        return []
    width = _WIDTH / _COLUMNS
    lines: list[list[Any]] = []
    for at in range(0, len(shown), _COLUMNS):
        row = shown[at : at + _COLUMNS]
        blank = [""] * (_COLUMNS - len(row))
        lines.append([*(_fitted(each, width - 1.5, width * 1.15) for each in row), *blank])
        lines.append([*(_paragraph(each.caption, _CENTRED) for each in row), *blank])
    table = Table(lines, [width] * _COLUMNS, hAlign="LEFT")
    table.setStyle([*_TIGHT, ("VALIGN", (0, 0), (-1, -1), "BOTTOM"), ("ALIGN", (0, 0), (-1, -1), "CENTER")])
    heading = _paragraph("Slices through the scan, by number", _BOLD)
    return [heading, Spacer(0, 1 * mm), table, Spacer(0, 2 * mm)]


def _fitted(picture: Picture, width: float, height: float) -> Image:
    columns, rows = picture.size
    scale = min(width / columns, height / rows)
    return Image(io.BytesIO(picture.png), columns * scale, rows * scale)


def _paragraph(text: str, style: ParagraphStyle = _TEXT) -> Flowable:
    return Paragraph(escape(text.replace("p = ", "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")), style)


def _item(text: str) -> Flowable:
    return Paragraph(f"• {escape(text)}", _TEXT)
