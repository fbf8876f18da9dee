"""The demo: real parts, synthetic patients, virtual months. Nothing here runs in production."""
