/** The program around an emitted model that c-backend.ts compiles: reads inputs, runs, writes outputs and the arena. */
import type { Program } from '../kernels/program.ts';

/** C source; it includes the model's, so that it can paint the arena and look at it afterwards. */
export function harness(program: Program): string {
  const read = program.inputs
    .map((p, i) => `  io.inputs[${i}] = slurp("input${i}.bin", ${p.bytes});`)
    .join('\n');
  const room = program.outputs.map((p, i) => `  io.outputs[${i}] = room(${p.bytes});`).join('\n');
  const write = program.outputs
    .map((p, i) => `  spill("output${i}.bin", io.outputs[${i}], ${p.bytes});`)
    .join('\n');
  return `#define _POSIX_C_SOURCE 200112L
#include "model.c"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
  const int repeats = argc > 1 ? atoi(argv[1]) : 1;
  const int paint = argc > 2 ? atoi(argv[2]) : 0;
  static model_io io;
  model_set_weights(slurp("model_weights.bin", MODEL_WEIGHT_BYTES));
${read}
${room}
  { size_t bytes = MODEL_ARENA_NEEDED; memset(arena, paint, bytes); }
  /* where times are asked for, one run before them brings memory and caches up */
  if (repeats > 1) model_run(&io);
  for (int i = 0; i < repeats; i++) {
    const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    model_run(&io);
    printf("%.9f %.9f\\n", now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  }
${write}
  spill("arena.bin", arena, MODEL_ARENA_NEEDED);
  return 0;
}
`;
}
