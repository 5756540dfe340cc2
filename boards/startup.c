/* From reset to board_main, and from a fault to the host. Nothing here may use the stack before it is painted. */
#include "board.h"
#include "semihosting.h"

void Reset_Handler(void) __attribute__((noreturn));
static void c_start(void) __attribute__((noinline, noreturn, used));

/* What the processor says about a fault, for the host; the stack begins anew, as the old one may be gone. */
__attribute__((used, noreturn)) static void fault(void) {
  guard_off();
  const uint32_t words[4] = {
    REGISTER(0xe000ed28), /* CFSR: which fault */
    REGISTER(0xe000ed2c), /* HFSR */
    REGISTER(0xe000ed34), /* MMFAR: address refused by the protection unit */
    REGISTER(0xe000ed38), /* BFAR: address where there is no memory */
  };
  const int file = semi_open("fault.bin", SEMI_WRITE_BINARY, 9);
  semi_move(SEMI_WRITE, file, words, sizeof words);
  semi_close(file);
  semi_exit(EXIT_FAULT);
  for (;;) {
  }
}

__attribute__((naked)) static void fault_handler(void) {
  __asm__ volatile(
#ifdef BOARD_V8M
      "movs r0, #0\n msr msplim, r0\n"
#endif
      "ldr r0, =__stack_hi\n mov sp, r0\n bl fault\n");
}

__attribute__((used, section(".vectors"))) static void *const vectors[16] = {
  (void *)__stack_hi,     (void *)Reset_Handler, (void *)fault_handler, (void *)fault_handler,
  (void *)fault_handler,  (void *)fault_handler, (void *)fault_handler, (void *)fault_handler,
};

void Reset_Handler(void) {
  /* Before anything that the compiler might do with vector registers. */
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  REGISTER(0xe000ed88) |= 0xfu << 20; /* CPACR */
  __asm__ volatile("dsb\n isb");
#endif
#if defined(__ARM_FEATURE_MVE)
  REGISTER(0xe000ed14) |= 1u << 19; /* CCR.LOB: low-overhead loops */
#endif
  c_start();
}

static void c_start(void) {
  uint32_t *top;
  __asm__ volatile("mov %0, sp" : "=r"(top));
  for (volatile uint32_t *p = __stack_lo; p < (volatile uint32_t *)top; p++) *p = STACK_PAINT;
  const volatile uint32_t *from = __data_load;
  for (volatile uint32_t *to = __data_lo; to < __data_hi;) *to++ = *from++;
  for (volatile uint32_t *p = __bss_lo; p < __bss_hi;) *p++ = 0;
#ifndef BOARD_NO_MPU
  REGISTER(0xe000ed24) |= 7u << 16; /* SHCSR: memory, bus and usage faults are themselves */
#endif
  guard_on();
  semi_exit(board_main());
  for (;;) {
  }
}
