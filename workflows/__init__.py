"""What happens when: durable workflows that wait. They know no rule of care.

Workflow code imports Temporal and the standard library; activities are named by the stubs in
`effects.py`, so that nothing here can touch the world. Read `care_pathway.py` first. Any change in
this folder, of a comment too, is another build: its runs are brought over.
"""
