"""`python -m forgewright`."""

import sys

from forgewright.cli.main import main

sys.exit(main())
