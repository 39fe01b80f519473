"""What a session file says, as JSON; arrays lie beside it. See docs/sessions.md.

These classes are the format: a change of one that an older version could not read raises `SCHEMA`. Fields may
be added with a default; what is not known is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_d24fad.detection.references.reference_check import ReferenceCheck
from napari_d24fad.detection.references.regions import Region
from napari_d24fad.detection.result import ExaminedRegion, ExampleEvidence, MapChannel
from napari_d24fad.export.colours import COLORMAP
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.measurements import Ellipse, Ruler
from napari_d24fad.studies.scan import Photometric

SCHEMA = 1
NAME = "d24fad-session"

Triple = tuple[int, int, int]
Row = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class SavedProblem:
    """A `Problem`, by its stable code."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SavedScan:
    """What is known of a scan without its pixels; see `Scan`."""

    grid: Triple
    affine: tuple[Row, Row, Row, Row]
    modality: str = ""
    photometric: Photometric = Photometric.DARK_TO_BRIGHT
    has_geometry: bool = True
    sides_known: bool = True
    slice_axis: int = 0
    unit: str = ""
    body_part: str = ""
    description: str = field(default="", repr=False)
    stated_window: tuple[float, float] | None = None
    problems: tuple[SavedProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedStudy:
    """A scan that a session names.

    Attributes:
        scan: What is known of it.
        path: Folder or file that it was opened from; empty if it was in none.
        relative: The same, as seen from the folder of the session; empty if that cannot be said.
        sha256: Of the contents of its files, whatever they are called; empty without files.
        state: Fingerprint of its files: as long as it is the same nothing has changed.
        n_files: Number of its files.
        variant: Which of the series that the same files make.
        member: Number of the volume, of a series that has several; 0 for a series that has one.
        kind: What it was read from.
        number: Which of the series that were opened together.
        label: See `Series.label`.
        pixels_sha256: `Scan.content_hash`, of a scan whose features are in the file; empty for others.
        mark: ``"normal"``, ``"abnormal"``, or empty for neither.
    """

    scan: SavedScan
    path: str = field(default="", repr=False)
    relative: str = field(default="", repr=False)
    sha256: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    n_files: int = 1
    variant: str = field(default="", repr=False)
    member: int = 0
    kind: str = "image"
    number: int = 0
    label: str = ""
    pixels_sha256: str = field(default="", repr=False)
    mark: str = ""


@dataclass(frozen=True, slots=True)
class SavedDrawing:
    """A drawn region: the scan it was drawn on, by its place among the studies, and its array."""

    study: int
    array: str


@dataclass(frozen=True, slots=True)
class SavedExample:
    """See `Example`: its lesion is drawn, or it is slices, or nothing is known of it."""

    study: int
    kind: str = ""
    drawing: str = ""
    slices: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class SavedBeside:
    """See `MapBeside`."""

    plan: str
    score: float
    p_value: float
    level_one_region: float
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedResult:
    """An `AnomalyMap` without its arrays, whose names begin with `arrays`."""

    arrays: str
    limits: tuple[float, float]
    slice_axis: int
    score: float
    normal_level: float
    scoring: str
    model_name: str
    model_sha256: str
    device: str
    seconds: float
    warnings: tuple[SavedProblem, ...] = ()
    p_value: float = float("nan")
    p_floor: float = float("nan")
    level_one_region: float = float("nan")
    levels_by_rate: tuple[tuple[float, float], ...] = ()
    regions: tuple[Region, ...] = ()
    reference_checks: tuple[ReferenceCheck, ...] = ()
    calibrated_level: float | None = None
    direction: str = ""
    anatomy: str = ""
    plan: str = ""
    channels: tuple[MapChannel, ...] = ()
    region: ExaminedRegion | None = None
    beside: tuple[SavedBeside, ...] = ()
    examples: ExampleEvidence | None = None
    pixels_sha256: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SavedMask:
    """See `Mask`."""

    corner: Triple
    array: str


@dataclass(frozen=True, slots=True)
class SavedFinding:
    """See `Finding`."""

    number: int
    region: Region
    by_hand: bool = False
    beside: str = ""
    side: str = ""
    slice_index: int = 0
    diameters_mm: tuple[float, float] | None = None
    mask: SavedMask | None = None
    verdict: Verdict = Verdict.UNDECIDED
    label: str = ""
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SavedFindings:
    """See `Findings`."""

    listed: tuple[SavedFinding, ...] = ()
    measurements: tuple[Ruler | Ellipse, ...] = ()
    labels: tuple[str, ...] = ()
    next_number: int = 1


@dataclass(frozen=True, slots=True)
class SavedView:
    """How a scan was looked at; see `View`."""

    slice_index: int | None = None
    level: float | None = None
    window: tuple[float, float] | None = None
    colours: str = COLORMAP


@dataclass(frozen=True, slots=True)
class SavedCase:
    """A scan, what it is examined with, and what came of it. Scans are their places among the studies."""

    query: int
    normal: tuple[int, ...]
    model: str = field(repr=False)
    device: str
    abnormal: tuple[SavedExample, ...] = ()
    shares: tuple[float, ...] | None = None
    ct_window: tuple[float, float] | None = None
    scoring: str | None = None
    direction: str | None = None
    drawings: tuple[SavedDrawing, ...] = ()
    result: SavedResult | None = None
    findings: SavedFindings = SavedFindings()
    view: SavedView = SavedView()


@dataclass(frozen=True, slots=True)
class Document:
    """What a session file says.

    Attributes:
        version: Of the tool that wrote it.
        studies: The scans that it names.
        cases: The scans that were or are to be examined.
        name: Of a reference set; empty for a session.
        seal: Tells the program that wrote it, on this machine, that nobody else named these paths.
        shown: The case that was shown, by its place among them.
    """

    version: str
    studies: tuple[SavedStudy, ...] = ()
    cases: tuple[SavedCase, ...] = ()
    name: str = ""
    seal: str = field(default="", repr=False)
    shown: int = 0
