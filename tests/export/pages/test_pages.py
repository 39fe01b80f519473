"""Report pages: one page, both formats say the same, rejected findings are in none, nothing runs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from napari_d24fad.detection.result import ExampleEvidence
from napari_d24fad.errors import Code, D24fadError, ExportError
from napari_d24fad.export.colours import overlay_colours
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.pages.html import html_of
from napari_d24fad.export.pages.page import page_of
from napari_d24fad.export.pages.pdf import pdf_of
from napari_d24fad.export.pages.pictures import Pictures
from napari_d24fad.export.pages.tables import findings_csv, findings_table
from napari_d24fad.export.pages.writing import NAMES, save_pages
from napari_d24fad.export.report import ReportEntry
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.making import by_hand, ellipsoid, findings_of
from napari_d24fad.findings.measurements import Ellipse, Ruler
from tests.export.maps import make_map, make_scan
from tests.heads import anomaly_of, head

SCAN = head(0, lesion=True)
ANOMALY = anomaly_of(SCAN)
LABELS = ("Reference 1: MR", "Reference 2: MR", "Reference 3: MR")
ATTACK = "<script>alert(1)</script> & αβγ"


def entry(findings: Findings | None = None) -> CaseEntry:
    found = Findings.of(findings_of(SCAN, ANOMALY)) if findings is None else findings
    return CaseEntry(ReportEntry(SCAN, "MR axial 10 x 40 x 36", ANOMALY, LABELS), found, (1.0, 0.5, 1.0))


def judged() -> Findings:
    state = Findings.of(findings_of(SCAN, ANOMALY)).judge(1, Verdict.ACCEPTED)
    state = state.write(1, ATTACK).name(1, "haemorrhage")
    state = state.add(by_hand(SCAN, ellipsoid(SCAN, (7, 8, 8), (8, 6, 6)), ANOMALY))
    state = state.write(2, "=HYPERLINK(evil)").measure(Ruler.on(SCAN, (4, 22, 22), (4, 31, 31), 1))
    return state.measure(Ellipse.on(SCAN, (4, 10, 10), (4, 20, 20)))


def text_of(pdf: bytes) -> str:
    reader = PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) == 1
    return " ".join(reader.pages[0].extract_text().split())


class Reading(HTMLParser):
    """Collects the text of a page, its tags, and all that it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.sources = "", [], []
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def test_pdf_and_html_say_the_same_on_one_page() -> None:
    page = page_of(entry(judged()))
    pdf, html = text_of(pdf_of([page])), Reading(html_of([page]))
    for said in (
        "The score of the scan as a whole is larger than in all 3 normal scans (p = 0.25).",
        "2 findings: 1 accepted, 1 not decided on.",
        "left, slice 7 (5 to 7)",
        "27.8 × 26.9 mm, 4.6 ml",
        "larger than in all 3 normal scans (p = 0.25)",
        "haemorrhage",
        "αβγ",
        "25.0 mm",
        "3 normal scans can show no p-value below 0.25",
        "Reference 2: MR, counts 50%",
        "model compact",
        "modality",
        NOTICE,
    ):
        assert said in pdf, said
        assert said in html.text, said


def test_a_page_says_what_abnormal_examples_said() -> None:
    evidence = ExampleEvidence(0.5, 1.5, 0.5, (True, False), 1, 2.5, ("", "mass"))
    found = replace(entry().found, anomaly=replace(ANOMALY, examples=evidence))
    plain, beside = (text_of(pdf_of([page_of(each)])) for each in (entry(), replace(entry(), found=found)))
    assert "abnormal example" not in plain
    assert "2 abnormal examples: most like example 2 (mass)" in beside


def test_what_a_reader_wrote_is_text_and_the_page_fetches_nothing() -> None:
    html = Reading(html_of([page_of(entry(judged()))]))
    assert "script" not in html.tags
    assert ATTACK in html.text
    assert html.sources
    assert all(source.startswith("data:image/png;base64,") for source in html.sources)
    text = text_of(pdf_of([page_of(entry(judged()))]))
    assert "".join(ATTACK.split()) in "".join(text.split()), "lines may break anywhere in it"


def test_rejected_findings_are_in_no_picture_and_no_table() -> None:
    shown, rejected = entry(), entry(entry().findings.judge(1, Verdict.REJECTED))
    (before,), (after,) = Pictures(shown).key_slices(), Pictures(rejected).key_slices()
    plain, marked = (np.asarray(Image.open(io.BytesIO(each.png))) for each in after)
    assert np.array_equal(plain, marked)
    assert not np.array_equal(*(np.asarray(Image.open(io.BytesIO(each.png))) for each in before))
    assert after[1].caption.endswith("nothing above the level")
    page = page_of(rejected)
    assert page.rows == ()
    assert "No finding is shown." in page.statement
    assert findings_table([rejected])["cases"][0]["findings"] == []
    assert len(rejected.findings) == 1, "it stays with the session"


def test_colours_lie_where_the_finding_lies_as_a_radiologist_sees_it() -> None:
    ((plain, marked),) = Pictures(entry()).key_slices()
    assert marked.caption.startswith("Finding 1: axial slice 7 of 10, ")
    before, after = (np.asarray(Image.open(io.BytesIO(each.png)), int) for each in (plain, marked))
    coloured = np.argwhere(np.ptp(after - before, axis=2) > 60)
    rows, columns = coloured.mean(axis=0) / before.shape[:2]
    # Rows 22 to 31 of 40 run to posterior, columns 22 to 31 of 36 to the patient's left: the screen's right.
    assert (rows, columns) == pytest.approx((27 / 40, 27 / 36), abs=0.03)
    assert before.shape[0] / before.shape[1] == pytest.approx(40 * 1.7 / (36 * 2.2), rel=0.01)


def test_pictures_have_the_window_and_colours_that_were_chosen_and_say_so() -> None:
    usual, chosen = entry(), replace(entry(), window=(0.0, 300.0), colours="cividis")
    bar = np.asarray(Image.open(io.BytesIO(Pictures(chosen).colour_bar().png)))
    np.testing.assert_array_equal(bar[0], (overlay_colours(256, "cividis")[:, :3] * 255).round())
    assert (
        dict(page_of(chosen).made)["Pictures"] == "window W 300 L 150 (chosen by the reader), map in cividis"
    )
    assert dict(page_of(usual).made)["Pictures"].endswith(" (the usual), map in inferno")
    (first,), (second,) = (Pictures(each).key_slices() for each in (usual, chosen))
    for one, other in zip(first, second, strict=True):
        assert one.png != other.png


def test_a_page_stays_one_however_much_there_is_to_say() -> None:
    many = judged()
    for at in range(14):
        many = many.add(by_hand(SCAN, ellipsoid(SCAN, (at % 8, 8 + at % 9, 8), (5, 5, 5)), ANOMALY))
        many = many.write(at + 3, "A long remark. " * 60).judge(at + 3, Verdict.ACCEPTED)
    long = replace(entry(many), problems=("A warning that is long. " * 20,) * 4)
    text = text_of(pdf_of([page_of(long)]))
    assert "more in findings.csv and in the HTML report" in text
    assert "Software: napari-d24fad" in text
    assert len(Reading(html_of([page_of(long)])).text) > 15_000


def test_a_scan_without_pixels_or_geometry_has_a_page() -> None:
    without = entry()
    without = replace(without, found=replace(without.found, scan=SCAN.without_pixels()))
    page = page_of(without)
    assert (page.key_slices, page.sheet, page.colours) == ((), (), None)
    assert "there are no pictures" in text_of(pdf_of([page]))
    image = make_scan(np.arange(600.0).reshape(1, 20, 30), modality="")
    plain = CaseEntry(ReportEntry(image, "image", make_map(np.ones((1, 20, 30))), LABELS[:2]), Findings())
    page = page_of(plain)
    assert page.sheet == ()
    assert "larger than in both normal scans (p = 0.33)" in text_of(pdf_of([page]))
    assert "at which a normal scan shows one region" in " ".join(page.statement)


def test_tables_are_strict_and_compute_nothing() -> None:
    table = findings_table([entry(judged())])
    text = json.dumps(table, allow_nan=False)
    first, second = json.loads(text)["cases"][0]["findings"]
    assert (first["side"], first["slice"], first["slices"]) == ("left", 7, [5, 7])
    assert first["measurements"][0]["length_mm"] == pytest.approx(25.02, abs=0.01)
    assert (first["p_value"], second["by_hand"], second["note"]) == (0.25, True, "=HYPERLINK(evil)")
    lines = list(csv.DictReader(io.StringIO(findings_csv(table))))
    assert [line["note"] for line in lines] == [ATTACK, "'=HYPERLINK(evil)"]
    assert float(lines[0]["longest_mm"]) == pytest.approx(27.8, abs=0.01)
    assert lines[0]["x_mm"] not in ("", "'")


def test_an_earlier_report_is_not_replaced_without_asking(tmp_path: Path) -> None:
    save_pages(tmp_path / "out", [entry()])
    before = {name: (tmp_path / "out" / name).read_bytes() for name in NAMES}
    with pytest.raises(ExportError, match="X05"):
        save_pages(tmp_path / "out", [entry(judged())])
    assert {name: (tmp_path / "out" / name).read_bytes() for name in NAMES} == before
    save_pages(tmp_path / "out", [entry()], may_replace=True)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in NAMES} == before, "no time, no chance"
    with pytest.raises(D24fadError) as refused:
        save_pages(tmp_path / "none", [])
    assert refused.value.code is Code.NOTHING_TO_EXPORT
    assert not (tmp_path / "none").exists()
