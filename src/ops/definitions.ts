/** The list of operators. One line each; the order does not matter. */
import type { OperatorDef } from './operator.ts';

// biome-ignore lint/suspicious/noExplicitAny: each definition is typed by its own attributes
export const definitions: readonly OperatorDef<any>[] = [];
