"""The arms: the models of a run, by what each has read; all that names them takes them from here."""

from __future__ import annotations

from typing import Literal, get_args

Trained = Literal["filtered", "unfiltered", "article", "continued", "dosed"]
"""The arms that are compared with the floor."""
Arm = Literal[Trained, "floor"]
ARMS: tuple[Arm, ...] = get_args(Arm)
"""All arms in the order in which they are built and shown: the product first, the floor last."""
TextArm = Literal["filtered", "unfiltered", "article", "dosed", "floor"]
"""Arms with a text of their own; ``continued`` trains the unfiltered model on with the filtered text."""
TEXTS: tuple[TextArm, ...] = get_args(TextArm)
