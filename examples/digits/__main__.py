"""`python -m examples.digits`, which is `make demo`."""

import sys

from examples.digits.demo import main

sys.exit(main())
