"""How Kairos talks with an EHR: one exchange, the verbs, looking for lost writes, comparing."""
