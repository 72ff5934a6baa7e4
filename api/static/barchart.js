// The axes of a chart of bars: amounts on the left, times beneath. A chart stands between two empty boxes in `.axes`.

import { el } from "./common.js";
import { locale } from "./texts.js";

const NARROW = 620;
const TOPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

// The round number at or above the highest bar: the top of the axis.
export function roundTop(most) {
  const decade = 10 ** Math.floor(Math.log10(most));
  return decade * (TOPS.find((x) => x * decade >= most * (1 - 1e-9)) ?? 10);
}

// `n` steps are shown, whose names are those of `name`; `top` is what the highest line stands for.
export function drawAxes(chart, { top, unit, n, name }) {
  const said = (x) => x.toLocaleString(locale, { maximumSignificantDigits: 3 });
  chart.previousElementSibling.replaceChildren(
    ...[`${said(top)} ${unit}`, said(top / 2), "0"].map((text) => el("span", {}, text)),
  );
  const every = Math.ceil(n / (innerWidth < NARROW ? 4 : 8));
  chart.nextElementSibling.replaceChildren(
    ...Array.from({ length: Math.ceil(n / every) }, (_, i) => {
      const mark = el("span", {}, name(i * every));
      mark.style.left = `${(100 * (i * every + 0.5)) / n}%`;
      return mark;
    }),
  );
}
