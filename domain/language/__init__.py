"""The words that everything else is said in: ids, protocol, events, commands, what a check answers.

One floor below all rules. Nothing here decides anything.
"""
