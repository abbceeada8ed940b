"""The completed steps of the workshop, which the kit itself runs."""
