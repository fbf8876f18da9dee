"""The only door for people and their software: HTTP under `/v1`.

Says who may, checks that a request can be meant, commits it to the inbox and sends it to the
pathway's workflow; reads the store for everything else. Must never perform an effect itself:
`activities` does, behind Temporal.
"""
