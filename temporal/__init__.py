"""The way to and from Temporal: gateway, payload converter, clock. No workflow imports this."""
