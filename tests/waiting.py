"""How long a test waits for what must come. A busy machine is no fault, so the limit is generous: it only
ends what would never end."""
import os
import time

LIMIT_S = float(os.environ.get("OBHUT_TEST_LIMIT", 120))
LONGEST_PAUSE_S = 0.1


def until(check, what, pause_s=0.02):
    """What `check` returns as soon as it is true. What takes long is asked for less often: others need the processor."""
    end = time.monotonic() + LIMIT_S
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"never: {what() if callable(what) else what}")
        time.sleep(pause_s)
        pause_s = max(pause_s, min(1.2 * pause_s, LONGEST_PAUSE_S))
