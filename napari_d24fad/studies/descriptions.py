"""What may be shown of a Series Description (0008,103E): the words of radiology in it, and no others.

Operators type into it what they like, names and dates among it, so PS3.15 Annex E lists it with
the attributes that identify. A word is shown only if it is known here; words that are common
names as well are left out of the list, rarer ones ("Head", "Foot") are in it.
"""

from __future__ import annotations

import re

_VOCABULARY = """
2d 3d 4d abd abdo abdomen abdominal ac acute adc adrenal anat anatomical and angio angiography ankle ap
apical arm arterial artery arthrography asl ax axial baseline bh bilateral biphasic bladder blade body bold
bolus bone bones brain bravo breast breath breathhold bright bss bw caldwell calf cardiac cardio cc ce cect
cerebellum cerv cervical chest cine cisternography coil collection colon colonography color colour contrast
control cor coronal corrected correction corticomedullary cran cranial craniocaudal csf cspine ct cta ctp
cube cxr cystography dark decubitus delay delayed derived diff diffusion dixon dorsal dose dti dual duodenum
dwi dynamic echo elbow enhanced enterography ep2d epi erect excretory exp expiration ext extension fast fat
fatsat fb femur fgre fiesta film finger fisp flair flash flexion flow fmri foot free frog fs fse fused gated
gd grad gradient gre hand haste head heart high hip hires hr hrct humerus in inf inferior inner input insp
inspiration interleaved intracranial inv inversion ir irm iso isotropic iv jaw joint kidney kidneys knee ky
l la lat lateral lava left leg lesion limb liver lo loc localiser localizer lordotic low lower lspine lumb
lumbar lung lungs mag magnitude mammo mandible map marked med mediast mediastinum merchant merge mid min mip
mlo mm motion mpgr mpr mprage mr mra mrcp mri ms mt multi myelo myelography nat native nav neck
nephrographic nerve neutral noncontrast normal ob obl obli oblique odontoid of off only opp orbit orbits
original os out outphase pa pancreas parallel parenchyma pc pd pdw pe pelvic pelvis perf perfusion pet ph
pha phantom phase phases pilot plain plan planning portal portalvenous post pre preview primary projected
prone propeller prostate proton pulm pulmonary qsm r rad radial range ratio recon ref reference reformat
resolve resp rest rf rib ribs right rl rot routine run sag sagittal sat scan scanogram scout se sec sella
sense sequence ser series short shoulder si sinus sinuses sitting skull slab slice slices smartscore soft
space spair spec spect spgr spin spine spir spiral spleen stack standard standing static std ste stir str
stress sub subject subtraction sum sunrise sup superior supine survey swi swimmer synthetic t1 t1w t2 t2star
t2w test tfe thick thickness thigh thin thor thoracic thorax throat thyroid time tirm tlc to toe tof topo
topogram towne tra trace trans transverse trig trigger triggered triphasic trufi tse tspine tumor tumour
tunnel turbo ty uhr upper urography us ute uterus vasc vascular vein venography venous ventricle vessel vibe
view vol volume water waters wb wbc weightbearing weighted whole wholebody with without wo wrist zte
"""
_WORDS = frozenset(_VOCABULARY.split())

# Sizes and times with their unit, a single digit, a letter with one or two digits (kernels,
# acceleration), diffusion weightings, echo and other times: no number that could be an ID or a date.
_MEASURE = re.compile(
    r"\d|\d\.\d{1,2}|\d{1,3}(\.\d{1,2})?(mm|cm|ms|s|sec|min|deg|kv|kvp|kev|mas|hz|ch)"
    r"|\d(d|t|x)|[a-z]\d{1,2}[a-z]?|b\d{1,4}|t[12]\*?(w|wi)?|(te|tr|ti|fa)\d{1,5}",
    re.IGNORECASE,
)
# One letter, as for magnitude and phase; one or two before a number, as kernels are called.
_CODED = ("real", "imaginary")  # of complex images; who writes it into a description may mean a person
_TERM = re.compile(r"[a-z]|[a-z]{1,2}\d{2,3}[a-z]?", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\s_,;:()\[\]<>+=^|]+")
_WITHIN_WORDS = re.compile(r"[-/&]")


def without_identity(description: str) -> str:
    """Returns the known words of a description, in their order.

    Args:
        description: As the file states it.

    Returns:
        Such as ``"AX T2 FLAIR"`` for ``"AX T2 FLAIR Doe 1960-05-03"``; empty if no word is known.
    """
    return " ".join(word for word in _BETWEEN_WORDS.split(description) if _is_known(word))


def is_harmless(term: str) -> bool:
    """Whether a value of a coded or free attribute, such as a kernel or an image type, identifies nobody."""
    words = [word for word in _BETWEEN_WORDS.split(term) if word]
    return all(_is_known(word) or _TERM.fullmatch(word) or word.casefold() in _CODED for word in words)


def _is_known(word: str) -> bool:
    parts = _WITHIN_WORDS.split(word)
    named = all(part.casefold() in _WORDS or _MEASURE.fullmatch(part) for part in parts)
    # Digits joined by dashes or slashes are a date more often than a measure.
    return named and not (len(parts) > 1 and all(part.isdigit() for part in parts))
