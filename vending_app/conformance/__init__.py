"""The point-of-sale steps of STS 531 that no vector can show, run against the real engine.

Vectors prove tokens; what a point of sale refuses, shifts in time or does by itself is proved here:
token identifiers (CTSA09), expired keys (CTSA16), check digits (CTSA17) and the automatic key
change (CTSA19). Everything is real but the clock: a database, a vault and the security module, in a
folder that is thrown away.
"""

from vending_app.conformance.point import PointOfSale, open_point
from vending_app.conformance.steps import STEPS, Step, StepResult, run

__all__ = ["STEPS", "PointOfSale", "Step", "StepResult", "open_point", "run"]
