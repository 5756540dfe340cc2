/*
 * Fences around the arena and the stack, by the memory protection unit. On Armv7-M a fence is a region of no access:
 * 32 bytes below the arena, 32 above it, and BOARD_HOLES: what the emulator has below the RAM of the real part. On
 * Armv8-M only flash, stack with data, and the arena may be touched at all, and the stack pointer has a limit.
 */
#include "board.h"

#define MPU_CTRL 0xe000ed94
#define MPU_RNR 0xe000ed98
#define MPU_RBAR 0xe000ed9c
#define MPU_RASR 0xe000eda0

#if defined(BOARD_NO_MPU)

void guard_on(void) {}
void guard_off(void) {}

#elif defined(BOARD_V8M)

static void region(uint32_t number, uint32_t base, uint32_t end, uint32_t access) {
  REGISTER(MPU_RNR) = number;
  REGISTER(MPU_RBAR) = base | access;
  REGISTER(MPU_RASR) = ((end - 1) & ~31u) | 1u; /* RLAR: limit, attributes 0, enabled */
}

void guard_on(void) {
  enum { READ_ONLY = 3 << 1, READ_WRITE_NEVER_RUN = 1 };
  REGISTER(0xe000edc0) = 0xff; /* MAIR0: normal memory */
  region(0, (uint32_t)(uintptr_t)__flash_lo, (uint32_t)(uintptr_t)__flash_hi, READ_ONLY);
  region(1, (uint32_t)(uintptr_t)__stack_lo, (uint32_t)(uintptr_t)__bss_hi, READ_WRITE_NEVER_RUN);
  if (__arena_hi > __arena_lo)
    region(2, (uint32_t)(uintptr_t)__arena_lo, (uint32_t)(uintptr_t)__arena_hi, READ_WRITE_NEVER_RUN);
  REGISTER(MPU_CTRL) = 1; /* nothing but the regions */
  __asm__ volatile("msr msplim, %0\n dsb\n isb" : : "r"(__stack_lo));
}

void guard_off(void) {
  REGISTER(MPU_CTRL) = 0;
  __asm__ volatile("dsb\n isb");
}

#else

/* Base and log2 of the size; the base is a multiple of the size. */
static void no_access(uint32_t number, uint32_t base, uint32_t log2_bytes) {
  REGISTER(MPU_RNR) = number;
  REGISTER(MPU_RBAR) = base;
  REGISTER(MPU_RASR) = (1u << 28) | ((log2_bytes - 1) << 1) | 1u; /* never run, no access, size, enabled */
}

void guard_on(void) {
  static const struct { uint32_t base, log2_bytes; } holes[] = { BOARD_HOLES };
  no_access(0, (uint32_t)(uintptr_t)__ram_hi, 5);
  no_access(1, (uint32_t)(uintptr_t)__arena_lo - 32, 5);
  for (uint32_t i = 0; i < sizeof holes / sizeof holes[0]; i++) no_access(2 + i, holes[i].base, holes[i].log2_bytes);
  REGISTER(MPU_CTRL) = 5; /* on, all else as without it */
  __asm__ volatile("dsb\n isb");
}

void guard_off(void) {
  REGISTER(MPU_CTRL) = 0;
  __asm__ volatile("dsb\n isb");
}

#endif
