from dataclasses import replace

import numpy as np
import torch

from napari_d24fad.detection.encoding.prepared import prepare
from napari_d24fad.studies.scan import Photometric
from napari_d24fad.training.data.tasks import network_images
from tests.detection.subjects import head


def test_training_sees_a_scan_as_the_detection_does() -> None:
    scan = head(0)
    prepared = prepare(scan, 48)
    assert torch.equal(
        network_images(scan, 48), (prepared.inputs(prepared.examined) * 255).round().to(torch.uint8)
    )
    colour = replace(
        scan,
        voxels=np.pad(scan.voxels, ((0, 0), (40, 40), (40, 40)))[..., None].clip(0, 255).repeat(3, -1),
        photometric=Photometric.COLOUR,
    )
    assert network_images(colour, 48)[6].float().mean() > 60  # cropped to the anatomy
