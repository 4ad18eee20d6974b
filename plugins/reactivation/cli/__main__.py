"""``python -m reactivation.cli``."""

import sys

from reactivation.cli import main

sys.exit(main())
