"""Do the tests hold what they stand for? A sample of the product is broken, one small thing at a time.

`make mutants` is the way in; it never touches the working tree.
"""
