"""Treatment protocols: the YAML that clinicians sign, and what reads it.

This package turns files into the domain's frozen protocols and into pages for clinicians. It must
not decide anything about care, and nothing in it may supply a value that a file leaves out.
"""
