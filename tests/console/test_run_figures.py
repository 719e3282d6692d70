"""The page of a run shows the charts that its script drew."""

from collections.abc import Callable

from playwright.sync_api import expect

from console.accessibility import violations
from console.conftest import NewVisit
from console.visit import settled
from e2e.conftest import Nightmail

NewJob = Callable[..., str]

DRAWING = """
import matplotlib.pyplot as plt
data.plot.bar(x="region", y="amount", title="Sales")
plt.figure()
plt.plot(data.amount)
plt.title("Amounts")
return data
"""


def test_the_result_of_a_run_shows_each_figure_above_its_table(system: Nightmail, visit: NewVisit, job: NewJob) -> None:
    run = system.run(job(DRAWING))
    figures = system.run_when(run, "delivered")["figures"]
    assert len(figures) >= 2
    page = settled(visit(f"runs/{run}", role="viewer", width=360).page)
    for figure in figures:
        image = page.get_by_role("img", name=figure["alt"], exact=True)
        expect(image).to_have_js_property("naturalWidth", figure["width"])
        box, table = image.bounding_box(), page.get_by_role("region", name="Result").bounding_box()
        assert box is not None
        assert table is not None
        assert box["y"] + box["height"] <= table["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []
