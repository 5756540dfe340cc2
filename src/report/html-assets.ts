/** The report's style and its small script, kept apart from what it says. */

export const REPORT_STYLE = `
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5d6b7a;--line:#d5dce4;--paper:#fff;--page:#f4f6f8;--before:#9aa9b8;--after:#1477c9;--limit:#c2410c}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa8b6;--line:#2b3743;--paper:#141b23;--page:#0c1116;--before:#5f7183;--after:#4aa3ee;--limit:#f59e5b}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1040px;margin:0 auto;padding:32px 24px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 8px;display:inline-block}
.lead{margin:0 0 20px;color:var(--soft);font-size:17px}
.no{color:var(--limit)}
.hint{color:var(--soft);font-size:13px;margin:0 0 8px}
section{margin:28px 0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px;margin:0}
.card{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:12px 14px}
.card dt{color:var(--soft);font-size:13px}
.card dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.card dd.note{font-size:12.5px;font-weight:400;color:var(--soft);line-height:1.35;margin-top:2px}
.picture{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:10px;overflow-x:auto}
.picture svg{display:block;width:100%;height:auto;min-width:640px}
.detail{min-height:1.5em;margin:8px 2px 0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.scroll{overflow:auto;max-height:520px;background:var(--paper);border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{padding:5px 12px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child td{border-bottom:0}
th{position:sticky;top:0;background:var(--paper);color:var(--soft);font-weight:600;box-shadow:0 1px 0 var(--line)}
td{overflow-wrap:anywhere}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{display:inline-block;height:10px;min-width:1px;background:var(--before);border-radius:2px}
td:has(.bar){min-width:180px}
.swatch{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:8px}
summary{cursor:pointer}
summary h2{margin:0}
details .scroll{margin-top:8px}
:focus-visible{outline:2px solid var(--after);outline-offset:2px}
@media (max-width:560px){main{padding:20px 14px}.cards{grid-template-columns:1fr 1fr;gap:8px}.card{padding:10px}.card dd{font-size:17px}}
footer{max-width:1040px;margin:0 auto;padding:0 24px 32px;color:var(--soft);font-size:13px}
@media print{.scroll{max-height:none}}
`.trim();

/** Says which buffer is pointed at or focused. */
export const REPORT_SCRIPT = `
(() => {
  const detail = document.getElementById('detail');
  const show = (event) => {
    const life = event.target.closest?.('.life');
    if (life) detail.textContent = life.getAttribute('aria-label');
  };
  addEventListener('pointerover', show);
  addEventListener('focusin', show);
})();
`.trim();
