"""Scripts whose results, exceptions and strings override methods to break the code that handles them."""

from runner.hostile.case import Hostile

_RESULT = "result = pd.DataFrame({'a': [1, 2]})\n"

OBJECTS = {
    "says_that_its_result_is_a_dataframe": Hostile(
        """
class Liar:
    @property
    def __class__(self): return pd.DataFrame
result = Liar()
""",
        ("not_a_dataframe",),
        "Liar",
    ),
    "returns_a_repr_without_end": Hostile(
        "class Endless:\n    def __repr__(self): return 'x' * 10_000_000\nresult = Endless()",
        ("not_a_dataframe",),
        "Endless",
    ),
    "returns_a_repr_that_ends_the_process": Hostile(
        "class Ending:\n    def __repr__(self): raise SystemExit(7)\nresult = Ending()", ("script",)
    ),
    "returns_a_repr_that_never_returns": Hostile(
        "class Endless:\n    def __repr__(self):\n        while True: pass\nresult = Endless()", ("timeout",)
    ),
    "returns_a_generator_without_end": Hostile(
        "import itertools\nresult = (number for number in itertools.count())", ("not_a_dataframe",), "generator"
    ),
    "names_a_class_with_a_megabyte": Hostile("result = type('x' * 1_000_000, (), {})()", ("not_a_dataframe",)),
    "returns_a_subclass_whose_index_never_ends": Hostile(
        """
class Endless(pd.DataFrame):
    @property
    def index(self):
        while True: pass
result = Endless({'a': [1]})
""",
        ("succeeded", "timeout"),
    ),
    "returns_a_subclass_without_its_data": Hostile(
        """
class Hollow(pd.DataFrame):
    def __getattribute__(self, name): raise SystemExit('from __getattribute__')
result = Hollow({'a': [1]}) if False else object.__new__(Hollow)
""",
        ("output",),
    ),
    "has_column_names_that_raise": Hostile(
        """
class Name:
    def __str__(self): raise KeyboardInterrupt
    __repr__ = __format__ = __str__
result.columns = [Name(), Name()]
""",
        ("output",),
    ),
    "has_column_names_that_grow": Hostile(
        """
class Name:
    shown = 1
    def __str__(self):
        Name.shown *= 10
        return 'x' * Name.shown
result.columns = [Name(), Name()]
""",
        ("succeeded",),
    ),
    "has_column_names_of_a_lying_length": Hostile(
        """
class Name(str):
    def __len__(self): return -10**9
    def __str__(self): return self
    def __format__(self, spec): return self
result.columns = [Name('x' * 3_000_000), 'b']
""",
        ("succeeded",),
    ),
    "has_column_names_with_half_a_character": Hostile("result.columns = ['\\ud800', 'b']", ("script",)),
    "has_cells_with_half_a_character": Hostile(
        "result = pd.DataFrame({'a': pd.Series(['\\udfff'], dtype=object)})", ("output",)
    ),
    "has_cells_that_raise": Hostile(
        """
class Cell:
    def __str__(self): raise OSError(5, 'from a cell')
    __repr__ = __str__
result = pd.DataFrame({'a': [Cell()]})
""",
        ("output",),
        "OSError",
    ),
    "has_cells_that_never_end": Hostile(
        """
class Cell:
    def __str__(self):
        while True: pass
result = pd.DataFrame({'a': [Cell()]})
""",
        ("timeout",),
    ),
    "has_more_columns_than_a_spreadsheet": Hostile(
        "result = pd.DataFrame(np.zeros((1, 20_000)))", ("output_too_large",), "MAX_COLUMNS"
    ),
    "has_columns_of_several_levels_and_twice_the_same": Hostile(
        """
result = pd.DataFrame([[1, 2, 3]], columns=pd.MultiIndex.from_tuples([('a', 'x'), ('a', 'x'), (None, np.nan)]))
"""
    ),
    "has_nothing_but_holes": Hostile(
        "result = pd.DataFrame({np.nan: [np.nan, None], None: [pd.NaT, pd.NA]}, index=pd.Index([1, 1], name=np.nan))"
    ),
    "contains_itself": Hostile(
        "cell = []\ncell.append(cell)\nresult = pd.DataFrame({'a': pd.Series([cell, {}, result], dtype=object)})",
        ("succeeded", "output"),
    ),
    "raises_an_exception_that_cannot_be_shown": Hostile(
        """
class Unspeakable(Exception):
    __module__ = []
    def __str__(self): raise SystemExit
    def __getattribute__(self, name): raise SystemExit
raise Unspeakable
""",
        ("script",),
    ),
    "raises_an_exception_that_never_ends": Hostile(
        "class Endless(Exception):\n    def __str__(self):\n        while True: pass\nraise Endless", ("timeout",)
    ),
    "raises_an_exception_with_half_a_character": Hostile("raise ValueError('\\ud800 \\x00 here')", ("script",), "here"),
    "says_in_its_own_words_that_memory_is_out": Hostile("raise ValueError('out of memory')", ("script",), "ValueError"),
    "raises_ten_thousand_exceptions_in_a_chain": Hostile(
        """
def chain(depth):
    error = None
    for number in range(depth):
        following = ValueError(number)
        following.__cause__ = error
        error = following
    raise error
chain(10_000)
""",
        ("script", "timeout"),
    ),
    "raises_a_deep_group_of_exceptions": Hostile(
        """
error = ValueError('innermost')
for number in range(5_000):
    error = ExceptionGroup('group', [error])
raise error
""",
        ("script", "killed"),
    ),
    "raises_a_cycle_of_exceptions": Hostile(
        "one, two = ValueError('one'), ValueError('two')\none.__cause__, two.__cause__ = two, one\nraise one",
        ("script",),
    ),
    "leaves_with_a_base_exception": Hostile(
        "class Leave(BaseException): pass\nraise Leave('bye')", ("script",), "Leave"
    ),
    "interrupts_itself": Hostile("raise KeyboardInterrupt", ("script",), "KeyboardInterrupt"),
    "asks_for_input": Hostile("input('password: ')", ("script",), "EOF"),
    "closes_what_it_prints_to": Hostile(
        "import sys, os\nprint('x', end='')\nsys.stdout.close()\nos.close(1)\nos.close(2)"
    ),
    "prints_half_characters_and_nul": Hostile("import os\nprint('\\ud800 \\x00')\nos.write(1, bytes(range(256)))"),
    "traces_the_code_that_answers": Hostile(
        """
import sys
def trace(frame, event, argument):
    if frame.f_code.co_filename != '<script>': raise SystemExit('traced')
    return trace
sys.settrace(trace)
""",
        ("killed", "output", "script"),
    ),
    "leaves_no_room_for_our_calls": Hostile(
        "import sys\nsys.setrecursionlimit(sys._getframe().__sizeof__() and 60)",
        ("killed", "output", "script", "succeeded"),
    ),
    "breaks_the_collector_of_garbage": Hostile(
        """
import gc
gc.set_threshold(1, 1, 1)
gc.callbacks.append(lambda *a: 1 / 0)
for thing in gc.get_objects():
    if type(thing) is dict and 'answer' in thing:
        thing['answer'] = None
""",
        ("succeeded", "killed", "output", "script"),
    ),
    "counts_references_wrong": Hostile(
        "import ctypes\nctypes.memset(id(None), 0, 16)\nctypes.memset(id(True), 255, 16)\nresult = [None] * 1000",
        ("killed", "script", "not_a_dataframe"),
    ),
}
