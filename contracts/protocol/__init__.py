"""What the chassis promises from one release to the next: golden examples of everything that services of two versions exchange.

Each version writes examples with its own chassis (`writing.py`, by `make documents`), and reads those of another (`reading.py`). All
services of one checkout have the same chassis, so a change of it that is made on both sides at once is seen across versions alone.
"""
