// Saves what a plot shows as a PNG, with its title and what its curves are.

const FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans CJK SC", sans-serif';
const PAD = 16,
  LINE = 20,
  TITLE = 28,
  GAP = 8,
  SWATCH = 26;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Breaks a text where it would leave the picture; Chinese breaks between any two characters.
function wrapped(pen, text, width) {
  const lines = [""];
  for (const part of text.match(/\s*[\u2e80-\u9fff\uff00-\uffef]|\s*[^\s\u2e80-\u9fff\uff00-\uffef]+/g) ?? []) {
    if (pen.measureText(lines.at(-1) + part).width > width && lines.at(-1)) lines.push(part.trimStart());
    else lines[lines.length - 1] += part;
  }
  return lines;
}

// `keys`: [name of a colour, dash, text] of each curve; `notes`: lines of text below the title.
export function savePicture(plotted, { title, keys = [], notes = [], name }) {
  const px = devicePixelRatio,
    sheet = document.createElement("canvas"),
    pen = sheet.getContext("2d");
  const width = plotted.width / px + 2 * PAD;
  pen.font = `14px ${FONT}`;
  const said = notes.flatMap((text) => wrapped(pen, text, width - 2 * PAD));
  sheet.width = width * px;
  sheet.height = (PAD + TITLE + LINE * (said.length + keys.length) + GAP) * px + plotted.height + PAD * px;
  pen.scale(px, px);
  pen.fillStyle = colour("panel");
  pen.fillRect(0, 0, sheet.width, sheet.height);
  pen.textBaseline = "middle";
  pen.fillStyle = colour("ink");
  pen.font = `650 17px ${FONT}`;
  let y = PAD + TITLE / 2 - 4;
  pen.fillText(title, PAD, y, width - 2 * PAD);
  pen.font = `14px ${FONT}`;
  y += TITLE / 2 + LINE / 2;
  for (const [tone, dash, text] of keys) {
    pen.strokeStyle = colour(tone);
    pen.lineWidth = 2;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(PAD, y);
    pen.lineTo(PAD + SWATCH, y);
    pen.stroke();
    pen.fillStyle = colour("ink");
    pen.fillText(text, PAD + SWATCH + 8, y, width - 2 * PAD - SWATCH - 8);
    y += LINE;
  }
  pen.fillStyle = colour("soft");
  for (const text of said) {
    pen.fillText(text, PAD, y);
    y += LINE;
  }
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(plotted, PAD * px, (y - LINE / 2 + GAP) * px);
  sheet.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replace(/[^\w.-]+/g, "_")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
