"""How studies come from a PACS and results go to one: DICOMweb and DIMSE. What a peer sends is hostile."""
