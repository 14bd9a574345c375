"""`python -m forgewright`: the command line."""

import sys

from forgewright.cli.main import main

sys.exit(main())
