"""Scripts that attack the drawing of charts, and the second fork server, which has matplotlib imported."""

from runner.hostile.case import Hostile

_PLOT = "import matplotlib.pyplot as plt\n"

CHARTS = {
    "draws_a_figure_of_a_million_inches": Hostile(
        _PLOT + "plt.figure(figsize=(1_000_000, 1_000_000)).text(0.5, 0.5, 'x')", ("output", "out_of_memory"), ""
    ),
    "draws_a_figure_of_noise_at_4000_dpi": Hostile(
        _PLOT + "figure, axes = plt.subplots(figsize=(20, 20), dpi=4000)\naxes.imshow(np.random.random((2000, 2000)))",
        ("output", "out_of_memory", "succeeded"),
    ),
    "draws_10_000_figures": Hostile(
        _PLOT + "for _ in range(10_000): plt.subplots()", ("output", "out_of_memory", "timeout")
    ),
    "writes_markup_and_control_characters_into_its_titles": Hostile(
        _PLOT
        + "figure, axes = plt.subplots()\n"
        + "axes.set_title('<svg onload=alert(1)>\\x1b[2J\\r\\nBcc: a@example.com\\u202e' + 'x' * 500)",
        ("succeeded", "output", "out_of_memory"),
    ),
    "writes_nested_mathtext": Hostile(
        _PLOT + "plt.subplots()[1].set_title('$' + '{' * 5000 + 'x' + '}' * 5000 + '$')", ("output", "script", "killed")
    ),
    "replaces_savefig_by_one_that_writes_no_png": Hostile(
        _PLOT
        + "from matplotlib.figure import Figure\n"
        + "Figure.savefig = lambda self, file, **_: file.write(b'<svg onload=alert(1)>')\nplt.subplots()",
        ("output", "killed"),
    ),
    "replaces_savefig_by_one_that_writes_a_forged_png": Hostile(
        _PLOT
        + "from matplotlib.figure import Figure\n"
        + "png = b'\\x89PNG\\r\\n\\x1a\\n' + b'\\0\\0\\0\\rIHDR' + b'\\0\\0\\x0f\\xa0' * 2 + b'\\x08\\2\\0\\0\\0' + b'x' * 1000\n"
        + "Figure.savefig = lambda self, file, **_: file.write(png)\nplt.subplots()",
        ("output", "killed"),
    ),
    "replaces_savefig_by_one_that_ends_the_process": Hostile(
        _PLOT
        + "from matplotlib.figure import Figure\n"
        + "def end(*_, **__): raise SystemExit(3)\nFigure.savefig = end\nplt.subplots()",
        ("output", "script", "killed"),
    ),
    "takes_all_memory_while_it_is_drawn": Hostile(
        _PLOT
        + "class Bomb(plt.Line2D):\n"
        + "    def draw(self, renderer): self.kept = [bytearray(1 << 20) for _ in range(100_000)]\n"
        + "plt.subplots()[1].add_line(Bomb([0, 1], [0, 1]))",
        ("out_of_memory",),
    ),
    "never_ends_while_it_is_drawn": Hostile(
        _PLOT
        + "class Endless(plt.Line2D):\n"
        + "    def draw(self, renderer):\n        while True: pass\n"
        + "plt.subplots()[1].add_line(Endless([0, 1], [0, 1]))",
        ("timeout",),
    ),
    "replaces_the_backend_and_forgets_its_figures": Hostile(
        _PLOT
        + "plt.figure()\nbackend = __import__('sys').modules['nightmail_runner.sandbox.child.figure_backend']\n"
        + "for name in list(vars(backend)): setattr(backend, name, None)",
        ("succeeded", "output", "script", "killed"),
    ),
    "signals_the_fork_server_of_charts": Hostile(
        _PLOT
        + "os = __import__('os')\n"
        + "for signal in (9, 15, 19): attempt(os.kill, os.getppid(), signal)\n"
        + "for descriptor in range(3, 64):\n"
        + "    try: os.write(descriptor, b'{' * 4096)\n"
        + "    except OSError: pass",
        ("succeeded", "killed"),
    ),
    "writes_a_figure_of_256_mib_into_its_file": Hostile(
        _PLOT
        + "os = __import__('os')\nplt.subplots()\n"
        + "for descriptor in range(3, 16):\n"
        + "    try: os.ftruncate(descriptor, 1 << 28)\n"
        + "    except OSError: pass",
        ("succeeded", "killed", "output", "output_too_large"),
    ),
}
