/**
 * Looks on while emitted C runs: before each firing everything in its memory is forbidden but what `firingRights` gives
 * it. Three ways of looking: AddressSanitizer, valgrind, and a table of a byte for each byte behind the calls that
 * compilers put before every access for sanitizers of kernels, which is exact and tells reading from writing.
 */
import { FILL, type Right, WRITE } from '../kernels/rights.ts';

export const watches = ['address', 'bytes', 'valgrind'] as const;

/**
 * 'address': AddressSanitizer, with UndefinedBehaviorSanitizer. It forbids in units of 8 bytes, of which the first so
 * many may be allowed: up to 7 dead bytes beside live ones go unseen. 'bytes': exact, in both directions, and sees
 * output that was not written. 'valgrind': exact, and sees values that nothing has made.
 */
export type Watch = (typeof watches)[number];

/** Bytes on either side of every bank that no run may touch. */
export const CANARY_BYTES = 64;

/** What the compiler is told: for the model, and for linking. */
export function watchFlags(watch: Watch, clang: boolean): readonly string[] {
  if (watch === 'address') return ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  if (watch === 'valgrind') return ['-O1', '-g'];
  const set = (name: string) => (clang ? ['-mllvm', `-asan-${name}=0`] : ['--param', `asan-${name}=0`]);
  return [
    '-O1',
    '-fsanitize=kernel-address',
    ...['instrumentation-with-call-threshold', 'stack', 'globals'].flatMap(set),
  ];
}

/** The command that runs the compiled model, before its arguments. */
export function watchCommand(watch: Watch | undefined): readonly string[] {
  return watch === 'valgrind' ? ['valgrind', '-q', '--error-exitcode=4', './run'] : ['./run'];
}

/** All firings' rights as 32-bit numbers: how many, then bank and rights, first byte, end. */
export function rightsFile(firings: Iterable<readonly Right[]>): Uint8Array {
  let words = new Int32Array(4096);
  let at = 0;
  const put = (value: number) => {
    if (at === words.length) {
      const more = new Int32Array(2 * at);
      more.set(words);
      words = more;
    }
    words[at++] = value;
  };
  for (const rights of firings) {
    put(rights.length);
    for (const { bank, from, to, right } of rights) {
      put(bank * 8 + right);
      put(from);
      put(to);
    }
  }
  return new Uint8Array(words.buffer, 0, at * 4);
}

/** What the model's file is told before it is included. */
export const WATCHED_HEAD = `void watch_begin(void);
void watch_firing(int actor);
void watch_end(void);
uint8_t *watch_bank(int bank, uint8_t *at, size_t bytes);
#define MODEL_FIRING(actor) watch_firing(actor)
`;

/** The same where compilers do not call for copies of a length that they do not know. */
export const WATCHED_COPIES = `void watch_copy(void *to, const void *from, size_t bytes);
static inline void *watched_copy(void *to, const void *from, size_t bytes) {
  watch_copy(to, from, bytes);
  return memcpy(to, from, bytes);
}
#define memcpy watched_copy
`;

const COMMON = `#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define CANARY ${CANARY_BYTES}
#define WRITE ${WRITE}
#define FILL ${FILL}

void watch_begin(void);
void watch_firing(int actor);
void watch_end(void);
uint8_t *watch_bank(int bank, uint8_t *at, size_t bytes);

static struct { uint8_t *at; size_t bytes; } banks[16];
static int count, active, actor_now = -1;
static long firing_now;
static int32_t *rights, *now, *next, *end;

/* How this way of watching forbids and allows; \`finish\` looks at what a firing had to write, \`ended\` at all it did. */
static void ended(void);
static void forbid(int bank, uint8_t *p, size_t bytes);
static void allow(int bank, uint8_t *p, size_t bytes, int right);
static void finish(int bank, uint8_t *p, size_t bytes);

static void wrong(const char *what, size_t bytes, const void *at) {
  int b;
  active = 0;
  fprintf(stderr, "firing %ld of actor %d: %s", firing_now, actor_now, what);
  if (bytes > 0) fprintf(stderr, " of %lu bytes", (unsigned long)bytes);
  for (b = 0; b < count; b++) {
    const intptr_t from = (intptr_t)at - (intptr_t)banks[b].at;
    if (at && from >= -CANARY && from < (intptr_t)banks[b].bytes + CANARY)
      fprintf(stderr, " at byte %ld of %lu in bank %d", (long)from, (unsigned long)banks[b].bytes, b);
  }
  fprintf(stderr, ", which the plan does not allow\\n");
}

uint8_t *watch_bank(int bank, uint8_t *at, size_t bytes) {
  banks[bank].at = at;
  banks[bank].bytes = bytes;
  if (bank >= count) count = bank + 1;
  return at;
}

static void each(int32_t *list, int filled, void (*f)(int, uint8_t *, size_t, int)) {
  int32_t i;
  for (i = 0; list && i < list[0]; i++) {
    const int32_t *r = list + 1 + 3 * i;
    if (((r[0] & FILL) != 0) == filled) f(r[0] >> 3, banks[r[0] >> 3].at + r[1], (size_t)(r[2] - r[1]), r[0] & 7);
  }
}

static void forbid_one(int bank, uint8_t *p, size_t bytes, int right) { (void)right; forbid(bank, p, bytes); }
static void finish_one(int bank, uint8_t *p, size_t bytes, int right) { (void)right; finish(bank, p, bytes); }

static void over(void) {
  ended();
  each(now, 1, finish_one);
  each(now, 0, forbid_one);
  each(now, 1, forbid_one);
}

void watch_firing(int actor) {
  const int was = active;
  active = 0;
  over();
  actor_now = actor;
  firing_now++;
  if (!was || next >= end) {
    fprintf(stderr, "more firings than the plan has\\n");
    exit(4);
  }
  now = next;
  next += 1 + 3 * now[0];
  /* what is to be written first: where it lies over what is read, that is still there */
  each(now, 1, allow);
  each(now, 0, allow);
  active = 1;
}

void watch_begin(void) {
  FILE *f = fopen("rights.bin", "rb");
  long bytes;
  int b;
  if (!f || fseek(f, 0, SEEK_END) != 0 || (bytes = ftell(f)) < 0) exit(3);
  rewind(f);
  rights = malloc((size_t)bytes + 4);
  if (!rights || fread(rights, 1, (size_t)bytes, f) != (size_t)bytes) exit(3);
  fclose(f);
  next = rights;
  end = rights + bytes / 4;
  now = NULL;
  firing_now = -1;
  for (b = 0; b < count; b++) forbid(b, banks[b].at - CANARY, banks[b].bytes + 2 * CANARY);
  active = 1;
}

void watch_end(void) {
  int b;
  active = 0;
  over();
  for (b = 0; b < count; b++) allow(b, banks[b].at - CANARY, banks[b].bytes + 2 * CANARY, 0);
  if (next != end) {
    fprintf(stderr, "fewer firings than the plan has\\n");
    exit(4);
  }
  free(rights);
}
`;

const ADDRESS = `#include <sanitizer/asan_interface.h>
static void ended(void) {}
void __asan_on_error(void);
void __asan_on_error(void) {
  if (active) wrong(__asan_get_report_access_type() ? "write" : "read", __asan_get_report_access_size(), __asan_get_report_address());
}
static void forbid(int bank, uint8_t *p, size_t bytes) { (void)bank; __asan_poison_memory_region(p, bytes); }
static void allow(int bank, uint8_t *p, size_t bytes, int right) { (void)bank; (void)right; __asan_unpoison_memory_region(p, bytes); }
static void finish(int bank, uint8_t *p, size_t bytes) { (void)bank; (void)p; (void)bytes; }
`;

const VALGRIND = `#include <valgrind/memcheck.h>
static void ended(void) {
  if (VALGRIND_COUNT_ERRORS > 0) { wrong("a read or write", 0, NULL); exit(4); }
}
static void forbid(int bank, uint8_t *p, size_t bytes) { (void)bank; VALGRIND_MAKE_MEM_NOACCESS(p, bytes); }
static void allow(int bank, uint8_t *p, size_t bytes, int right) {
  (void)bank;
  if (right & FILL) VALGRIND_MAKE_MEM_UNDEFINED(p, bytes);
  else VALGRIND_MAKE_MEM_DEFINED(p, bytes);
}
static void finish(int bank, uint8_t *p, size_t bytes) {
  (void)bank;
  if (VALGRIND_CHECK_MEM_IS_DEFINED(p, bytes) != 0) { wrong("undefined output", bytes, p); exit(4); }
}
`;

const BYTES = `#define DONE 8
/* input that the firing may write over: what it writes may be what was there, and compilers leave such writes out */
#define HELD 16
static void ended(void) {}
/* What may be done with each byte, and whether it was written. */
static uint8_t *may[16];

static void forbid(int bank, uint8_t *p, size_t bytes) {
  if (!may[bank] && !(may[bank] = calloc(banks[bank].bytes + 2 * CANARY, 1))) exit(3);
  memset(may[bank] + (p - banks[bank].at) + CANARY, 0, bytes);
}
static void allow(int bank, uint8_t *p, size_t bytes, int right) {
  size_t i;
  uint8_t *const m = may[bank] + (p - banks[bank].at) + CANARY;
  for (i = 0; i < bytes; i++) m[i] |= (uint8_t)(right == 1 ? 1 | HELD : right);
}
static void finish(int bank, uint8_t *p, size_t bytes) {
  size_t i;
  const uint8_t *const m = may[bank] + (p - banks[bank].at) + CANARY;
  for (i = 0; i < bytes; i++)
    if (!(m[i] & (DONE | HELD))) { wrong("no write", bytes - i, p + i); exit(4); }
}

static void look(uintptr_t at, size_t bytes, int write) {
  int b;
  size_t i;
  if (!active) return;
  for (b = 0; b < count; b++) {
    const uintptr_t from = (uintptr_t)banks[b].at - CANARY, to = from + banks[b].bytes + 2 * CANARY;
    if (at + bytes <= from || at >= to) continue;
    for (i = 0; i < bytes; i++) {
      uint8_t *const m = may[b] + (at + i - from);
      if (at + i < from || at + i >= to || !(*m & (write ? WRITE : 1))) {
        wrong(write ? "write" : "read", bytes, (const void *)at);
        exit(4);
      }
      if (write) *m |= DONE;
    }
  }
}

void watch_copy(void *to, const void *from, size_t bytes);
void watch_copy(void *to, const void *from, size_t bytes) {
  look((uintptr_t)from, bytes, 0);
  look((uintptr_t)to, bytes, 1);
}

/* What the compiler calls before each access. */
#define HOOKS(n) \\
  void __asan_load##n##_noabort(uintptr_t at); \\
  void __asan_load##n##_noabort(uintptr_t at) { look(at, n, 0); } \\
  void __asan_store##n##_noabort(uintptr_t at); \\
  void __asan_store##n##_noabort(uintptr_t at) { look(at, n, 1); }
HOOKS(1) HOOKS(2) HOOKS(4) HOOKS(8) HOOKS(16)
void __asan_loadN_noabort(uintptr_t at, size_t bytes);
void __asan_loadN_noabort(uintptr_t at, size_t bytes) { look(at, bytes, 0); }
void __asan_storeN_noabort(uintptr_t at, size_t bytes);
void __asan_storeN_noabort(uintptr_t at, size_t bytes) { look(at, bytes, 1); }
void __asan_handle_no_return(void);
void __asan_handle_no_return(void) {}
void *__asan_memcpy(void *to, const void *from, size_t bytes);
void *__asan_memcpy(void *to, const void *from, size_t bytes) {
  watch_copy(to, from, bytes);
  return memcpy(to, from, bytes);
}
void *__asan_memset(void *to, int value, size_t bytes);
void *__asan_memset(void *to, int value, size_t bytes) {
  look((uintptr_t)to, bytes, 1);
  return memset(to, value, bytes);
}
`;

/** The file that is compiled beside the model, without what the model is compiled with. */
export function watchSource(watch: Watch): string {
  const own = { address: ADDRESS, valgrind: VALGRIND, bytes: BYTES };
  return `${COMMON}\n${own[watch]}`;
}
