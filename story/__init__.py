"""A clinic with people in it: two sites, months of care, every state and trouble, as of one hour.

Filled through the API by the demo's staff, so that nothing stands there which nobody could enter.
"""
