"""Whether a logged metric passes its limit."""

from rarl.config import Limit


def fault(limit: Limit, value: float) -> str | None:
    """What is wrong with a value; None when it is within the limit."""
    if limit.least is not None and value < limit.least:
        return f"{value:.4g} is below its limit {limit.least:g}"
    if limit.most is not None and value > limit.most:
        return f"{value:.4g} is above its limit {limit.most:g}"
    return None
