"""Which answers to the exercises a check lets pass: broken solutions, and right answers in other styles."""
