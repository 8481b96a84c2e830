#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own loop, for programs that bring their `main`. Returns an exit code.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*try_one)(const uint8_t *bytes, size_t count));
