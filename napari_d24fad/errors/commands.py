"""What exports, training and commands may say. Code, meaning, and what to do next."""

from __future__ import annotations

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
FILE_IS_THERE = (
    "X05",
    "A file of this name is there already and would be replaced.",
    "Choose another name or folder, or agree to replace it (--replace).",
)
NO_DICOM_SOURCE = (
    "X10",
    "The scan was not read from DICOM files, so that there is no patient, study or image to refer to.",
    "Save the results as NIfTI, or examine the DICOM series itself.",
)
SOURCE_INCOMPLETE = (
    "X11",
    "The DICOM files of the scan lack attributes that every object of the study must repeat.",
    "Save the results as NIfTI, or export the series anew from where it comes from.",
)
FINDINGS_OVERLAP = (
    "X12",
    "Findings overlap, and a label map holds one of them for each voxel.",
    "Export a binary segmentation (seg), or reject one of them.",
)
SOURCE_NOT_FOUND = (
    "X13",
    "The DICOM series that was examined is not there.",
    "Name its folder (--source); it must be the same series with the same pixels.",
)
MAY_SHOW_IDENTITY = (
    "X14",
    "The pixels of the scan may show who the patient is, and no header can remove that.",
    "Look at the pictures, and agree if they show nobody (--burned-in-ok).",
)
DEIDENTIFIED_DIFFERS = (
    "X15",
    "Without identity the files would be read as another scan.",
    "Export the results without --de-identify: this scanner says in private elements how its slices lie.",
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
