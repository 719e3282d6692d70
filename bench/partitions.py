"""How a million jobs would be shared out: over partitions of the log, and the partitions over tickers (docs/scaling.md).

A simulation of what is not built. A job's partition is what NATS makes of its subject token (`{{partition(n,1)}}`: FNV-1a, 32 bits,
modulo n; a test compares it with a real server), so that every event of a job is in one partition. Which ticker holds a partition's
lease is decided by hashing. Compared are: the remainder, jump consistent hashing (Lamping and Veach, 2014) and rendezvous hashing
(Thaler and Ravishankar, 1998). What counts: how even it is, and what moves when a ticker dies. Only what it held should.
"""

import argparse
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
#: From names of tickers, and where to place: returns the place of each ticker in the list, for every key.
Placing = Callable[[Words, Sequence[str]], npt.NDArray[np.int64]]

JOBS = 1_000_000
PARTITIONS = 256
TICKERS = 8

_FNV_OFFSET, _FNV_PRIME = 2166136261, 16777619


def fnv1a(names: Sequence[str]) -> Words:
    """Return the 32-bit FNV-1a hash of each name's UTF-8."""
    encoded = [name.encode() for name in names]
    lengths = np.array([len(name) for name in encoded])
    letters = np.zeros((len(encoded), int(lengths.max())), dtype=np.uint64)
    for length in np.unique(lengths):
        of_this_length = np.flatnonzero(lengths == length)
        joined = b"".join(encoded[index] for index in of_this_length)
        letters[of_this_length, :length] = np.frombuffer(joined, dtype=np.uint8).reshape(-1, int(length))
    hashes = np.full(len(encoded), _FNV_OFFSET, dtype=np.uint64)
    for position in range(letters.shape[1]):
        stepped = ((hashes ^ letters[:, position]) * np.uint64(_FNV_PRIME)) & np.uint64(0xFFFFFFFF)
        hashes = np.where(position < lengths, stepped, hashes)
    return hashes


def partition(names: Sequence[str], partitions: int) -> Words:
    """Return the partition that NATS' subject mapping gives each token."""
    return fnv1a(names) % np.uint64(partitions)


def mixed(keys: Words) -> Words:
    """Return 64 well mixed bits of each key (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        bits = keys + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))


def remainder(keys: Words, tickers: Sequence[str]) -> npt.NDArray[np.int64]:
    return (mixed(keys) % np.uint64(len(tickers))).astype(np.int64)


def jump(keys: Words, tickers: Sequence[str]) -> npt.NDArray[np.int64]:
    """Jump consistent hashing: even and without memory, but it knows tickers by number only."""
    state = mixed(keys)
    place = np.zeros(len(keys), dtype=np.int64)
    following = np.zeros(len(keys), dtype=np.int64)
    going = following < len(tickers)
    while going.any():
        place = np.where(going, following, place)
        with np.errstate(over="ignore"):
            state = np.where(going, state * np.uint64(2862933555777941757) + np.uint64(1), state)
        ratio = float(1 << 31) / ((state >> np.uint64(33)).astype(np.float64) + 1)
        following = np.where(going, ((place + 1) * ratio).astype(np.int64), following)
        going = following < len(tickers)
    return place


def rendezvous(keys: Words, tickers: Sequence[str]) -> npt.NDArray[np.int64]:
    """Rendezvous hashing: of all tickers, the one whose hash with the key is the highest."""
    best = np.zeros(len(keys), dtype=np.uint64)
    place = np.zeros(len(keys), dtype=np.int64)
    for number, ticker in enumerate(tickers):
        weights = mixed(keys ^ mixed(fnv1a([ticker])))
        higher = weights > best
        best, place = np.where(higher, weights, best), np.where(higher, number, place)
    return place


def bounded(keys: Words, tickers: Sequence[str]) -> npt.NDArray[np.int64]:
    """Rendezvous hashing with bounded loads: who has its share already leaves the key to the next highest.

    For partitions, not for a million jobs: it places one key after the other.
    """
    weights = np.stack([mixed(keys ^ mixed(fnv1a([ticker]))) for ticker in tickers])
    share = -(-len(keys) // len(tickers))
    room = dict.fromkeys(range(len(tickers)), share)
    place = np.zeros(len(keys), dtype=np.int64)
    for key, ranked in enumerate(np.argsort(weights, axis=0)[::-1].T.tolist()):
        place[key] = next(ticker for ticker in ranked if room[ticker])
        room[int(place[key])] -= 1
    return place


def unevenness(places: npt.NDArray[np.int64] | Words, of: int) -> float:
    """Return how much more than its share the fullest has: 1.0 is even."""
    counts = np.bincount(places.astype(np.int64), minlength=of)
    return float(counts.max() / counts.mean())


def moved(keys: Words, placing: Placing, before: Sequence[str], after: Sequence[str]) -> tuple[float, float]:
    """Return which share of the keys has another ticker after a change, and which share had to: those of who is gone."""
    old = np.array(before)[placing(keys, before)]
    new = np.array(after)[placing(keys, after)]
    return float((old != new).mean()), float(np.isin(old, list(set(before) - set(after))).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--partitions", type=int, default=PARTITIONS)
    parser.add_argument("--tickers", type=int, default=TICKERS)
    options = parser.parse_args()
    tickers = [f"ticker-{number}" for number in range(options.tickers)]
    dead = options.tickers // 2
    fewer = [ticker for number, ticker in enumerate(tickers) if number != dead]
    more = [*tickers, f"ticker-{options.tickers}"]

    jobs = partition([f"job%20{number}" for number in range(options.jobs)], options.partitions)
    print(f"{options.jobs:,} jobs over {options.partitions} partitions of the log (FNV-1a, as NATS does it)")
    print(f"  fullest partition: {unevenness(jobs, options.partitions):.3f} of the mean\n")
    print(f"{options.partitions} partitions over {options.tickers} tickers, and the jobs with them")
    print(
        f"{'':>12} {'fullest':>8} {'jobs in it':>11} {'one dies: moved':>16} {'had to':>7} {'one more: moved':>16} {'ideal':>6}"
    )
    placings: dict[str, Placing] = {"remainder": remainder, "jump": jump, "rendezvous": rendezvous}
    numbers = np.arange(options.partitions, dtype=np.uint64)
    for name, placing in (placings | {"bounded": bounded}).items():
        places = placing(numbers, tickers)
        lost, had_to = moved(numbers, placing, tickers, fewer)
        gained, _ = moved(numbers, placing, tickers, more)
        print(
            f"{name:>12} {unevenness(places, len(tickers)):>8.3f} {unevenness(places[jobs.astype(np.int64)], len(tickers)):>11.3f}"
            f" {lost:>16.1%} {had_to:>7.1%} {gained:>16.1%} {1 / len(more):>6.1%}"
        )
    print(f"\nthe same, had each of the {options.jobs:,} jobs a lease of its own")
    keys = np.arange(options.jobs, dtype=np.uint64)
    for name, placing in placings.items():
        lost, had_to = moved(keys, placing, tickers, fewer)
        gained, _ = moved(keys, placing, tickers, more)
        full = unevenness(placing(keys, tickers), len(tickers))
        print(f"{name:>12} {full:>8.3f} {'':>11} {lost:>16.1%} {had_to:>7.1%} {gained:>16.1%} {1 / len(more):>6.1%}")


if __name__ == "__main__":
    main()
