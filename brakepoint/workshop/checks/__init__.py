"""The checks of each step: `check_EXERCISE(lab)` returns when the answer is right, or raises `Wrong`."""
