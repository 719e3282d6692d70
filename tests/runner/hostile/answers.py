"""Scripts that send false answers, or try to change the next run."""

from runner.hostile.case import Hostile

_SOCKET = """
import json, os, socket, struct
own = socket.socket(fileno=3)
def say(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    own.sendall(struct.pack('>I', len(body)) + body)
"""

ANSWERS = {
    "reports_a_timeout": Hostile(
        _SOCKET + "say({'kind': 'timeout', 'type': 'T', 'message': 'm', 'timings': {}})\nos._exit(0)", ("killed",)
    ),
    "reports_a_broken_sandbox": Hostile(
        _SOCKET + "say({'kind': 'sandbox', 'type': 'T', 'message': 'm', 'timings': {}})\nos._exit(0)", ("killed",)
    ),
    "answers_with_rows_that_are_no_number": Hostile(
        _SOCKET + "say({'rows': 'many', 'columns': 3, 'timings': None})\nos._exit(0)", ("killed",)
    ),
    "answers_with_more_rows_than_a_table_holds": Hostile(
        _SOCKET + "say({'rows': 10**30, 'columns': ['x'], 'timings': {}})\nos._exit(0)", ("killed",)
    ),
    "answers_with_more_rows_than_a_database_counts": Hostile(
        _SOCKET + "say({'rows': 2**64, 'columns': ['x'], 'timings': {}})\nos._exit(0)", ("killed",), "rows"
    ),
    "answers_with_more_rows_than_are_allowed": Hostile(
        _SOCKET + "say({'rows': 2**62, 'columns': ['x'], 'timings': {}})\nos._exit(0)", ("killed",), "MAX_ROWS"
    ),
    "answers_with_one_column_name_of_a_megabyte": Hostile(
        _SOCKET + "say({'rows': 1, 'columns': ['x' * 1_048_000], 'timings': {}})\nos._exit(0)",
        ("killed",),
        "the column names take",
    ),
    "answers_with_column_names_that_json_escapes": Hostile(
        _SOCKET + "say({'rows': 1, 'columns': ['\\x01' * 30_000], 'timings': {}})\nos._exit(0)",
        ("killed",),
        "the column names take",
    ),
    "answers_with_notes_that_json_escapes": Hostile(
        _SOCKET + "say({'rows': 1, 'columns': ['x'], 'notes': ['\\x01' * 500] * 50})\nos._exit(0)",
        ("killed",),
        "the notes take",
    ),
    "answers_with_a_long_message": Hostile(
        _SOCKET + "say({'kind': 'script', 'type': 'T', 'message': 'm' * 100_000})\nos._exit(0)", ("killed",)
    ),
    "claims_fewer_rows_than_its_file_has": Hostile(
        _SOCKET + "os.write(5, b'x\\n' * 4)\nsay({'rows': 1, 'columns': ['x']})\nos._exit(0)", ("killed",), "4 records"
    ),
    "claims_a_row_of_a_file_without_one": Hostile(
        _SOCKET + "os.ftruncate(5, 30 << 20)\nsay({'rows': 1, 'columns': ['x']})\nos._exit(0)",
        ("killed",),
        "the CSV ends within a record",
    ),
    "makes_its_file_larger_than_a_result_may_be": Hostile(
        "import os\nos.ftruncate(5, 1 << 30)", ("script",), "File too large"
    ),
    "writes_a_file_that_is_no_utf_8": Hostile(
        _SOCKET + "os.write(5, b'x\\n\\xff\\n')\nsay({'rows': 1, 'columns': ['x']})\nos._exit(0)", ("killed",), "UTF-8"
    ),
    "answers_with_a_negative_time": Hostile(
        _SOCKET + "say({'rows': 1, 'columns': ['x'], 'timings': {'script': -1.0}})\nos._exit(0)", ("killed",)
    ),
    "answers_with_an_infinite_time": Hostile(
        _SOCKET + 'say(b\'{"rows": 1, "columns": [], "timings": {"script": 1e999}}\')\nos._exit(0)', ("killed",)
    ),
    "answers_with_the_time_of_a_stage_that_is_not_its_own": Hostile(
        _SOCKET + "say({'rows': 1, 'columns': ['x'], 'timings': {'fetch': 1.0}})\nos._exit(0)", ("killed",)
    ),
    "answers_in_the_right_form": Hostile(
        _SOCKET
        + "os.write(5, b'x\\n1\\n')\n"
        + "say({'rows': 1, 'columns': ['x'], 'timings': {'script': 1.5}, 'log': 'HOLE'})\nos._exit(0)"
    ),
    "answers_with_no_json": Hostile(_SOCKET + "say(b'\\xff\\xfe{')\nos._exit(0)", ("killed",)),
    "answers_with_json_of_great_depth": Hostile(_SOCKET + "say(b'[' * 500_000)\nos._exit(0)", ("killed",)),
    "promises_a_message_of_four_gigabytes": Hostile(
        _SOCKET + "own.sendall(b'\\xff' * 8)\nimport time\ntime.sleep(60)", ("killed",)
    ),
    "promises_a_message_and_never_sends_it": Hostile(
        _SOCKET + "own.sendall(b'\\x00\\x00\\x10\\x00')\nimport time\ntime.sleep(60)", ("timeout",)
    ),
    "sends_descriptors_with_its_answer": Hostile(
        _SOCKET
        + """
for _ in range(20):
    try:
        socket.send_fds(own, [b'\\x00'], [0, 1, 2])
    except OSError:
        pass
os._exit(0)
""",
        ("killed",),
    ),
    "answers_with_a_million_column_names": Hostile(
        _SOCKET + "say({'rows': 1, 'columns': ['x'] * 200_000, 'timings': {}})\nos._exit(0)", ("killed",)
    ),
    "ends_itself_quietly": Hostile("import os\nos._exit(0)", ("killed",)),
    "ends_with_sys_exit": Hostile("import sys\nsys.exit(0)", ("script",)),
    "crashes": Hostile("import ctypes\nctypes.string_at(0)", ("killed",), "SIGSEGV"),
    "aborts": Hostile("import os\nos.abort()", ("killed",)),
    "closes_everything": Hostile("import os\nos.closerange(0, 64)\nos._exit(3)", ("killed",)),
    "closes_everything_and_stays": Hostile("import os, time\nos.closerange(0, 64)\ntime.sleep(60)", ("killed",)),
    "goes_on_in_a_thread_after_its_result": Hostile(
        """
import threading
def spin():
    while True: pass
threading.Thread(target=spin).start()
"""
    ),
    "keeps_a_writable_map_of_its_result": Hostile(
        """
import mmap, os
for descriptor in range(4, 64):
    try:
        os.ftruncate(descriptor, 4096)
        kept = mmap.mmap(descriptor, 4096)
    except (OSError, ValueError):
        continue
"""
    ),
    "overwrites_its_input": Hostile(
        """
import os, mmap
for descriptor in range(4, 64):
    if descriptor != 5:
        try:
            os.pwrite(descriptor, b'evil', 0)
        except OSError:
            continue
"""
    ),
    "patches_pandas_for_the_next_run": Hostile(
        """
import builtins, sys
pd.DataFrame.to_csv = lambda *a, **k: 'evil'
pd.read_csv = None
np.sum = None
builtins.len = lambda thing: 0
builtins.open = None
sys.modules['json'] = None
sys.settrace(lambda *a: None)
del pd.DataFrame.groupby
raise RuntimeError('done')
""",
        ("script", "killed"),
    ),
    "replaces_the_code_that_answers": Hostile(
        """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith('nightmail'):
        for attribute in list(vars(module)):
            if not attribute.startswith('__'):
                setattr(module, attribute, None)
""",
        ("killed", "script", "output", "succeeded"),
    ),
    "returns_a_dataframe_that_lies": Hostile(
        """
class Lying(pd.DataFrame):
    def to_csv(self, *a, **k): raise SystemExit('from to_csv')
    def __len__(self): return -5
    @property
    def columns(self): return [object()]
result = Lying({'a': [1]})
""",
        ("killed", "output", "succeeded", "script"),
    ),
    "raises_an_exception_that_lies": Hostile(
        """
class Lie(Exception):
    def __str__(self): raise SystemExit(3)
    def __repr__(self): raise SystemExit(3)
raise Lie('x' * 10_000_000)
""",
        ("script", "killed"),
    ),
    "raises_an_exception_with_a_text_without_end": Hostile("raise ValueError('x' * 50_000_000)", ("script",)),
    "unpickles_a_program": Hostile(
        """
import pickle, io
class Evil:
    def __reduce__(self):
        import os
        return os.system, ('touch /tmp/hole',)
assert pickle.loads(pickle.dumps(Evil())) != 0
attempt(pd.read_pickle, io.BytesIO(b"cposix\\nfork\\n(tR."))
"""
    ),
    "hides_itself_in_exit_handlers": Hostile(
        """
import atexit, gc, sys
atexit.register(lambda: print('HOLE atexit'))
sys.excepthook = None
sys.stdout = None
class Late:
    def __del__(self):
        while True: pass
kept = Late()
"""
    ),
    "escapes_into_our_frames": Hostile(
        """
import sys
frame = sys._getframe()
while frame.f_back is not None:
    frame = frame.f_back
    for name, value in list(frame.f_locals.items()):
        if 'secret' in name.lower() or 'password' in name.lower() or 'token' in name.lower():
            print('HOLE', name)
"""
    ),
}
