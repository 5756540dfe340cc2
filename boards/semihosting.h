/* Calls to the debugger or emulator that hosts the firmware: Arm's semihosting, as far as boards/ needs it. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stddef.h>
#include <stdint.h>

enum { SEMI_OPEN = 0x01, SEMI_CLOSE = 0x02, SEMI_WRITE = 0x05, SEMI_READ = 0x06, SEMI_SEEK = 0x0a, SEMI_EXIT = 0x20 };
enum { SEMI_READ_BINARY = 1, SEMI_UPDATE_BINARY = 3, SEMI_WRITE_BINARY = 5 };

static inline int semi(int operation, const void *block) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = block;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static inline int semi_open(const char *name, int mode, size_t length) {
  const uintptr_t block[3] = { (uintptr_t)name, (uintptr_t)mode, length };
  return semi(SEMI_OPEN, block);
}

static inline void semi_close(int file) {
  const uintptr_t block[1] = { (uintptr_t)file };
  semi(SEMI_CLOSE, block);
}

static inline void semi_seek(int file, size_t at) {
  const uintptr_t block[2] = { (uintptr_t)file, at };
  semi(SEMI_SEEK, block);
}

/* Bytes that were not read or written. */
static inline int semi_move(int operation, int file, const void *bytes, size_t count) {
  const uintptr_t block[3] = { (uintptr_t)file, (uintptr_t)bytes, count };
  return semi(operation, block);
}

/* Ends the run with an exit code: ADP_Stopped_ApplicationExit and the code. */
static inline void semi_exit(uint32_t code) {
  const uint32_t block[2] = { 0x20026u, code };
  for (;;) semi(SEMI_EXIT, block);
}

#endif
