"""`python -m scurry` is the command `scurry`."""

import sys

from scurry.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
