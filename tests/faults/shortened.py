"""Whether the fault tests run whole (`make test-faults`) or shortened, as among all the others."""

import os

IS_WHOLE = os.environ.get("HUYING_FAULTS") == "all"
