"""Types that the package's functions share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

PathText = str | os.PathLike[str]
Told = Callable[[dict[str, Any]], object]
Progress = Told | bool | None
FloatArray = npt.NDArray[np.float32]
