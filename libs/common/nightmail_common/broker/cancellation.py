"""The former name of `patches.raise_if_cancelled`."""

from nightmail_common.broker.patches import raise_if_cancelled as end_if_cancelled

__all__ = ["end_if_cancelled"]
