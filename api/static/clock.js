// Times of the server's clock in the reader's zone, or in UTC on demand; the choice is kept.

import { el } from "./common.js";
import { locale, t } from "./texts.js";

const KEPT = "vtox_utc";
const inUtc = () => localStorage.getItem(KEPT) === "1";

export function moment(time) {
  const zone = inUtc() ? { timeZone: "UTC" } : {};
  return (
    new Date(time).toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium", ...zone }) +
    (inUtc() ? " UTC" : "")
  );
}

// The same in a narrow column: of today, the time alone.
export function shortMoment(time) {
  const zone = inUtc() ? { timeZone: "UTC" } : {};
  const day = (t) => new Date(t).toLocaleDateString(locale, zone);
  return day(time) === day(Date.now())
    ? new Date(time).toLocaleTimeString(locale, zone) + (inUtc() ? " UTC" : "")
    : moment(time);
}

// A button that changes how times are written, on every page from then on.
export function clockSwitch(redraw) {
  const label = () =>
    inUtc() ? t("alarms.in_utc") : t("alarms.in_own_zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
  const button = el(
    "button",
    {
      type: "button",
      onclick: () => {
        localStorage.setItem(KEPT, inUtc() ? "0" : "1");
        button.textContent = label();
        redraw();
      },
    },
    label(),
  );
  return button;
}
