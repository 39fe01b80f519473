"""A small case on disk: a head with a lesion, three normal ones, and what a reader made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_d24fad.detection.result import AnomalyMap, ExampleEvidence, MapBeside, MapChannel, Patch
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.making import by_hand, ellipsoid
from napari_d24fad.findings.measurements import Ellipse, Ruler
from napari_d24fad.session.request import Drawn, Examination, Example, Request
from napari_d24fad.session.saved.case import Case, View
from napari_d24fad.session.saved.document import SavedStudy
from napari_d24fad.session.saved.scans import named_series, save_scan
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study
from tests.heads import anomaly_of, write_study


def make_case(folder: Path) -> Case:
    """A case of scans in a folder, with all that a case can have."""
    write_study(folder)
    query, *normal = open_study(folder).series
    scan = query.load()
    mask = ellipsoid(scan, (4, 27, 27), (8, 6, 6))
    request = Request(
        query,
        tuple(normal),
        "compact",
        "cpu",
        (1.0, 0.5, 1.0),
        None,
        "matched",
        None,
        (Drawn.of(query, mask),),
        (Example(normal[2], "mass", (2, 3)),),
    )
    anomaly = anomaly_of(scan)
    anomaly = replace(
        anomaly,
        channels=(MapChannel("asymmetry", 1, "brighter than the other side", 2.0, "brighter"),),
        beside=(MapBeside("volume", 1.5, float("nan"), 1.0, anomaly.regions),),
        examples=ExampleEvidence(0.5, 1.5, 0.5, (True,), 0, 2.5, ("mass",), Patch((0, 0, 0), (1, 2, 2))),
    )
    case = Case.of(Examination(request, scan, anomaly, (1.5, 3.0)))
    findings = case.findings.judge(1, Verdict.ACCEPTED).write(1, "as before").name(1, "haemorrhage")
    findings = findings.add(by_hand(scan, ellipsoid(scan, (5, 10, 10), (8, 6, 6)), anomaly))
    findings = findings.judge(2, Verdict.REJECTED).measure(Ruler.on(scan, (4, 22, 22), (4, 31, 31), 1))
    findings = findings.measure(Ellipse.on(scan, (4, 10, 10), (4, 20, 20)))
    return replace(case, findings=findings, view=View(4, 1.5, (0.0, 900.0), "cividis"))


def named_case(scan: Scan, anomaly: AnomalyMap) -> Case:
    """A case of scans that are nowhere: its session is the same each time."""
    studies = [SavedStudy(save_scan(scan), f"/scans/{number}", label="MR") for number in range(4)]
    query, *normal = (named_series(study, Path("/"), is_foreign=True) for study in studies)
    request = Request(query, tuple(normal), "compact", "cpu")
    case = Case.of(Examination(request, scan, anomaly, (1.5, 3.0)))
    return replace(case, findings=case.findings.measure(Ruler.on(scan, (0, 0, 0), (1, 2, 3), 1)))
