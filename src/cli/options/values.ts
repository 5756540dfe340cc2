/** Parsers of option values that more than one command takes. Each names its option when it refuses a value. */
import { TidemarkError } from '../../errors.ts';

/** A share from a percentage: `8.6`, `8.6%` and `8.6 %` are 0.086. */
export function parsePercent(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim());
  if (!match)
    throw new TidemarkError('usage', `${option} expects a percentage such as 10 or 8.6%, got '${text}'`);
  return Number(match[1]) / 100;
}

/** Collects `--shape name=1x3x224x224` into a record. */
export function collectShape(text: string, before: Record<string, number[]> = {}): Record<string, number[]> {
  const split = text.lastIndexOf('=');
  const dims = text
    .slice(split + 1)
    .split(/[x,]/i)
    .map((d) => (/^\d+$/.test(d.trim()) ? Number(d) : Number.NaN));
  if (split < 1 || dims.some((d) => !Number.isSafeInteger(d) || d < 1)) {
    throw new TidemarkError('usage', `--shape expects NAME=1x3x224x224 with positive sizes, got '${text}'`);
  }
  return { ...before, [text.slice(0, split)]: dims };
}

/** Collects a repeated option into a list. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** One of a few words; suggests all of them when it is none. */
export function oneOf<T extends string>(option: string, words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) {
      throw new TidemarkError('usage', `${option} expects one of ${words.join(', ')}, got '${text}'`);
    }
    return found;
  };
}

/** A positive whole number. */
export function parseCount(text: string, option: string): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new TidemarkError('usage', `${option} expects a positive whole number, got '${text}'`);
  }
  return value;
}

/** A list of numbers: `0.485,0.456,0.406`. */
export function parseNumbers(text: string, option: string): readonly number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.length === 0 || values.some((v) => !Number.isFinite(v))) {
    throw new TidemarkError(
      'usage',
      `${option} expects numbers such as 0.5 or 0.485,0.456,0.406, got '${text}'`,
    );
  }
  return values;
}
