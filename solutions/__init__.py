"""The steps of the workshop, complete: the code that the kit itself runs."""
