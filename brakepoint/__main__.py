"""`python -m brakepoint` is the command `brakepoint`."""

from brakepoint.cli import main

if __name__ == "__main__":
    main()
