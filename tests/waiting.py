"""How long a test waits for what must come. A busy machine is no fault, so the limit is generous: it only
ends what would never end."""
import os
import time

LIMIT_S = float(os.environ.get("OBHUT_TEST_LIMIT", 120))


def until(check, what, pause_s=0.02):
    """What `check` returns as soon as it is true."""
    end = time.monotonic() + LIMIT_S
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"never: {what() if callable(what) else what}")
        time.sleep(pause_s)
