"""axe-core on a page: the copy in axe-playwright-python, run by selenium."""

from importlib.resources import files

from browser import Browser

SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text()
RUN = """
const done = arguments[0];
axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations
  .filter(({ impact }) => ['serious', 'critical'].includes(impact))
  .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)));
"""


def serious_findings(browser: Browser) -> list[str]:
    """What axe-core calls serious or critical, as "rule: elements"."""
    browser.driver.execute_script(SCRIPT)
    found: list[str] = browser.driver.execute_async_script(RUN)
    return found
