/** Every TFLite operator that can be imported, and why some never will be. */
import type { Importer } from '../importer.ts';
import { conversion } from './conversion.ts';
import { elementwise } from './elementwise.ts';
import { movement } from './movement.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';
import { slices } from './slices.ts';
import { windows } from './windows.ts';

const importers = new Map<string, Importer>(
  Object.entries({
    ...conversion,
    ...elementwise,
    ...movement,
    ...products,
    ...reductions,
    ...slices,
    ...windows,
  }),
);

export function importerOf(builtin: string): Importer | undefined {
  return importers.get(builtin);
}

/** Names of the built-in operators that can be imported, sorted. */
export function importedBuiltins(): string[] {
  return [...importers.keys()].sort();
}

const CONTROL_FLOW = new Set(['IF', 'WHILE', 'CALL', 'CALL_ONCE']);
const RECURRENT = /LSTM|RNN|SVDF/;
const STATE = /^(VAR_HANDLE|READ_VARIABLE|ASSIGN_VARIABLE|HASHTABLE.*)$/;
const DATA_DEPENDENT = new Set([
  'WHERE',
  'UNIQUE',
  'NON_MAX_SUPPRESSION_V4',
  'NON_MAX_SUPPRESSION_V5',
  'SPARSE_TO_DENSE',
]);

/** Why an operator is refused. */
export function refusal(builtin: string, custom: string): string {
  if (builtin === 'CUSTOM')
    return `custom operator ${custom || 'without a name'} has no meaning outside its own runtime`;
  if (CONTROL_FLOW.has(builtin))
    return 'control flow is not supported: the schedule must be known before a run';
  if (RECURRENT.test(builtin)) return 'recurrent operators are not supported: they keep state between runs';
  if (STATE.test(builtin)) return 'operators on resources are not supported: they keep state between runs';
  if (DATA_DEPENDENT.has(builtin)) return 'the size of its result depends on values: not supported';
  return 'not a supported operator';
}
