"""How the overview looks, and the few lines that filter its rows. Plain CSS and JavaScript."""

STYLE = """
:root { color-scheme: light dark; --back: #fff; --card: #f6f7f8; --text: #1b1f23; --faint: #59636e;
  --line: #d5dae0; --bad: #b3261e; --note: #8a5300; --good: #1a6b35; --link: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --back: #101214; --card: #1a1d21; --text: #e6e8ea;
  --faint: #a0a8b0; --line: #343a41; --bad: #ff8a80; --note: #ffb74d; --good: #7bd88f;
  --link: #8ab4f8; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 7.5rem; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
a { color: var(--link); }
header { position: sticky; top: 0; z-index: 2; background: var(--back); padding: .6rem 1.2rem;
  border-bottom: 1px solid var(--line); }
h1 { font-size: 1.15rem; margin: 0; }
header p { margin: .15rem 0 0; }
.faint { color: var(--faint); }
.tools { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: center; }
.tools input[type=search] { font: inherit; padding: .15rem .5rem; width: 16rem; }
main { padding: 0 1.2rem 2rem; }
h2 { font-size: 1.05rem; margin: 1.3rem 0 .5rem; }
article { display: grid;
  grid-template-columns: minmax(13rem, 16rem) fit-content(29rem) minmax(24rem, 1fr);
  gap: .8rem 1.2rem; padding: .8rem; margin: 0 0 .6rem; background: var(--card);
  border: 1px solid var(--line); border-left: .35rem solid var(--good); border-radius: .3rem;
  content-visibility: auto; contain-intrinsic-size: auto 17rem; }
article.noted { border-left-color: var(--note); }
article.failed { border-left-color: var(--bad); contain-intrinsic-size: auto 6rem; }
article.open { border-left-color: var(--line); contain-intrinsic-size: auto 4rem; }
article.failed, article.open { grid-template-columns: minmax(13rem, 16rem) 1fr; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
article p { margin: .15rem 0; }
.state { font-weight: 600; color: var(--good); }
.noted .state, .remark { color: var(--note); }
.failed .state, .problem { color: var(--bad); }
.open .state { color: var(--faint); }
.remark, .problem { overflow-wrap: anywhere; max-width: 70rem; }
.pictures { display: flex; flex-wrap: wrap; gap: .6rem; align-items: flex-start;
  align-content: flex-start; }
figure { margin: 0; }
figcaption { font-size: .8rem; color: var(--faint); }
.picture { position: relative; background: #000; line-height: 0; overflow: hidden; }
.picture img.outlines { position: absolute; inset: 0; }
.picture span { position: absolute; line-height: 1; font-size: 10px; color: #e8e8e8;
  text-shadow: 0 0 2px #000, 0 0 2px #000; }
.picture .l { left: 3px; top: 45%; } .picture .r { right: 3px; top: 45%; }
.picture .t { top: 3px; left: 48%; } .picture .b { bottom: 3px; left: 48%; }
.picture .mark { font-size: 13px; font-weight: 700; color: #ffb340;
  transform: translate(9px, -16px); }
.picture .bar { left: 5px; bottom: 6px; height: 3px; background: #e8e8e8; }
.picture .mm { left: 5px; bottom: 11px; }
.picture:hover .outlines, .picture:hover .mark, body:has(#outlines:not(:checked)) .outlines {
  visibility: hidden; }
.numbers { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .6rem .15rem 0; text-align: right; vertical-align: bottom;
  white-space: nowrap; }
th { font-weight: 600; font-size: .8rem; color: var(--faint); white-space: normal;
  border-bottom: 1px solid var(--line); }
th small { font-weight: 400; display: block; }
td:last-child, th:last-child { text-align: left; }
footer { padding: 0 1.2rem 2rem; color: var(--faint); max-width: 60rem; }
[hidden] { display: none !important; }
@media (max-width: 88rem) { article { grid-template-columns: minmax(13rem, 16rem) 1fr; }
  .numbers { grid-column: 1 / -1; } }
@media (max-width: 44rem) { article, article.failed, article.open {
  grid-template-columns: minmax(0, 1fr); } }
@media print { :root { color-scheme: light; --back: #fff; --card: #fff; --text: #000; --faint: #444;
  --line: #999; --bad: #900; --note: #630; --good: #040; --link: #000; }
  html, body { font-size: 11px; }
  body { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  header { position: static; } .tools { display: none; }
  article { break-inside: avoid; content-visibility: visible;
    grid-template-columns: minmax(13rem, 18rem) 1fr; }
  .numbers { grid-column: 1 / -1; overflow: visible; } h2 { break-after: avoid; } }
"""

SCRIPT = """
const filter = document.getElementById('filter'), count = document.getElementById('count');
const rows = [...document.querySelectorAll('article')];
const texts = rows.map(row => row.textContent.toLowerCase());
filter.parentElement.hidden = false;
filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean);
  rows.forEach((row, n) => row.hidden = !words.every(word => texts[n].includes(word)));
  for (const group of document.querySelectorAll('section'))
    group.hidden = !group.querySelector('article:not([hidden])');
  const shown = rows.filter(row => !row.hidden).length;
  count.textContent = words.length ? shown + ' of ' + rows.length + ' shown' : '';
});
"""
