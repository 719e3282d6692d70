"""Scripts that exceed their limits."""

from runner.hostile.case import Hostile

LIMITS = {
    "takes_memory_in_objects": Hostile("kept = []\nwhile True: kept.append(bytearray(10_000_000))", ("out_of_memory",)),
    "takes_memory_in_one_piece": Hostile("kept = np.ones(10**11)", ("out_of_memory",)),
    "takes_memory_in_arrow": Hostile(
        "import pyarrow as pa\nkept = []\nwhile True: kept.append(pa.array(np.arange(5_000_000)))", ("out_of_memory",)
    ),
    "takes_memory_in_shared_mappings": Hostile(
        "import mmap\nkept = []\nwhile True: kept.append(mmap.mmap(-1, 50_000_000))\n",
        ("out_of_memory", "script"),
    ),
    "takes_memory_in_pipes": Hostile(
        """
import os
kept = []
try:
    while True:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        kept.append((reading, writing))
        while os.write(writing, bytes(65536)): pass
except BlockingIOError:
    pass
while True:
    kept.append(os.pipe())
""",
        ("script",),
        "Too many open files",
    ),
    "takes_memory_with_an_exploding_string": Hostile("text = 'x'\nwhile True: text += text", ("out_of_memory",)),
    "takes_memory_with_an_exploding_merge": Hostile(
        "data['k'] = 1\nwhile True: data = data.merge(data, on='k').rename(columns=str)", ("out_of_memory", "script")
    ),
    "computes_for_ever": Hostile("while True: pass", ("timeout",)),
    "computes_for_ever_inside_of_c": Hostile("x = 7 ** (10 ** 9)", ("timeout",)),
    "sleeps_for_ever": Hostile("import time\nwhile True: time.sleep(1000)", ("timeout",)),
    "ignores_every_signal": Hostile(
        """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass
""",
        ("timeout",),
    ),
    "matches_a_catastrophic_pattern": Hostile("import re\nre.match(r'(a+)+$', 'a' * 64 + 'b')", ("timeout",)),
    "prints_without_end": Hostile("while True: print('x' * 10_000)", ("timeout",)),
    "prints_a_hundred_megabytes": Hostile("for _ in range(100): print('x' * 1_000_000)", ("succeeded", "timeout")),
    "writes_more_than_a_result_may_have": Hostile(
        "result = pd.DataFrame({'a': ['x' * 1000] * 60_000})", ("output_too_large",)
    ),
    "fills_the_output_behind_pandas_back": Hostile(
        """
import os
for descriptor in range(3, 64):
    try:
        while os.write(descriptor, bytes(1_000_000)): pass
    except OSError:
        pass
""",
        ("killed", "succeeded", "output_too_large", "timeout"),
    ),
    "recurses": Hostile("def f(): return f()\nf()", ("script",), "recursion"),
    "crashes_the_interpreters_stack": Hostile(
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return [f() for _ in [1]]\nf()",
        ("killed", "out_of_memory", "script", "timeout"),
    ),
    "is_too_deeply_nested": Hostile("result = " + "(" * 5000 + "data" + ")" * 5000, ("script",)),
    "starts_threads_without_end": Hostile(
        """
import threading, time
threading.stack_size(65536)
started = 0
try:
    while started < 5000:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        started += 1
    print('HOLE', started)
except (RuntimeError, MemoryError) as error:
    print('stopped at', started)
"""
    ),
    "opens_files_without_end": Hostile(
        "import pandas\nkept = []\nwhile True: kept.append(open(pandas.__file__))", ("script",), "Too many open files"
    ),
}
