// A program in Python that sends windows of a machine to this service.

import { t } from "./texts.js";

export const snippet = (id) => `import json, math, time, urllib.request

for seq in range(30):                       # ${t("fleet.snippet_comment")}
    t = [i / 10_000 for i in range(10_000)]
    phase = {"ia": 0, "ib": -2 * math.pi / 3, "ic": 2 * math.pi / 3}
    channels = {c: [10 * math.sin(2 * math.pi * 50 * x + p) for x in t] for c, p in phase.items()}
    window = {"seq": seq, "t0": time.time(), "fs_hz": 10_000, "channels": channels}
    urllib.request.urlopen(urllib.request.Request(
        "${location.origin}/api/v1/machines/${id}/windows",
        json.dumps(window).encode(), {"Content-Type": "application/json"}))
    time.sleep(1)`;
