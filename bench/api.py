"""The cost of the API beside bare FastAPI on the same core, and of its lists over a million runs.

Three parts, each on its own by `--part`: `rates` (create and get, as ratios to bare FastAPI), `lists` (every list over
10,000 jobs, 1,000,000 runs and as many mails), `catch-up` (the read model rebuilt from the log).
"""

import argparse
import asyncio

from api_parts.catch_up import catch_up
from api_parts.lists import lists
from api_parts.rates import rates

PARTS = {"rates": rates, "lists": lists, "catch-up": catch_up}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, action="append")
    for part in parser.parse_args().part or PARTS:
        asyncio.run(PARTS[part]())


if __name__ == "__main__":
    main()
