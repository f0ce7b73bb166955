#include <stddef.h>

/// The bytes of the heap that are allocated and not freed.
size_t bytes_in_use(void);
