"""The edge of HTTP: who calls, what the body says, and how what went wrong is answered."""
