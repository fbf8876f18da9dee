"""What happens when: durable workflows that wait. They ask the domain and never judge care.

Workflow code imports the domain, Temporal and the standard library; activities are named by the
stubs in `effects.py`, so that nothing here can touch the world. Read `care_pathway.py` first.
"""
