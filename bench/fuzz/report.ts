/** The counts of a run as a page. */
import { writtenBy } from '../report.ts';
import { type State, totals } from './state.ts';
import { NETWORKS } from './work.ts';

const row = (...cells: (string | number)[]) => `| ${cells.join(' | ')} |`;

export function reportOf(state: State): string[] {
  const { files, networks } = totals(state);
  const names = Object.keys(state.groups).filter((n) => n !== NETWORKS);
  const cpuMinutes = Object.values(state.groups).reduce((n, g) => n + g.cpuSeconds, 0) / 60;
  const outcomes = [...new Set(names.flatMap((n) => Object.keys(state.groups[n].outcomes)))].sort();
  const compared = [...new Set(names.flatMap((n) => Object.keys(state.groups[n].compared)))].sort();
  const lines = [
    '# Fuzzing',
    '',
    writtenBy('fuzz'),
    '',
    `${files} damaged files and ${networks} random networks (seed ${state.seed}), ${cpuMinutes.toFixed(1)} minutes of processor time, run at ${state.commits.join(', ')}.`,
    `Findings: ${state.findings.length + state.alike}${state.alike > 0 ? ` (${state.findings.length} kept, ${state.alike} that say the same)` : ''}.`,
    `ONNX Runtime itself crashed or did not come back on ${state.runtimeDied} files.`,
  ];
  const { slowest } = state;
  if (slowest)
    lines.push(
      `Slowest case: ${slowest.group}, seed ${slowest.seed}${slowest.kind ? ` (${slowest.kind})` : ''}: ${slowest.seconds.toFixed(1)} s of processor time.`,
    );
  lines.push(
    '',
    '## What came of damaged files',
    '',
    row('files', 'cases', ...outcomes),
    row(...['', '', ...outcomes].map(() => '---')),
    ...names.map((n) =>
      row(n, state.groups[n].cases, ...outcomes.map((o) => state.groups[n].outcomes[o] ?? 0)),
    ),
    '',
    'Files that ran here, by what ONNX Runtime made of the same file:',
    '',
    row('files', ...compared),
    row(...['', ...compared].map(() => '---')),
    ...names
      .filter((n) => Object.keys(state.groups[n].compared).length > 0)
      .map((n) => row(n, ...compared.map((c) => state.groups[n].compared[c] ?? 0))),
    '',
    '## By kind of damage',
    '',
    row('files', 'kinds of damage and cases'),
    row('---', '---'),
    ...names.map((n) =>
      row(
        n,
        Object.entries(state.groups[n].kinds)
          .map(([k, c]) => `${k} ${c}`)
          .join(', '),
      ),
    ),
    '',
    ...networkTable(state),
    ...findings(state),
  );
  return lines;
}

function networkTable({ ran }: State): string[] {
  const keys = Object.keys(ran).map((k) => k.split(' | '));
  const techniques = [...new Set(keys.map(([t]) => t))].filter((t) => t !== 'ONNX Runtime');
  const backends = [...new Set(keys.filter(([t]) => t !== 'ONNX Runtime').map(([, b]) => b))].sort();
  const outside = keys
    .filter(([t]) => t === 'ONNX Runtime')
    .map(([t, said]) => `${said} ${ran[`${t} | ${said}`]}`);
  return [
    '## Networks by technique and backend',
    '',
    'Runs whose outputs had the bits of the layer-by-layer run; `no form` is what the target says it cannot emit.',
    '',
    row('technique', ...backends),
    row(...['', ...backends].map(() => '---')),
    ...techniques.map((t) => row(t, ...backends.map((b) => ran[`${t} | ${b}`] ?? 0))),
    '',
    `The layer-by-layer run against ONNX Runtime, networks in ONNX's dialect: ${outside.join(', ')}.`,
    '',
  ];
}

function findings({ findings: found }: State): string[] {
  if (found.length === 0) return [];
  return [
    '## Findings',
    '',
    'As they were found, at the commits above, the run going on after each repair. Repaired ones have a sample in `test/fuzz/findings.test.ts`.',
    '',
    row('case', 'damage', 'phase', 'what'),
    row('---', '---', '---', '---'),
    ...found.map((f) =>
      row(
        `${f.group}, seed ${f.seed}`,
        f.kind,
        f.phase,
        f.what.split('\n')[0].slice(0, 160).replaceAll('|', '/'),
      ),
    ),
  ];
}
