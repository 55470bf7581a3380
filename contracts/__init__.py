"""What services promise each other, and the checks on it. Pact reports its use to its makers unless it is told not to."""

import os

os.environ["PACT_DO_NOT_TRACK"] = "true"
