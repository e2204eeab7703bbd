"""How the C library's allocator treats the large tensors that every step makes anew."""

import ctypes
import os

# <malloc.h> of glibc
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
CHOSEN = ("GLIBC_TUNABLES", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_")  # by the user
NEVER = 2**31 - 1  # bytes at the heap's end: as many as the call can say


def keep_freed() -> bool:
    """Lets the process keep what it frees, to use it again; False where there is no glibc.

    By default glibc returns every block above 128 KiB to the system at once and asks for it again
    at the next step, when the system fills it with zeros: half of the time of feature extraction
    (docs/performance.md). What the environment sets has precedence.
    """
    if any(name in os.environ for name in CHOSEN):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, NEVER))
