"""Every way the tool can refuse: one exception family with stable codes.

A code, once released, keeps its meaning. Sentences are for clinicians; they never
name a patient, a date or a path. The letter tells the room: ``S`` studies,
``P`` pairing of query and references, ``M`` models, ``X`` export, ``T`` training,
``A`` arguments.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """A stable error or problem code with its meaning and what to do next."""

    PATH_MISSING = ("S01", "There is nothing at this location.", "Check the path and open it again.")
    PATH_UNREADABLE = (
        "S02",
        "This location cannot be read.",
        "Ask for read permission, or copy the study to a folder of your own.",
    )
    NO_IMAGES = (
        "S03",
        "No medical images were found here.",
        "Choose a folder with DICOM, NIfTI or image files.",
    )
    NOT_AN_IMAGE = (
        "S04",
        "This file is not an image the tool can read.",
        "Export it from its source again as DICOM, NIfTI, PNG, JPEG or TIFF.",
    )
    TRUNCATED = (
        "S05",
        "The pixel data of this file is incomplete.",
        "Copy or export the study again; the transfer was probably interrupted.",
    )
    MISSING_SLICE = (
        "S06",
        "Slices are missing in this series or are not evenly spaced.",
        "Export the complete series again.",
    )
    AMBIGUOUS_GEOMETRY = (
        "S07",
        "The position of the slices in the patient is contradictory or missing.",
        "Export the original series, not a derived or reformatted one.",
    )
    MIXED_SERIES = (
        "S08",
        "The instances of this series do not form one volume.",
        "Choose one of the separate series shown.",
    )
    UNSUPPORTED_PIXELS = (
        "S09",
        "The pixel format or compression of this file is not supported.",
        "Export the series uncompressed (Explicit VR Little Endian).",
    )
    CONSTANT_IMAGE = (
        "S10",
        "Every pixel of this image has the same value.",
        "Choose another series; this one holds no anatomy.",
    )
    NOT_FINITE = (
        "S11",
        "The image holds infinite values.",
        "Repair the file with the software that wrote it.",
    )
    SEVERAL_SERIES = (
        "S12",
        "More than one series was found where one is needed.",
        "Name one with --series, or open the folder in the viewer and click it.",
    )
    FILE_SKIPPED = ("S13", "A file was left out because it is not an image.", "No action is needed.")
    TOO_LARGE = (
        "S14",
        "The image is larger than the memory limit allows.",
        "Crop or down-sample it, or raise the limit.",
    )
    DUPLICATE_INSTANCE = (
        "S15",
        "Some images of this series are present more than once.",
        "No action is needed; one copy of each is used.",
    )
    PADDING = (
        "S16",
        "Part of this scan holds no measured values: padding, or values that are not numbers (NaN).",
        "No action is needed; it is shown black and not examined.",
    )
    SPLIT_SERIES = (
        "S17",
        "The images of this series form more than one volume and are shown apart.",
        "No action is needed; choose the part that you need.",
    )
    CONFLICTING_COPIES = (
        "S18",
        "Two images of this series have the same identifier but different pixels.",
        "Export the series again from its source, into an empty folder.",
    )
    TILTED = (
        "S19",
        "The slices of this series are stacked at a slant, as with a tilted gantry.",
        "No action is needed; they were shifted back into a rectangular volume.",
    )
    RESAMPLED = (
        "S20",
        "Slices that are missing or unevenly spaced were computed from their neighbours.",
        "Rely on no finding in computed slices; export the complete series if there is one.",
    )
    FILM = (
        "S21",
        "The frames of this file are not the slices of a volume, as in a film.",
        "Export the frames that you need as single images.",
    )
    SHEARED = (
        "S22",
        "The axes of this volume are not exactly at right angles.",
        "No action is needed; what is drawn is out of place by the angle stated.",
    )
    DECODER_FAILED = (
        "S23",
        "The compressed pixels of this file broke the program that decodes them.",
        "Take the file for damaged, or for an attack; export the series again from its source.",
    )
    UNSAFE_ARCHIVE = (
        "S24",
        "This archive is not safe to unpack.",
        "Ask who sent it for the plain files, or unpack it yourself and open the folder.",
    )
    ALSO_A_PROGRAM = (
        "S25",
        "A file of this series could be run as a program as well.",
        "Run it never; ask its source. Only the image in it was read.",
    )
    BURNED_IN = (
        "S30",
        "The pixels of this image may show the patient's name, an ID or a date.",
        "Look at it before you pass on a picture of it.",
    )

    TOO_FEW_REFERENCES = (
        "P01",
        "At least two normal reference scans are needed.",
        "Mark two to eight normal scans of the same kind as references.",
    )
    QUERY_IS_REFERENCE = (
        "P02",
        "The scan to examine is also among the normal references.",
        "Remove it from the references.",
    )
    MODALITY_MISMATCH = (
        "P03",
        "The references were acquired with another modality than the scan to examine.",
        "Use references of the same modality.",
    )
    PLANE_MISMATCH = (
        "P04",
        "The references were sliced in another direction than the scan to examine.",
        "Use references with the same slice orientation.",
    )
    COLOUR_MISMATCH = (
        "P05",
        "Colour and grey-scale images cannot be compared.",
        "Use references with the same photometric kind.",
    )
    DIMENSION_MISMATCH = (
        "P06",
        "Single images and volumes cannot be compared.",
        "Use volumes as references for a volume, and images for an image.",
    )
    DUPLICATE_REFERENCE = (
        "P07",
        "The same scan is among the references more than once.",
        "Mark each reference once.",
    )
    NOTHING_TO_EXAMINE = (
        "P08",
        "No anatomy was found in this scan.",
        "Check that the right series was chosen.",
    )
    MANY_REFERENCES = (
        "P09",
        "More references were used than the method was measured with.",
        "Rely on the result less, or mark two to eight references.",
    )
    MODALITY_UNSTATED = (
        "P10",
        "Some scans do not state their modality.",
        "Check that all show the same one.",
    )
    POSITION_UNSTATED = (
        "P11",
        "Some volumes state no position in the patient; left and right could be exchanged.",
        "Check that all lie the same way.",
    )
    SPACING_MISMATCH = (
        "P12",
        "Some references are more than twice as coarse or as fine as the scan to examine.",
        "Use references of similar resolution; detail that only one side has looks abnormal.",
    )
    BODY_PART_MISMATCH = (
        "P13",
        "Some references state another body part than the scan to examine.",
        "Check that all show the same anatomy.",
    )
    SAME_PATIENT = (
        "P14",
        "A reference belongs to the same patient as the scan to examine; a lesion in both would look normal.",
        "Use normal scans of other patients.",
    )
    FEW_REFERENCES = (
        "P15",
        "With few references little is known of how normal scans differ.",
        "Use eight if you have them.",
    )
    ALIKE_REFERENCES = (
        "P16",
        "Two references are almost the same picture and count like one.",
        "Leave one of them out.",
    )
    ALIKE_QUERY = (
        "P17",
        "A reference is almost the same picture as the scan to examine; what both show cannot be found.",
        "Leave this reference out.",
    )
    UNEQUAL_WEIGHTS = (
        "P18",
        "Some references count less than others.",
        "Set their weights to 100 % to let all count alike.",
    )
    PREVIEW = (
        "P19",
        "This is a preview: features are still centred and scaled by the references of the run before.",
        "Find anomalies again for the exact map.",
    )
    MASK_REPLACED = (
        "P20",
        "The anatomy in this scan was found in a simpler way than in others of its kind.",
        "Look at the outline of what was examined, and rely on the result less.",
    )
    MIRRORED_REFERENCE = (
        "P21",
        "A reference fits the others better with left and right exchanged.",
        "Check its sides; leave it out if they are wrong.",
    )
    PART_OF_ANATOMY = (
        "P22",
        "Only a part of the anatomy lies in this scan; where it belongs was judged by the references.",
        "Rely on the result less.",
    )
    NOT_PLACED = (
        "P23",
        "The anatomy of this scan was not found as in the references: features of slices were compared.",
        "Rely on the result less; check that the scan shows what the references show.",
    )
    NOT_ALIGNED = (
        "P24",
        "This scan could not be aligned to the others; places are compared by the box around its tissue.",
        "Rely on the result less; use scans that show the whole organ.",
    )
    CONTRAST_DIFFERS = (
        "P25",
        "This scan shows another contrast between tissues than the scans that it is compared with.",
        "Use references of the same sequence, from the same kind of scanner.",
    )

    MODEL_UNKNOWN = ("M01", "No model of this name is installed.", "List them with: d24fad models list")
    MODEL_CORRUPT = (
        "M02",
        "The model file is damaged or is not a model of this tool.",
        "Import or download it again; verify it with: d24fad models verify",
    )
    MODEL_MISMATCH = (
        "M03",
        "The weights do not fit the stated network architecture.",
        "Check the architecture given for this file.",
    )
    DOWNLOAD_FAILED = (
        "M04",
        "The weights could not be downloaded.",
        "Check the network, or import the file with: d24fad models import",
    )
    CHECKSUM_MISMATCH = (
        "M05",
        "The weights do not have the expected SHA-256 checksum and were discarded.",
        "Fetch the file again from its publisher.",
    )
    WEIGHTS_MISSING = (
        "M06",
        "The ImageNet weights for this teacher are not installed.",
        "Install them with: d24fad models download, or import a file you already have.",
    )
    DEVICE_UNAVAILABLE = (
        "M07",
        "The chosen computing device is not available.",
        "Choose the CPU, or check the graphics driver.",
    )
    OUT_OF_MEMORY = (
        "M08",
        "The computing device has too little free memory for this computation.",
        "Close other programs that use it, choose the CPU, or take a smaller model.",
    )
    DEVICE_LOST = (
        "M09",
        "The graphics card stopped working while it computed.",
        "Choose the CPU, or start the program again and check the graphics driver.",
    )
    GPU_UNSUPPORTED = (
        "M10",
        "The graphics card is of a kind that the installed PyTorch cannot use; the CPU computes instead.",
        "Install a build of PyTorch for this card, or choose the CPU.",
    )

    CANNOT_WRITE = (
        "X01",
        "The results cannot be written there.",
        "Choose a folder you may write to, with enough free space.",
    )
    NOTHING_TO_EXPORT = ("X02", "There is no result to export yet.", "Run the detection first.")
    NO_SCRATCH_SPACE = (
        "X03",
        "The folder for temporary files has no room.",
        "Free some space on that disk, or name a folder on another one in the environment variable TMPDIR.",
    )
    RESULTS_OF_ANOTHER = (
        "X04",
        "Results of another scan are in this folder and would be replaced.",
        "Choose another folder, or move what is there.",
    )

    DATA_LAYOUT = (
        "T01",
        "The training folder does not have the expected layout.",
        "Arrange it as TASK/normal and TASK/abnormal, or TASK/train/good.",
    )
    DATA_UNUSABLE = (
        "T03",
        "Some of the data cannot be used.",
        "Repair or remove what is named, or add what is missing.",
    )
    DIVERGED = (
        "T02",
        "Training diverged: its loss is no longer a number, or stays far above what it was.",
        "Go on from the last checkpoint with --resume and a lower --rate, and check the images.",
    )
    CANNOT_RESUME = (
        "T04",
        "This training cannot be resumed.",
        "Use the data and options it was begun with, or start again without --resume.",
    )

    BAD_ARGUMENT = ("A01", "An argument is not valid.", "See the help of this command.")
    NO_DISPLAY = (
        "A02",
        "There is no display, and no virtual one could be started.",
        "Install the system package xvfb (Debian, Ubuntu: apt-get install xvfb), or use a desktop.",
    )
    UNEXPECTED = (
        "A99",
        "Something went wrong that the tool did not foresee.",
        "Run again with --debug and report what it prints.",
    )

    def __init__(self, code: str, meaning: str, action: str) -> None:
        self.code = code
        self.meaning = meaning
        self.action = action


class D24fadError(Exception):
    """A refusal with a stable code.

    Attributes:
        code: The `Code` that names the refusal.
        detail: What is particular to this case, in one sentence without identity
            or path; may be empty.
    """

    def __init__(self, code: Code, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(code, detail)

    def __str__(self) -> str:
        sentences = (self.code.meaning, self.detail, self.code.action)
        return f"{self.code.code}: " + " ".join(sentence for sentence in sentences if sentence)


class StudyError(D24fadError):
    """A study cannot be read, or not without guessing."""


class PairingError(D24fadError):
    """These references cannot serve for this query."""


class ModelError(D24fadError):
    """A model, its weights or its device cannot be used."""


class ExportError(D24fadError):
    """A result cannot be written."""


class TrainingError(D24fadError):
    """A training run cannot start or go on."""


class ArgumentError(D24fadError):
    """A command was called with arguments that do not make sense."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """The user stopped the computation."""
