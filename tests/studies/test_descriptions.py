from __future__ import annotations

import pytest

from napari_d24fad.studies.descriptions import without_identity


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("AX T2 FLAIR", "AX T2 FLAIR"),
        ("t1_mprage_sag_p2_iso_1.0", "t1 mprage sag p2 iso 1.0"),
        ("Thorax  5mm B30f", "Thorax 5mm B30f"),
        ("T2* GRE TE20", "T2* GRE TE20"),
        ("anat-T1w", "anat-T1w"),
        ("5/5mm Plain", "5/5mm Plain"),
        ("ep2d_diff_b1000", "ep2d diff b1000"),
        ("", ""),
        ("Doe^John T1", "T1"),
        ("T1 DOE-JOHN AX", "T1 AX"),
        ("T1-Doe", ""),
        ("Liver 1960-05-03", "Liver"),
        ("Liver 3/5/1960", "Liver"),
        ("Liver 3/5", "Liver"),
        ("Liver 03.05.60 12:44", "Liver"),
        ("CT 19600503", "CT"),
        ("MRN 4711 knee", "knee"),
        ("Köpfchen nativ", ""),
    ],
)
def test_known_words_are_shown_and_nothing_else(stated: str, shown: str) -> None:
    assert without_identity(stated) == shown
