/** Damages a JSON document anywhere: values of other types and sizes, keys gone, added or exchanged, text cut. */
import type { Random } from '../../src/ops/testing/operator-case.ts';
import { any, BYTE_KINDS, chance, damagedBytes, FLOATS, INTEGERS, SMALL_INTEGERS } from './values.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const KINDS = ['value', 'number', 'gone', 'twice', 'exchanged', 'added', 'nested', 'repeated'] as const;

export const JSON_DAMAGE: readonly string[] = [...BYTE_KINDS, ...KINDS];

interface Place {
  readonly holder: Json[] | { [key: string]: Json };
  readonly key: string;
}

/** Places by depth first; what stands in long lists is sampled. */
function placesOf(value: Json, random: Random, found: Place[] = []): Place[] {
  if (value === null || typeof value !== 'object') return found;
  const keys = Object.keys(value);
  const shown = keys.length <= 12 ? keys : Array.from({ length: 12 }, () => any(random, keys));
  for (const key of shown) {
    found.push({ holder: value, key });
    placesOf((value as Record<string, Json>)[key], random, found);
  }
  return found;
}

/** The text of a document with one fault of the named kind, and now and then others beside it. */
export function damagedJson(kind: string, text: string, random: Random): string {
  const raw = BYTE_KINDS.find((k) => k === kind);
  if (raw) return new TextDecoder().decode(damagedBytes(raw, new TextEncoder().encode(text), random));
  const document = JSON.parse(text) as Json;
  if (kind === 'nested') return nested(document, random);
  damage(kind, document, random);
  while (chance(random, 0.25)) damage(any(random, KINDS), document, random);
  return JSON.stringify(document);
}

function damage(kind: string, document: Json, random: Random): void {
  const places = placesOf(document, random);
  const numbers = places.filter(({ holder, key }) => typeof get(holder, key) === 'number');
  if (places.length === 0) return;
  const { holder, key } =
    kind === 'number' && numbers.length > 0 ? any(random, numbers) : any(random, places);
  const other = any(random, places);
  switch (kind) {
    case 'value':
      set(holder, key, someValue(random));
      break;
    case 'gone':
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 'twice':
      if (Array.isArray(holder)) holder.splice(Number(key), 0, structuredClone(get(holder, key)));
      break;
    case 'repeated':
      if (Array.isArray(holder))
        for (let n = any(random, [3, 50, 2000]); n > 0; n--) holder.push(get(holder, key));
      break;
    case 'exchanged': {
      const mine = structuredClone(get(holder, key));
      set(holder, key, structuredClone(get(other.holder, other.key)));
      set(other.holder, other.key, mine);
      break;
    }
    case 'added':
      if (!Array.isArray(holder)) holder[any(random, ['tiles', 'banks', 'pieces', 'ring', 'scratch', 'staged', 'fold', 'reverse', 'toString', '__proto__x'])] = someValue(random); // biome-ignore format: a list
      break;
    default:
      set(holder, key, someNumber(random));
  }
}

function get(holder: Place['holder'], key: string): Json {
  return (holder as Record<string, Json>)[key];
}

function set(holder: Place['holder'], key: string, value: Json): void {
  (holder as Record<string, Json>)[key] = value;
}

function someNumber(random: Random): number {
  if (chance(random, 0.6)) return Number(any(random, SMALL_INTEGERS));
  // JSON knows neither NaN nor infinity: they become null.
  return chance(random, 0.7) ? Number(any(random, INTEGERS)) : any(random, FLOATS);
}

function someValue(random: Random): Json {
  return any<() => Json>(random, [
    () => someNumber(random),
    () => null,
    () => true,
    () => '',
    () => any(random, ['arena', 'external', 'source', 'sink', 'keep', 'x'.repeat(100_000)]),
    () => [],
    () => [someNumber(random)],
    () => [someNumber(random), [someNumber(random), 0], 0],
    () => [2 ** 31, [2 ** 31, [2 ** 31]]],
    () => ({}),
  ])();
}

/** One value becomes a list in a list in a list. */
function nested(document: Json, random: Random): string {
  const depth = any(random, [3, 100, 2000, 20_000, 200_000]);
  const places = placesOf(document, random);
  const { holder, key } = any(random, places);
  const mark = '"~nested~"';
  set(holder, key, JSON.parse(mark));
  const head = chance(random, 0.7) ? '[1,' : chance(random, 0.5) ? '[' : '{"a":';
  const foot = head.startsWith('{') ? '}' : ']';
  return JSON.stringify(document).replace(mark, head.repeat(depth) + '0' + foot.repeat(depth));
}
