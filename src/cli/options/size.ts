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

/** A budget: a size, or undefined for `min`, the smallest that is possible. */
export function parseBudget(text: string, option: string): number | undefined {
  if (text.trim().toLowerCase() === 'min') return undefined;
  return parseSize(text, `${option} (or 'min')`);
}

/** A size for people: `512 B`, `27.1 KiB`, `1.44 MiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${trim(bytes / 1024)} KiB`;
  if (bytes < 1024 ** 3) return `${trim(bytes / 1024 ** 2)} MiB`;
  return `${trim(bytes / 1024 ** 3)} GiB`;
}

function trim(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A count for people: `950`, `7.49 M`, `1.31 G`. */
export function formatCount(count: number): string {
  if (count < 1e4) return String(count);
  if (count < 1e6) return `${trim(count / 1e3)} k`;
  if (count < 1e9) return `${trim(count / 1e6)} M`;
  return `${trim(count / 1e9)} G`;
}

/** A share for people, with a sign where it is a change: `8.6 %`. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent === 0) return '0 %';
  return `${Math.abs(percent) < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}
