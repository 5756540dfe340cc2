/**
 * The program around an emitted model that c-backend.ts compiles: reads inputs, runs, writes outputs and the arena, and
 * looks whether what lies on either side of the arena is as it was.
 */
import { memoriesOf } from '../emit/c/memory.ts';
import type { Program } from '../kernels/program.ts';
import { CANARY_BYTES, WATCHED_COPIES, WATCHED_HEAD, type Watch } from './c-watch.ts';

/** C source; it includes the model's, so that it can lay out its memory, paint it, and look at it afterwards. */
export function harness(program: Program, watch?: Watch): string {
  const read = program.inputs
    .map((p, i) => `  io.inputs[${i}] = slurp("input${i}.bin", ${p.bytes});`)
    .join('\n');
  const room = program.outputs.map((p, i) => `  io.outputs[${i}] = room(${p.bytes});`).join('\n');
  const write = program.outputs
    .map((p, i) => `  spill("output${i}.bin", io.outputs[${i}], ${p.bytes});`)
    .join('\n');
  const memories = memoriesOf(program, 'MODEL');
  // Watched, a memory is a pointer that the compiler knows nothing of: accesses to arrays that it knows go unwatched.
  const held = memories.map(
    ({ macro, bytes }, i) =>
      `static uint8_t held_${i}[CANARY + ${bytes} + CANARY] ALIGNED;\n` +
      (watch
        ? `static uint8_t *watched_${i};\n#define ${macro}_AT watched_${i}`
        : `#define ${macro}_AT (held_${i} + CANARY)`),
  );
  const each = (line: (i: number, bytes: number) => string) =>
    memories.map(({ bytes }, i) => `  ${line(i, bytes)}`).join('\n');
  return `#define _POSIX_C_SOURCE 200112L
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CANARY ${CANARY_BYTES}
#if defined(__GNUC__)
#define ALIGNED __attribute__((aligned(64)))
#else
#define ALIGNED
#endif
${held.join('\n')}
${watch ? WATCHED_HEAD : ''}${watch === 'bytes' ? WATCHED_COPIES : ''}
#include "model.c"

static void *room(size_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, bytes + 64)) exit(3);
  return p;
}

static void *slurp(const char *name, size_t bytes) {
  FILE *f = fopen(name, "rb");
  void *p = room(bytes);
  if (!f || fread(p, 1, bytes, f) != bytes) {
    fprintf(stderr, "cannot read %s\\n", name);
    exit(3);
  }
  fclose(f);
  return p;
}

static void spill(const char *name, const void *data, size_t bytes) {
  FILE *f = fopen(name, "wb");
  if (!f || fwrite(data, 1, bytes, f) != bytes) exit(3);
  fclose(f);
}

static double now_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint8_t canary(size_t i) { return (uint8_t)(0x9e + 31 * i); }

/* Fills both sides of the memory, or looks whether they are as they were filled. */
static void canaries(uint8_t *memory, size_t bytes, int look) {
  for (size_t i = 0; i < CANARY; i++) {
    uint8_t *const sides[2] = { memory + i, memory + CANARY + bytes + i };
    for (int s = 0; s < 2; s++) {
      if (look && *sides[s] != canary(i + (size_t)s)) {
        fprintf(stderr, "the run wrote %s its memory\\n", s ? "past the end of" : "before");
        exit(5);
      }
      *sides[s] = canary(i + (size_t)s);
    }
  }
}

static void paint_memory(uint8_t *memory, size_t bytes, int paint) {
  memset(memory + CANARY, paint, bytes);
  canaries(memory, bytes, 0);
}

int main(int argc, char **argv) {
  const int repeats = argc > 1 ? atoi(argv[1]) : 1;
  const int paint = argc > 2 ? atoi(argv[2]) : 0;
  static model_io io;
  model_set_weights(slurp("model_weights.bin", MODEL_WEIGHT_BYTES));
${read}
${room}
${each((i, bytes) => `paint_memory(held_${i}, ${bytes}, paint);`)}
${watch ? `${each((i, bytes) => `watched_${i} = watch_bank(${i}, held_${i} + CANARY, ${bytes});`)}\n` : ''}  /* where times are asked for, one run before them brings memory and caches up */
  if (repeats > 1) model_run(&io);
  for (int i = 0; i < repeats; i++) {
    const double wall = now_of(CLOCK_MONOTONIC), cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
${watch ? '    watch_begin();\n    model_run(&io);\n    watch_end();' : '    model_run(&io);'}
    printf("%.9f %.9f\\n", now_of(CLOCK_MONOTONIC) - wall, now_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  }
${each((i, bytes) => `canaries(held_${i}, ${bytes}, 1);`)}
${write}
  spill("arena.bin", held_0 + CANARY, MODEL_ARENA_NEEDED);
  return 0;
}
`;
}
