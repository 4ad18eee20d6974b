"""How well text stands apart from its ground, as a browser renders both."""

from __future__ import annotations

from playwright.sync_api import Page

#: WCAG contrast between an element's colour and the first opaque ground behind it.
CONTRAST = """element => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let behind = element;
  while (behind && [0].includes(rgb(getComputedStyle(behind).backgroundColor)[3])) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind || document.body).backgroundColor]
    .map(text => light(rgb(text)));
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


def contrast(page: Page, selector: str) -> float:
    """The contrast of the first such element."""
    return float(page.locator(selector).first.evaluate(CONTRAST))
