"""Mutation tests: breaks a sample of the product, one small thing at a time.

`make mutants` is the way in; it never touches the working tree.
"""
