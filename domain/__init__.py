"""What a pathway means, what comes next, and why.

Pure functions over frozen data: standard library only, no clock, no input or output. Everything
that needs the time takes it as an argument. Start with `planner.py`.
"""
