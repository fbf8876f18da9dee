"""What touches the world: the database and the EHRs, on behalf of workflows.

An activity may run twice, and may die between any two lines: each is written so that running it
again is harmless. None decides anything about care.
"""
