// The search of the handbook: opens with its button or with "/", works in pages opened as files.
// `?q=words` in an address opens it with these words.
(() => {
  const here = new URL(".", document.currentScript.src);
  const root = new URL("..", here);
  const MOST = 30;
  // Pages that answer first, and those that no question asks for.
  const WEIGHT = [
    [/^(howto|tutorial|faults|index)/, 6],
    [/^(explanation|reference)/, 3],
    [/^(CHANGELOG|adr)/, -6],
  ];
  const CHINESE = /[\u4e00-\u9fff]/;

  let loaded;
  const data = () =>
    (loaded ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("data.js", here).href;
      script.onload = () => done(prepared(window.handbookSearch));
      script.onerror = failed;
      document.head.append(script);
    }));

  const plain = (text) => text.toLowerCase().replace(/[-_]/g, " ");
  const prepared = ({ items, terms }) => ({
    items: items.map(([place, title, text]) => ({ place, title, text, low: plain(text), head: plain(title) })),
    terms: Object.entries(terms).sort((a, b) => b[0].length - a[0].length),
  });

  // A query is a list of concepts, each a list of words of which one must occur.
  function concepts(query, terms) {
    return query
      .toLowerCase()
      .split(/\s+/)
      .filter(Boolean)
      .flatMap((part) =>
        CHINESE.test(part) ? chinese(part, terms) : [[plain(part.length > 3 ? part.replace(/s$/, "") : part)]],
      );
  }

  function chinese(part, terms) {
    const found = [];
    let rest = part;
    for (const [term, english] of terms) {
      if (term.length > 1 && rest.includes(term)) {
        found.push([term, ...english.map(plain)]);
        rest = rest.replaceAll(term, " ");
      }
    }
    if (found.length) return found;
    const longer = terms.filter(([term]) => term.includes(part)).flatMap(([, english]) => english.map(plain));
    return [[part, ...longer]];
  }

  function score(item, wanted) {
    let sum = 0;
    for (const words of wanted) {
      const best = Math.max(
        ...words.map(
          (word) =>
            (item.head.includes(word) ? 20 : 0) +
            (item.head === word ? 10 : 0) +
            Math.min(5, item.low.split(word).length - 1),
        ),
      );
      if (!best) return 0;
      sum += best;
    }
    const [, weight] = WEIGHT.find(([place]) => place.test(item.place)) ?? [null, 0];
    return Math.max(1, sum + weight + (item.place.includes("#") ? 0 : 4));
  }

  function excerpt(item, wanted) {
    const at = Math.max(0, ...wanted.flat().map((word) => item.low.indexOf(word)));
    return (at > 60 ? "... " : "") + item.text.slice(Math.max(0, at - 60), at + 120);
  }

  const style = document.createElement("style");
  style.textContent = `
    .handbook-search { width: min(40rem, 92vw); margin: 8vh auto auto; padding: 1rem; border: 0; border-radius: .5rem;
      background: var(--md-default-bg-color, #fff); color: var(--md-default-fg-color, #000); max-height: 80vh; overflow: auto; }
    .handbook-search::backdrop { background: rgba(0, 0, 0, .5); }
    .handbook-search input { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; color: inherit;
      background: transparent; border: 1px solid currentColor; border-radius: .25rem; }
    .handbook-search ol { list-style: none; margin: 1rem 0 0; padding: 0; }
    .handbook-search li { margin: 0 0 .8rem; }
    .handbook-search small { display: block; opacity: .75; }`;
  document.head.append(style);

  const dialog = document.createElement("dialog");
  dialog.className = "handbook-search";
  dialog.innerHTML =
    '<input type="search" aria-label="Search" placeholder="Search, in English or Chinese"><p role="status"></p><ol></ol>';
  const [input, status, list] = dialog.children;

  async function search() {
    const query = input.value.trim();
    const { items, terms } = await data();
    if (query !== input.value.trim()) return;
    const wanted = concepts(query, terms);
    const hits = wanted.length
      ? items
          .map((item) => [score(item, wanted), item])
          .filter(([points]) => points)
          .sort((a, b) => b[0] - a[0])
      : [];
    status.textContent = query ? `${hits.length} results` : "";
    list.replaceChildren(
      ...hits.slice(0, MOST).map(([, item]) => {
        const row = document.createElement("li");
        const link = document.createElement("a");
        link.href = new URL(item.place, root).href;
        link.textContent = item.title;
        const where = document.createElement("small");
        where.textContent = `${item.place} · ${excerpt(item, wanted)}`;
        row.append(link, where);
        return row;
      }),
    );
  }

  function open(query) {
    if (!dialog.isConnected) document.body.append(dialog);
    if (!dialog.open) dialog.showModal();
    if (query !== undefined) input.value = query;
    input.select();
    search();
  }

  input.addEventListener("input", search);
  list.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // Before the theme's own search, which fetches its index.
  document.addEventListener(
    "click",
    (event) => {
      if (event.target.closest?.('.md-search__button, [for="__search"]')) {
        event.preventDefault();
        event.stopImmediatePropagation();
        open();
      }
    },
    true,
  );
  document.addEventListener(
    "keydown",
    (event) => {
      const writes = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      const asked = ["/", "s", "f"].includes(event.key) && !writes && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (asked || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
        event.preventDefault();
        event.stopImmediatePropagation();
        open();
      } else if (dialog.open) event.stopImmediatePropagation();
    },
    true,
  );

  const asked = new URLSearchParams(location.search).get("q");
  if (asked) addEventListener("DOMContentLoaded", () => open(asked));
})();
