"""`./dev bench peers`: the same Observations by other people's FHIR clients and by Kairos.

Each creates them in the same EHR and reads them back, as many at once as Kairos has lanes. First
with nothing lost, for the rate; then where the answer to every so-manyth POST is lost after the EHR
has written, once with conditional create and once without. What stands is counted in the EHR.
"""
