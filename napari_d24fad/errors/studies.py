"""What reading of studies may say. Code, meaning, and what to do next."""

from __future__ import annotations

PATH_MISSING = ("S01", "There is nothing at this location.", "Check the path and open it again.")
PATH_UNREADABLE = (
    "S02",
    "This location cannot be read.",
    "Ask for read permission, or copy the study to a folder of your own.",
)
NO_IMAGES = (
    "S03",
    "No medical images were found here.",
    "Choose a folder with DICOM, NIfTI, NRRD, MetaImage or image files.",
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
    "Slices are missing in this series.",
    "Export the complete series again, or let the missing slices be computed where that is offered.",
)
AMBIGUOUS_GEOMETRY = (
    "S07",
    "The position of the slices in the patient is contradictory or missing.",
    "Choose the series as it was acquired if this one was derived or reformatted; else ask its source.",
)
MIXED_SERIES = (
    "S08",
    "The instances of this series do not form one volume.",
    "Export the volume that you need as a series, or a file, of its own.",
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
    "Name one with --series and --volume, or open the folder in the viewer and click it.",
)
FILE_SKIPPED = ("S13", "Files beside the scans were left out.", "No action is needed.")
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
    "Never run it; ask its source. Only the image in it was read.",
)
NOT_IN_SUV = (
    "S32",
    "The values of this PET series cannot be turned into SUV.",
    "Compare it only with scans of the same tracer, dose and time; each is shown by its own range.",
)
CONTRADICTORY_PIXELS = (
    "S26",
    "What this file says of its pixels is contradictory or incomplete.",
    "Export it again from its source, or repair it with the software that wrote it.",
)
UNEVEN_SLICES = (
    "S27",
    "The slices of this series are not evenly spaced, though none seems to be missing.",
    "Choose another series, or let slices be computed at even distances where that is offered.",
)
FRAMES_UNPLACED = (
    "S28",
    "This file does not say of each of its slices where it lies in the patient.",
    "Export it as single images, or agree to their order as a stack where that is offered.",
)
ASSUMED_ORDER = (
    "S29",
    "Where the slices of this series lie was assumed, as far as its file does not state it.",
    "Check the order and the sides before you rely on a position.",
)
MIXED_TRAITS = (
    "S31",
    "Some slices of this series were acquired or reconstructed in another way than the others.",
    "Look at them before you rely on a finding there.",
)
BURNED_IN = (
    "S30",
    "The pixels of this image may show the patient's name, an ID or a date.",
    "Look at it before you pass on a picture of it.",
)
