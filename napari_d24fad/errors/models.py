"""What models, devices and weights may say. Code, meaning, and what to do next."""

from __future__ import annotations

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
    "The published weights of this teacher are not installed.",
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
NO_STUDENT = (
    "M11",
    "This model is a teacher alone: it has no student, which this needs.",
    "Choose the scoring matched, or train a student with: d24fad train",
)
LICENCE_NOT_ACCEPTED = (
    "M12",
    "The licence of these weights was not accepted, and nothing was installed.",
    "Read it; if you agree, give the command again with --accept-licence.",
)
TEACHER_MISMATCH = (
    "M13",
    "These are the weights of another teacher, and nothing was installed.",
    "Name the teacher that they are of, or fetch the file of this one from its publisher.",
)
TEACHER_CHANGED = (
    "M14",
    "The teacher's installed weights are not those that the student was trained beside.",
    "Import the weights that the model was trained with, or train a student anew.",
)
TEMPLATE_MISSING = (
    "M15",
    "The template of the head is not installed: the package nilearn is missing, or of another version.",
    "Install it: pip install 'nilearn==0.14.1'",
)
