"""The chapters of care: in each, what people may ask for, what must be so, and what comes of it.

`check_meant` says whether a wish can be meant at all: what it names is there, its times can have
been. `decide` asks the rules and says the facts. No chapter knows another: what two of them need
is a rule.
"""
