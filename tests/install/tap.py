# SPDX-License-Identifier: BSD-2-Clause
"""Results as the Test Anything Protocol has them."""

count = failures = 0


def ok(passed, what, why=""):
    global count, failures
    count += 1
    failures += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {what}", flush=True)
    for line in str(why).splitlines() if not passed else []:
        print(f"# {line}")


def done():
    """The plan; the exit status."""
    print(f"1..{count}")
    return 1 if failures else 0
