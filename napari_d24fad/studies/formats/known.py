"""What a file that is not read is: by how it begins, else by what its name ends in."""

from __future__ import annotations

from pathlib import Path

from napari_d24fad.errors import StudyError
from napari_d24fad.studies.files.bounded import open_file

_START, _GZIP = 32, b"\x1f\x8b"
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or Office document; open an archive by itself"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"CDF", "a NetCDF or MINC file"),
    (b"ZISRAWFILE", "a Zeiss CZI file"),
    (b"\xda\xce\xbe\x0a", "a Nikon ND2 file"),
    (b"\x70\x00\x00\x00", "a Leica LIF file"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a Windows bitmap"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x89PNG", "a PNG picture without its suffix"),
    (b"\xff\xd8\xff", "a JPEG picture without its suffix"),
    (b"II*\x00", "a TIFF file without its suffix"),
    (b"MM\x00*", "a TIFF file without its suffix"),
    *((start, "a web page or part of one") for start in (b"<html", b"<HTML", b"<!DOCTYPE", b"<?xml")),
    (b"\x5c\x01\x00\x00", "a header of Analyze or NIfTI without its suffix"),
    (b"\x00\x00\x01\x5c", "a header of Analyze or NIfTI without its suffix"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"# vtk", "a VTK file"),
    (b"\xca\x1d\x00\x00", "an Interfile or ECAT file"),
    (b"MATRIX7", "an ECAT file"),
)
_SUFFIXES = {
    **dict.fromkeys((".svs", ".scn", ".ndpi", ".mrxs", ".bif", ".vms"), "a slide scan"),
    **dict.fromkeys((".par", ".rec"), "a Philips PAR/REC file"),
    **dict.fromkeys((".head", ".brik"), "an AFNI file"),
    **dict.fromkeys((".htm", ".html", ".xml", ".css", ".js", ".xsl"), "a web page or part of one"),
    **dict.fromkeys((".txt", ".csv", ".tsv", ".json", ".md", ".log", ".inf", ".ini"), "a text file"),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".wmv", ".mpg", ".mpeg"), "a film"),
    **dict.fromkeys((".dll", ".exe", ".jar", ".msi", ".so", ".app"), "a program"),
    **dict.fromkeys((".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".rtf"), "an Office document"),
    **dict.fromkeys((".stl", ".obj", ".ply", ".vtp", ".gii"), "a surface"),
    **dict.fromkeys((".vtk", ".vti"), "a VTK file"),
    **dict.fromkeys((".bmp", ".gif", ".webp", ".svg", ".ico"), "a picture of another format"),
    **dict.fromkeys((".gz", ".tgz", ".tar", ".bz2", ".xz", ".rar", ".7z", ".zst"), "an archive"),
    **dict.fromkeys((".raw", ".zraw", ".bin", ".dat"), "a file of bare numbers without a header"),
    **dict.fromkeys((".bval", ".bvec"), "a table of diffusion weightings"),
    ".ecat": "an ECAT file",
    ".v": "an ECAT file",
    ".hv": "an Interfile header",
    ".gipl": "a GIPL file",
    ".mnc": "a MINC file",
    ".czi": "a Zeiss CZI file",
    ".nd2": "a Nikon ND2 file",
    ".lif": "a Leica LIF file",
    ".oib": "an Olympus file",
    ".oif": "an Olympus file",
    ".vsi": "an Olympus VSI file",
    ".ims": "an Imaris file",
    ".mat": "a MATLAB file",
    ".npy": "a NumPy array",
    ".npz": "NumPy arrays",
    ".h5": "an HDF5 file",
    ".hdf5": "an HDF5 file",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
    ".pdf": "a PDF document",
    ".zip": "a zip archive; open it by itself",
}


def format_name(path: Path) -> str:
    """Returns what a file is, such as ``"a PDF document"``; empty if that is not known.

    Args:
        path: A file that was found to be no DICOM file.

    Returns:
        With its article; nothing of the file's name.
    """
    by_name = _SUFFIXES.get(path.suffix.lower(), "")
    try:
        with open_file(path) as file:
            start = file.read(_START)
    except (OSError, StudyError):
        return by_name
    by_start = next((name for begins, name in _STARTS if start.startswith(begins)), "")
    packed = "a file compressed by gzip" if start.startswith(_GZIP) else ""
    return by_start or by_name or packed
