/*
 * Runs a model once on files of the host: control.bin says how, input0.bin ... are its inputs, output0.bin ... its
 * outputs, arena.bin the arena as the run left it, report.bin what was measured. No buffer is larger than a bite, and
 * bites lie on the stack, away from the fences: what the emulator copies it looks up by whole pages.
 */
#include "board.h"
#include "model.h"
#include "semihosting.h"

#define BITE 64

uint8_t tidemark_arena[MODEL_ARENA_BYTES] __attribute__((section(".arena"), aligned(16)));

enum { ACTION_NONE = 0, ACTION_POKE = 1, ACTION_RECURSE = 2 };

struct control {
  uint32_t paint;   /* byte that the arena holds before the run */
  uint32_t action;  /* what to try after it */
  int32_t distance; /* of a poke, in bytes from the first byte of the arena (below 0) or from its end (0 and above) */
};

static int open_input = -1, input_file;
static int open_output = -1, output_file;

static int numbered(const char *name, int number, int mode) {
  char text[16];
  size_t n = 0;
  while (name[n] != '\0') {
    text[n] = name[n];
    n++;
  }
  if (number >= 10) text[n++] = (char)('0' + number / 10);
  text[n++] = (char)('0' + number % 10);
  for (const char *end = ".bin"; *end != '\0';) text[n++] = *end++;
  text[n] = '\0';
  int file = semi_open(text, mode, n);
  /* Outputs take turns: what was written of one before stays. */
  if (file < 0 && mode == SEMI_UPDATE_BINARY) file = semi_open(text, SEMI_WRITE_BINARY, n);
  if (file < 0) semi_exit(EXIT_FILE);
  return file;
}

#if BOARD_LINE_BYTES > 0
/* A camera: it gives each line of the first input once, in order, into a buffer for one; none can be had again. */
static void read_line_by_line(size_t from, uint8_t *to, size_t bytes) {
  static uint8_t line[BOARD_LINE_BYTES];
  static size_t lines;
  if (lines == 0) input_file = numbered("input", 0, SEMI_READ_BINARY);
  for (; bytes > 0; bytes--, from++) {
    const size_t wanted = from / BOARD_LINE_BYTES + 1;
    if (wanted < lines) semi_exit(EXIT_AGAIN);
    for (; lines < wanted; lines++)
      if (semi_move(SEMI_READ, input_file, line, sizeof line) != 0) semi_exit(EXIT_FILE);
    *to++ = line[from % BOARD_LINE_BYTES];
  }
}
#endif

static void read_input(void *user, int input, size_t from, void *to, size_t bytes) {
  uint8_t bite[BITE];
  uint8_t *target = to;
  (void)user;
#if BOARD_LINE_BYTES > 0
  if (input == 0) {
    read_line_by_line(from, to, bytes);
    return;
  }
#endif
  if (open_input != input) {
    if (open_input >= 0) semi_close(input_file);
    input_file = numbered("input", input, SEMI_READ_BINARY);
    open_input = input;
  }
  semi_seek(input_file, from);
  while (bytes > 0) {
    const size_t now = bytes < BITE ? bytes : BITE;
    if (semi_move(SEMI_READ, input_file, bite, now) != 0) semi_exit(EXIT_FILE);
    for (size_t i = 0; i < now; i++) *target++ = bite[i];
    bytes -= now;
  }
}

static void write_file(int file, const uint8_t *data, size_t bytes) {
  uint8_t bite[BITE];
  while (bytes > 0) {
    const size_t now = bytes < BITE ? bytes : BITE;
    for (size_t i = 0; i < now; i++) bite[i] = *data++;
    if (semi_move(SEMI_WRITE, file, bite, now) != 0) semi_exit(EXIT_FILE);
    bytes -= now;
  }
}

static void write_output(void *user, int output, size_t from, const void *data, size_t bytes) {
  (void)user;
  if (open_output != output) {
    if (open_output >= 0) semi_close(output_file);
    output_file = numbered("output", output, SEMI_UPDATE_BINARY);
    open_output = output;
  }
  semi_seek(output_file, from);
  write_file(output_file, data, bytes);
}

static struct control read_control(void) {
  struct control control;
  const int file = semi_open("control.bin", SEMI_READ_BINARY, 11);
  if (file < 0 || semi_move(SEMI_READ, file, &control, sizeof control) != 0) semi_exit(EXIT_FILE);
  semi_close(file);
  return control;
}

static uint32_t stack_used(void) {
  const uint32_t *p = __stack_lo;
  while (p < __stack_hi && *p == STACK_PAINT) p++;
  return (uint32_t)((uintptr_t)__stack_hi - (uintptr_t)p);
}

#ifdef BOARD_TRIES
static void poke(uint8_t *address) { *(volatile uint8_t *)address = 0x5a; }

__attribute__((noinline)) static uint32_t recurse(uint32_t depth) {
  volatile uint32_t here[16];
  here[0] = depth;
  return depth == 0 ? 0 : recurse(depth - 1) + here[0];
}
#endif

#ifdef BOARD_NO_MPU
#define WATCHED_BELOW 32
#else
#define WATCHED_BELOW 0
#endif

/*
 * The bytes between the end of the arena and the next fence, fewer than 32, must stay as they were; so must the 32 below
 * it where nothing can fence them off.
 */
static void paint_around(uint8_t paint) {
  for (volatile uint8_t *p = __arena_lo - WATCHED_BELOW; p < __arena_lo; p++) *p = paint;
  for (volatile uint8_t *p = __arena_hi; p < __ram_hi; p++) *p = paint;
}

static uint32_t intact_around(uint8_t paint) {
  for (const volatile uint8_t *p = __arena_lo - WATCHED_BELOW; p < __arena_lo; p++)
    if (*p != paint) return 0;
  for (const volatile uint8_t *p = __arena_hi; p < __ram_hi; p++)
    if (*p != paint) return 0;
  return 1;
}

uint32_t board_main(void) {
  static const model_io io = { { NULL }, { NULL }, read_input, write_output, NULL };
  const struct control control = read_control();
  const uint8_t paint = (uint8_t)control.paint;
  for (volatile uint8_t *p = __arena_lo; p < __arena_hi; p++) *p = paint;
  paint_around(paint);
  model_run(&io);
  if (open_input >= 0) semi_close(input_file);
  if (open_output >= 0) semi_close(output_file);
  const uint32_t report[4] = { 0x7469646du, stack_used(), (uint32_t)(uintptr_t)__arena_lo,
                               (uint32_t)(uintptr_t)__arena_hi };
  int file = semi_open("report.bin", SEMI_WRITE_BINARY, 10);
  if (file < 0 || semi_move(SEMI_WRITE, file, report, sizeof report) != 0) semi_exit(EXIT_FILE);
  semi_close(file);
  file = semi_open("arena.bin", SEMI_WRITE_BINARY, 9);
  if (file < 0) semi_exit(EXIT_FILE);
  write_file(file, __arena_lo, (size_t)(__arena_hi - __arena_lo));
  semi_close(file);
#ifdef BOARD_TRIES
  if (control.action == ACTION_POKE) poke(control.distance < 0 ? __arena_lo + control.distance : __arena_hi + control.distance);
  if (control.action == ACTION_RECURSE) recurse(1u << 20);
#endif
  return intact_around(paint) ? EXIT_OK : EXIT_SLACK;
}
