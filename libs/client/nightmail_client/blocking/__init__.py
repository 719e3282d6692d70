"""The client without asyncio. `generate.py` makes this folder from `asynchronous`: edit that one."""
