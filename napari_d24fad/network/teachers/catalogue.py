"""The weights that others publish for teachers: where they are, under what licence, what of them is known."""

from __future__ import annotations

from dataclasses import dataclass

_TORCHVISION = "https://download.pytorch.org/models"
_META = "https://dl.fbaipublicfiles.com/dinov2"


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """A weights file as its publisher offers it.

    Attributes:
        teacher: What it is for; a key of `architecture.TEACHERS`.
        file: Its published name; empty if it is not downloaded by this tool, only imported.
        sha256: Its SHA-256, or the first digits of it where no more is published; empty if nothing is.
        folder: Address of the folder it is in.
        licence: What it is under, as the publisher says.
        terms: Where that is to be read.
        asks: Whether the licence is to be accepted before anything is installed.
        megabytes: About how large it is.
        source: Where a person finds it.
        title: What it is, one line for people.
        data: What it was trained on.
    """

    teacher: str
    file: str = ""
    sha256: str = ""
    folder: str = _TORCHVISION
    licence: str = "BSD-3-Clause"
    terms: str = "https://github.com/pytorch/vision/blob/main/LICENSE"
    asks: bool = False
    megabytes: int = 0
    source: str = "https://docs.pytorch.org/vision/stable/models.html"
    title: str = ""
    data: str = "ImageNet-1k"


def _dinov2(teacher: str, sha256: str, megabytes: int, title: str) -> PublishedWeights:
    model = teacher.removesuffix("_reg4")
    return PublishedWeights(
        teacher,
        f"{teacher}_pretrain.pth",
        sha256,
        f"{_META}/{model}",
        "Apache-2.0",
        "https://github.com/facebookresearch/dinov2/blob/main/LICENSE",
        True,
        megabytes,
        "https://github.com/facebookresearch/dinov2",
        title,
        "LVD-142M (Meta AI, photographs)",
    )


CATALOGUE = (
    PublishedWeights(
        "resnet18",
        "resnet18-f37072fd.pth",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        megabytes=47,
        title="ImageNet ResNet-18",
    ),
    # torchvision publishes no more of this one's SHA-256 than its name says.
    PublishedWeights(
        "wide_resnet50_2",
        "wide_resnet50_2-95faca4d.pth",
        "95faca4d",
        megabytes=138,
        title="ImageNet Wide ResNet-50-2",
    ),
    _dinov2(
        "dinov2_vits14",
        "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
        88,
        "DINOv2 ViT-S/14",
    ),
    _dinov2(
        "dinov2_vits14_reg4",
        "f433177089a681826f849f194ece3bb48f4d63fb38d32fc837e3dc7a4e5641fb",
        88,
        "DINOv2 ViT-S/14 with registers",
    ),
    _dinov2(
        "dinov2_vitb14",
        "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
        346,
        "DINOv2 ViT-B/14",
    ),
    _dinov2(
        "dinov2_vitb14_reg4",
        "73182a088cf94833c94b1666d1c99e02fe87e2007bff57b564fb6206e25dba71",
        346,
        "DINOv2 ViT-B/14 with registers",
    ),
    # Of the last two no SHA-256 is known here: they are imported, and checked by names and shapes.
    PublishedWeights(
        "rad_dino",
        licence="MIT",
        terms="https://opensource.org/license/mit",
        asks=True,
        megabytes=346,
        source="https://huggingface.co/microsoft/rad-dino",
        title="RAD-DINO ViT-B/14",
        data="chest films of five public sets (Perez-Garcia et al. 2024), from DINOv2 ViT-B/14",
    ),
    PublishedWeights(
        "radimagenet_resnet50",
        licence="CC BY 4.0",
        terms="https://creativecommons.org/licenses/by/4.0/",
        asks=True,
        megabytes=94,
        source="https://github.com/BMEII-AI/RadImageNet",
        title="RadImageNet ResNet-50",
        data="RadImageNet (Mei et al. 2022): CT, MR and ultrasound",
    ),
)
"""torchvision's ``IMAGENET1K_V1`` weights, Meta's DINOv2, RAD-DINO and RadImageNet."""


Catalogue = tuple[PublishedWeights, ...]


def published_for(teacher: str, catalogue: Catalogue = CATALOGUE) -> PublishedWeights | None:
    """Returns what is published for a teacher; None if nothing is."""
    return next((entry for entry in catalogue if entry.teacher == teacher), None)
