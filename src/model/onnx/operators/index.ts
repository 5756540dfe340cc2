/** Every ONNX operator that can be imported. Keys are operator names, with their domain where it is not ONNX's own. */
import type { Importer } from '../node-context.ts';
import { binaryImporters } from './binary.ts';
import { constantImporters } from './constants.ts';
import { gatherImporters } from './gather.ts';
import { movementImporters } from './movement.ts';
import { normalisationImporters } from './normalisation.ts';
import { productImporters } from './products.ts';
import { quantisationImporters } from './quantisation.ts';
import { quantisedImporters } from './quantised.ts';
import { reductionImporters } from './reductions.ts';
import { resizeImporters } from './resize.ts';
import { selectionImporters } from './selection.ts';
import { unaryImporters } from './unary.ts';
import { windowImporters } from './windows.ts';

const importers = new Map<string, Importer>(
  [
    unaryImporters,
    binaryImporters,
    windowImporters,
    productImporters,
    normalisationImporters,
    reductionImporters,
    movementImporters,
    selectionImporters,
    gatherImporters,
    resizeImporters,
    constantImporters,
    quantisationImporters,
    quantisedImporters,
  ].flatMap((family) => Object.entries(family)),
);

export function importerOf(domain: string, opType: string): Importer | undefined {
  return importers.get(domain === '' ? opType : `${domain}:${opType}`);
}

/** Names of all operators that can be imported, sorted. */
export function supportedOnnxOperators(): string[] {
  return [...importers.keys()].sort();
}
