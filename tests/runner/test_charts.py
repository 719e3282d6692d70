"""The charts of scripts: which figures come out, how they look, and what a script cannot do with them."""

import io
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest
from PIL import Image
from PIL.ImageFile import ImageFile

from nightmail_common.contract.limits import MAX_FIGURE_ALT_CHARS, MAX_FIGURE_SIDE_PIXELS
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.figure_check import png_size
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed, SandboxResult, Skipped, Succeeded
from nightmail_runner.sandbox.task import Limits, Task

DATA = b"day,north,south\n2026-01-01,10,5\n2026-01-02,7,9\n2026-01-03,12,6\n"
TASK = Task(
    script="",
    read=ReadOptions("csv"),
    job_name="daily sales",
    scheduled_at=datetime(2026, 1, 2, 9, tzinfo=UTC),
    limits=Limits(timeout_seconds=60),
)
pytestmark = pytest.mark.asyncio(loop_scope="module")

IMPORT = "import matplotlib.pyplot as plt\n"


async def draw(sandbox: Sandbox, script: str, *, figures: bool = True) -> tuple[SandboxResult, bytes, bytes]:
    """Return the result of a script on `DATA`, its CSV, and its PNGs one behind the other."""
    task = replace(TASK, script=script, figures=figures)
    with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv, MemoryFile("figures") as pngs:
        result = await sandbox.run(task, source, csv, figures=pngs if figures else None)
        return result, csv.read(), pngs.read()


async def figures_of(sandbox: Sandbox, script: str) -> tuple[Succeeded, list[ImageFile]]:
    result, _, data = await draw(sandbox, script)
    assert isinstance(result, Succeeded), result
    images = []
    for figure in result.figures:
        images.append(Image.open(io.BytesIO(data[: figure.size])))
        assert images[-1].size == (figure.width, figure.height)
        data = data[figure.size :]
    return result, images


async def failure_of(sandbox: Sandbox, script: str) -> Failed:
    result, _, _ = await draw(sandbox, script)
    assert isinstance(result, Failed), result
    return result


def alts(result: Succeeded) -> list[str]:
    return [figure.alt for figure in result.figures]


async def test_figures_come_in_the_order_of_their_drawing_with_their_words(sandbox: Sandbox) -> None:
    script = f"""{IMPORT}
from matplotlib.figure import Figure
data.plot(x="day", title="Orders", ylabel="orders")
fig = Figure()
fig.add_subplot().bar(["a", "b"], [1, 2])
plt.figure()
plt.scatter([1, 2], [3, 4])
plt.title("Dots")
return data
"""
    result, images = await figures_of(sandbox, script)
    assert alts(result) == [
        "Line chart: Orders. Horizontal axis: day. Vertical axis: orders. Series: north, south.",
        "Bar chart.",
        "Scatter plot: Dots.",
    ]
    assert all(900 < image.width <= 2000 for image in images)


async def test_a_script_plots_without_importing_matplotlib(sandbox: Sandbox) -> None:
    result, _ = await figures_of(sandbox, "data.north.plot.bar(title='North')\nresult = data")
    assert alts(result) == ["Bar chart: North."]


async def test_show_ends_a_figure_as_in_a_notebook_and_close_drops_one(sandbox: Sandbox) -> None:
    script = f"""{IMPORT}
import matplotlib
matplotlib.use("Agg")
plt.plot([1, 2]); plt.title("first"); plt.show()
plt.plot([2, 1]); plt.title("second"); plt.show()
plt.plot([1, 1]); plt.title("dropped"); plt.close()
plt.figure()
plt.figure(); plt.plot([3, 1]); plt.title("third")
return data
"""
    result, _ = await figures_of(sandbox, script)
    assert alts(result) == ["Line chart: first.", "Line chart: second.", "Line chart: third."]
    assert result.log == ""


async def test_a_run_without_figures_has_none_and_a_skipped_run_too(sandbox: Sandbox) -> None:
    result, _ = await figures_of(sandbox, f"{IMPORT}return data")
    assert result.figures == ()
    skipped, _, _ = await draw(sandbox, f"{IMPORT}plt.plot([1])\nskip('nothing')")
    assert isinstance(skipped, Skipped)


async def test_figures_are_opaque_so_that_dark_mails_do_not_hide_their_text(sandbox: Sandbox) -> None:
    script = f"""{IMPORT}
plt.rcParams["savefig.transparent"] = True
fig, ax = plt.subplots(facecolor="none")
ax.patch.set_alpha(0)
plt.figure(frameon=False); plt.plot([1, 2])
return data
"""
    _, images = await figures_of(sandbox, script)
    assert [image.convert("RGBA").getchannel("A").getextrema() for image in images] == [(255, 255)] * 2
    assert [image.convert("RGB").getpixel((2, 2)) for image in images] == [(255, 255, 255)] * 2


async def test_labels_outside_of_the_figure_are_in_the_picture(sandbox: Sandbox) -> None:
    script = f"""{IMPORT}
for legend in (False, True):
    plt.figure()
    plt.plot([1, 2], label="a long name of a series")
    if legend:
        plt.legend(loc="upper left", bbox_to_anchor=(1.1, 1))
return data
"""
    _, (without, with_legend) = await figures_of(sandbox, script)
    assert with_legend.width > without.width + 200


async def test_the_same_script_and_data_give_the_same_bytes(sandbox: Sandbox) -> None:
    script = "data.plot(x='day')\nresult = data"
    first, second = await draw(sandbox, script), await draw(sandbox, script)
    assert first[2] == second[2] != b""


@pytest.mark.parametrize(
    ("script", "kind", "says"),
    [
        (
            "for _ in range(11):\n    plt.figure(); plt.plot([1])",
            "output",
            "drew 11 figures, and a mail shows at most 10",
        ),
        ("plt.plot([1]); plt.title('$\\\\frac{1$')", "output", "figure 1 cannot be drawn: ValueError"),
        ("plt.figure(figsize=(12, 12)); plt.imshow(np.random.rand(2000, 2000, 3))", "output", "bytes as PNG; at most"),
        ("plt.plot([1]); plt.savefig('chart.png')", "script", "Nightmail mails the figures that a script draws"),
    ],
)
async def test_what_a_mail_cannot_show_fails_the_run_with_the_reason(
    sandbox: Sandbox, script: str, kind: str, says: str
) -> None:
    failed = await failure_of(sandbox, f"{IMPORT}{script}\nresult = data")
    assert failed.kind == kind
    assert says in failed.message


async def test_a_large_figure_gets_fewer_pixels(sandbox: Sandbox) -> None:
    _, (image,) = await figures_of(sandbox, f"{IMPORT}plt.figure(figsize=(30, 50)); plt.plot([1, 2])\nreturn data")
    assert image.width <= 2000
    assert image.height < MAX_FIGURE_SIDE_PIXELS


async def test_a_character_that_no_font_has_is_a_note(sandbox: Sandbox) -> None:
    result, _ = await figures_of(sandbox, f"{IMPORT}plt.plot([1]); plt.title('a \\U00013000 b')\nreturn data")
    assert result.output_notes == ("figure 1 shows boxes instead of \U00013000, which no font of the runner has",)


async def test_alternative_text_is_one_short_line(sandbox: Sandbox) -> None:
    script = f"{IMPORT}plt.plot([1]); plt.title('two\\nlines\\t\\x07 ' + 'x' * 400)\nreturn data"
    result, _ = await figures_of(sandbox, script)
    assert result.figures[0].alt.startswith("Line chart: two lines xxx")
    assert len(result.figures[0].alt) == MAX_FIGURE_ALT_CHARS


FORGED = """
import gc, json, os, socket, struct, zlib
def png(width=2, height=2, raw=None, extra=b""):
    chunk = lambda kind, content: struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    raw = b"\\0" * (height * (1 + width * 4)) if raw is None else raw
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
def answer(content, figures, alt="x"):
    # The worker's descriptors: its socket is 3, and its files follow.
    files = []
    for descriptor in range(4, 20):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        files.append(descriptor)
    csv, pngs = files[-2:]
    os.write(csv, b"a\\n1\\n")
    for start in range(0, len(content), 2**20):
        os.write(pngs, content[start : start + 2**20])
    figures = [{"alt": alt} | figure for figure in figures]
    body = json.dumps({"rows": 1, "columns": ["a"], "timings": {}, "notes": [], "figures": figures}).encode()
    sock = socket.socket(fileno=3)
    sock.sendall(struct.pack(">I", len(body)) + body)
    while True:
        pass
"""


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        ("answer(png(), [dict(size=len(png()), width=2, height=2)])", None),
        ("answer(b'<svg onload=alert(1)>', [dict(size=21, width=2, height=2)])", "signature"),
        ("answer(png(), [dict(size=len(png()), width=3, height=2)])", "not as large"),
        ("answer(png(), [dict(size=len(png()) - 1, width=2, height=2)])", "not the sum"),
        ("answer(png() + b'x', [dict(size=len(png()) + 1, width=2, height=2)])", "ends within a chunk"),
        ("answer(png(raw=b'0'), [dict(size=len(png(raw=b'0')), width=2, height=2)])", "do not fill"),
        ("answer(png(4001, 1), [dict(size=len(png(4001, 1)), width=4001, height=1)])", "figures"),
        ("answer(b'', [dict(size=2**20 + 1, width=2, height=2)])", "figures"),
        ("answer(png() * 11, [dict(size=len(png()), width=2, height=2)] * 11)", "figures"),
        ("answer(png(), [dict(size=len(png()), width=2, height=2)], alt='a' * 301)", "figures"),
        ("answer(png(), [dict(size=len(png()), width=2, height=2)], alt='a\\n<b>')", "one line"),
        ("answer(png(), [])", "not the sum"),
        ("answer(b'x' * 30 * 2**20, [])", "not the sum"),
    ],
)
async def test_a_script_cannot_forge_an_answer_with_other_than_checked_figures(
    sandbox: Sandbox, forged: str, says: str | None
) -> None:
    result, _, data = await draw(sandbox, FORGED + forged)
    if says is None:  # the forgery itself works: what it forges is what is refused
        assert isinstance(result, Succeeded), result
        assert png_size(data) == (2, 2)
    else:
        assert isinstance(result, Failed), result
        assert says in result.message


async def test_the_second_fork_server_starts_with_the_first_chart() -> None:
    before = fork_servers()
    async with Sandbox() as sandbox:
        await draw(sandbox, "return data", figures=False)
        assert len(fork_servers() - before) == 1
        await draw(sandbox, "data.plot()\nreturn data")
        await draw(sandbox, "data.plot()\nreturn data")
        assert len(fork_servers() - before) == 2
    assert fork_servers() == before


async def test_matplotlib_is_not_where_no_chart_is_expected(sandbox: Sandbox) -> None:
    result, _, _ = await draw(sandbox, "getattr(data, 'pl' + 'ot')()\nreturn data", figures=False)
    assert isinstance(result, Failed)
    assert "write `import matplotlib`" in result.message


def fork_servers() -> set[int]:
    """Return the fork servers of this process, without their workers."""
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it ends meanwhile
            if "nightmail_runner.sandbox.forkserver" in child.cmdline():
                found.add(child.pid)
    return found


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open('/tmp/chart.png', 'wb')",
        "__import__('socket').socket()",
        "__import__('os').fork()",
        "__import__('os').kill(__import__('os').getppid(), 9)",
        "__import__('subprocess').run(['/bin/true'])",
    ],
)
async def test_a_script_that_draws_is_isolated_as_any_other(sandbox: Sandbox, attempt: str) -> None:
    failed = await failure_of(sandbox, f"{IMPORT}{attempt}\nreturn data")
    assert failed.type in {"PermissionError", "FileNotFoundError", "OSError"}
