/** Sizes as people write them: `65536`, `64K`, `64KiB`, `1.5M`. A unit is always a power of 1024. */
import { TidemarkError } from '../../errors.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of a size; `option` names where it was given. Fractions of a byte are cut off. */
export function parseSize(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(?:([kmg])(?:i?b)?|b)?$/i.exec(text.trim());
  const bytes = match ? Math.floor(Number(match[1]) * UNITS[(match[2] ?? '').toLowerCase()]) : Number.NaN;
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new TidemarkError(
      'usage',
      `${option} expects a size such as 65536, 64K, 64KiB or 1.5M, got '${text}'`,
    );
  }
  return bytes;
}

/** Collects `--bank sram=64K`, fastest first. */
export function collectBank(
  text: string,
  before: readonly { name: string; capacityBytes: number }[] = [],
): readonly { name: string; capacityBytes: number }[] {
  const match = /^([A-Za-z_][\w.-]*)=(.+)$/.exec(text.trim());
  if (!match) throw new TidemarkError('usage', `--bank expects NAME=SIZE such as sram=64K, got '${text}'`);
  const [, name, size] = match;
  if (name === 'external' || before.some((b) => b.name === name)) {
    const why = name === 'external' ? 'means memory outside all banks' : 'is given twice';
    throw new TidemarkError('usage', `--bank ${name}: that name ${why}; choose another`);
  }
  return [...before, { name, capacityBytes: parseSize(size, `--bank ${name}`) }];
}

/** A budget: a size, or undefined for `min`, the smallest that is possible. */
export function parseBudget(text: string, option: string): number | undefined {
  if (text.trim().toLowerCase() === 'min') return undefined;
  return parseSize(text, `${option} (or 'min')`);
}
