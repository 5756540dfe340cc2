/**
 * The memory that a model works in as C: one static array a bank, each of exactly the planned size, or what the caller
 * gives instead. The arena is the first bank.
 */
import type { Program } from '../../kernels/program.ts';
import { comment } from './data.ts';
import { bankName } from './print.ts';

export interface Memory {
  /** For people. */
  readonly name: string;
  /** What its macros begin with. */
  readonly macro: string;
  /** The array. */
  readonly array: string;
  readonly bytes: number;
}

/** The arena and the other banks. */
export function memoriesOf(program: Program, P: string): Memory[] {
  const taken = new Set<string>();
  const macroOf = (name: string): string => {
    const plain = `${P}_BANK_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
    let macro = plain;
    for (let n = 2; taken.has(macro); n++) macro = `${plain}_${n}`;
    taken.add(macro);
    return macro;
  };
  return [
    { name: 'arena', macro: `${P}_ARENA`, array: bankName(0), bytes: program.arenaBytes },
    ...program.banks.map(({ name, bytes }, i) => ({
      name: `memory bank ${comment(name)}`,
      macro: macroOf(name),
      array: bankName(i + 1),
      bytes,
    })),
  ];
}

/** What each memory takes, for the top of the header. */
export function memorySizes(program: Program, P: string): string[] {
  return memoriesOf(program, P).map(({ macro, bytes }) => `#define ${macro}_NEEDED ${bytes}`);
}

/** How a memory is given by the caller, and the check that it is large enough. */
export function memoryDeclarations(program: Program, P: string): string[] {
  const memories = memoriesOf(program, P);
  const [arena, ...others] = memories;
  return [
    '/*',
    ` * The arena is a static array of ${P}_ARENA_NEEDED bytes. To give another one, define ${P}_ARENA as the name of an`,
    ` * array of uint8_t, aligned to 16 bytes, and ${P}_ARENA_BYTES as its size, for the whole program. Or define`,
    ` * ${P}_ARENA_AT as its address, a \`uint8_t *\`: then its size is yours to see to. ${P}_ARENA_ATTRIBUTE is put behind`,
    ' * the static array: a section, for example.',
    ...(others.length === 0
      ? []
      : [
          ` * The other memory banks are named alike: ${others.map((m) => `${m.macro} (${m.name.slice(12)})`).join(', ')}.`,
        ]),
    ' */',
    ...[arena, ...others].flatMap(({ name, macro, bytes }) => [
      `#ifdef ${macro}`,
      `#if ${macro}_BYTES < ${macro}_NEEDED`,
      `#error "${macro}_BYTES is too small: the ${name === 'arena' ? 'model' : `model's ${name}`.replace(/["\\]/g, '?')} needs ${bytes} bytes"`,
      '#endif',
      `extern uint8_t ${macro}[${macro}_BYTES];`,
      '#endif',
    ]),
  ];
}

/** The arrays themselves; a memory of which nothing is taken has none. */
export function memoryArrays(program: Program, P: string): string {
  return memoriesOf(program, P)
    .filter(({ bytes }) => bytes > 0)
    .map(
      ({ macro, array, bytes }) => `#if defined(${macro}_AT)
#define ${array} (${macro}_AT)
#elif defined(${macro})
#define ${array} ${macro}
#else
#ifndef ${macro}_ATTRIBUTE
#define ${macro}_ATTRIBUTE
#endif
#if defined(__GNUC__)
static uint8_t ${array}[${bytes}] TM_ALIGN(TM_ARENA_ALIGN) ${macro}_ATTRIBUTE;
#else
static union { uint8_t bytes[${bytes}]; int64_t whole; double real; } ${array}_memory ${macro}_ATTRIBUTE;
#define ${array} ${array}_memory.bytes
#endif
#endif`,
    )
    .join('\n');
}
