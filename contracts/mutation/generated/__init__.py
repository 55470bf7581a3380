"""Breaks that are generated from the contracts: each field, status, code, header and parameter, in each way in which it can be wrong.

They are planted at run time, in what real providers answered and published (contracts/mutation/generated/recording.py), and in
what consumers declare; no source text is edited, so renaming a function or reformatting a file breaks no check.
"""
