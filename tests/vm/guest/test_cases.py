# SPDX-License-Identifier: BSD-2-Clause
"""The public cases, the same script as on the simulated target: see tests/cases."""

from cases.guest_cases import PublicCases   # noqa: F401
