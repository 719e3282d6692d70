"""The client for asyncio. `generate.py` makes the folder `blocking` from this one."""
