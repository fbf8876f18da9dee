"""Reading: what the store and the EHRs hold, as people and programs are shown it."""
