"""Assignment of jobs to partitions and tickers (docs/scaling.md): the simulation's results, and NATS' subject mapping."""

import socket
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from nats.aio.client import Client

from support.deadlines import scaled, wait_until
from support.ports import free_port

ROOT = Path(__file__).parents[2]
TICKERS = [f"ticker-{number}" for number in range(8)]


@pytest.fixture(scope="module")
def partitions() -> ModuleType:
    spec = spec_from_file_location("partitions", ROOT / "bench/partitions.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_million_jobs_are_split_evenly_over_the_partitions(partitions: ModuleType) -> None:
    places = partitions.partition([f"job%20{number}" for number in range(1_000_000)], 256)
    assert partitions.unevenness(places, 256) < 1.1


@pytest.mark.parametrize("dead", [0, 3, 7])
def test_with_rendezvous_only_the_dead_tickers_partitions_move(partitions: ModuleType, dead: int) -> None:
    keys = np.arange(100_000, dtype=np.uint64)
    left = [ticker for number, ticker in enumerate(TICKERS) if number != dead]
    share, had_to = partitions.moved(keys, partitions.rendezvous, TICKERS, left)
    assert share == had_to
    assert share == pytest.approx(1 / 8, rel=0.05)
    joined, _ = partitions.moved(keys, partitions.rendezvous, TICKERS, [*TICKERS, "another"])
    assert joined == pytest.approx(1 / 9, rel=0.05)
    assert partitions.unevenness(partitions.rendezvous(keys, TICKERS), 8) < 1.05


def test_jump_hash_matches_only_for_the_last_ticker_and_modulo_never(partitions: ModuleType) -> None:
    keys = np.arange(100_000, dtype=np.uint64)
    last_gone = partitions.moved(keys, partitions.jump, TICKERS, TICKERS[:-1])
    assert last_gone[0] == last_gone[1] == pytest.approx(1 / 8, rel=0.05)
    first_gone, had_to = partitions.moved(keys, partitions.jump, TICKERS, TICKERS[1:])
    assert first_gone > 3 * had_to
    share, had_to = partitions.moved(keys, partitions.remainder, TICKERS, TICKERS[:-1])
    assert share > 5 * had_to


def test_bounded_loads_are_even_and_move_little_more_than_the_minimum(partitions: ModuleType) -> None:
    keys = np.arange(256, dtype=np.uint64)
    assert partitions.unevenness(partitions.bounded(keys, TICKERS), 8) == 1.0
    share, had_to = partitions.moved(keys, partitions.bounded, TICKERS, TICKERS[:3] + TICKERS[4:])
    assert had_to == 1 / 8
    assert share < 2 * had_to


async def test_a_real_server_maps_subjects_to_the_same_partitions(partitions: ModuleType, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "nats.conf"
    mapping = '"jobs.*.*": "jobs.{{partition(16,1)}}.{{wildcard(1)}}.{{wildcard(2)}}"'
    config.write_text(f"host: 127.0.0.1\nport: {port}\nmappings = {{ {mapping} }}\n")
    names = ["daily%20sales", "a", "Umsätze", *(f"job-{number}" for number in range(50))]
    with subprocess.Popen(  # noqa: ASYNC220 (it returns at once)
        [Path(sys.executable).parent / "nats-server", "-c", config], stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_until(lambda: not _refused(port), "nats-server answers")
            client = Client()
            await client.connect(f"nats://127.0.0.1:{port}")
            mapped = await client.subscribe("jobs.*.*.job-created")
            for name in names:
                await client.publish(f"jobs.{name}.job-created")
            subjects = [(await mapped.next_msg(timeout=scaled(10))).subject.split(".") for _ in names]
            await client.close()
        finally:
            server.terminate()
    assert {name: int(number) for _, number, name, _ in subjects} == dict(
        zip(names, partitions.partition(names, 16).tolist(), strict=True)
    )


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
