# SPDX-License-Identifier: BSD-2-Clause
"""All cases, in the order in which they are told."""

# ruff: noqa: F401, I001 - each of them puts its cases into the list
from . import initiator_suite
from . import virtual_machines
from . import cluster
from . import windows
from .story import CASES

__all__ = ["CASES"]
