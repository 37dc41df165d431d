"""`python -m anabranch`: the command line."""

import sys

from anabranch.cli import main

sys.exit(main())
