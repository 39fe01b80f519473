"""What comparing a query with references may say. Code, meaning, and what to do next."""

from __future__ import annotations

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
    "Use colour references for a colour scan, and grey ones for a grey scan.",
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
    "The anatomy of this scan was not found as in the references: slices were compared by their level only.",
    "Rely on the result less; check that the scan shows what the references show.",
)
NOT_ALIGNED = (
    "P24",
    "A scan could not be aligned to a head, so places were not compared: slices were, by their level only.",
    "Rely on the result less; use scans that show the whole brain.",
)
CONTRAST_DIFFERS = (
    "P25",
    "A scan shows another contrast between tissues than those it is compared with: slices were compared by "
    "their level only.",
    "Use references of the same sequence, from the same kind of scanner.",
)
REGION_UNMATCHED = (
    "P26",
    "The drawn region does not lie on the voxels of the scan it is to belong to.",
    "Draw it on the scan to examine or on one of the references, and save it with the voxels of that scan.",
)
REGION_AMBIGUOUS = (
    "P27",
    "The drawn region fits the voxels of several of these scans.",
    "Say which scan it was drawn on: --roi-of PATH.",
)
REGION_EMPTY = (
    "P28",
    "The drawn region holds nothing that can be examined.",
    "Draw it over the anatomy of the scan.",
)
REGION_NOT_CARRIED = (
    "P29",
    "The drawn region could not be carried to one of the other scans.",
    "Leave this scan out, draw the region on another scan, or examine without it.",
)
BY_LEVEL = (
    "P30",
    "This scan is not aligned to the references: slices are compared with those of their level only.",
    "Rely on the result less where the anatomy within a slice differs.",
)
REGION_UNEVEN = (
    "P31",
    "The region was drawn on references but carried to this scan, where it fits less well: a normal scan "
    "looks more unusual than its p-value says, and more regions are listed.",
    "Draw the region on this scan as well.",
)
DUPLICATE_EXAMPLE = (
    "P33",
    "The same scan is among the abnormal examples more than once.",
    "Mark each example once.",
)
NORMAL_AND_ABNORMAL = (
    "P34",
    "The same scan is marked as normal and as abnormal.",
    "Decide which it is, and unmark it as the other.",
)
QUERY_IS_EXAMPLE = (
    "P35",
    "The scan to examine is also among the abnormal examples.",
    "Unmark it as an example.",
)
EXAMPLE_OF_SAME_PATIENT = (
    "P36",
    "An abnormal example belongs to the same patient as the scan to examine; that alone makes them alike.",
    "Use examples of other patients.",
)
MORE_EXAMPLES_THAN_REFERENCES = (
    "P37",
    "There are more abnormal examples than normal references, which was not measured.",
    "Rely on the result less, or mark as many normal scans.",
)
EXAMPLE_LOOKS_NORMAL = (
    "P38",
    "An abnormal example looks like the normal references and not like the other examples.",
    "Check that it shows what you are looking for; unmark it if in doubt.",
)
LESION_SLICES_UNKNOWN = (
    "P39",
    "An abnormal example does not have the slices that are to show its lesion.",
    "State slices by their numbers in the viewer, from 1 to the last.",
)
LESION_OUTSIDE = (
    "P40",
    "The lesion of an abnormal example lies outside of what is examined.",
    "Check that it belongs to this scan, and that the anatomy of the scan was found.",
)
EXAMPLE_NOT_COMPARED = (
    "P41",
    "An abnormal example could not be held against the references place by place.",
    "Unmark it; use scans that show the same anatomy in the same contrast as the references.",
)
AGENT_MISMATCH = (
    "P42",
    "Of this scan and a reference, only one names a contrast agent: what took it up looks like a departure.",
    "Use references that were taken as the scan was, with contrast or without.",
)
NOT_COVERED = (
    "P43",
    "Places that fewer than two of the references show were not examined.",
    "Use references that show the same part of the body from end to end.",
)
