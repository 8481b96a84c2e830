// Preloaded into a balancer, counts what its threads named fast-… allocate, in a file that the test maps or reads.
//   cc -shared -fPIC -O2 allocations.c -o allocations.so;  ALLOCATIONS=FILE LD_PRELOAD=./allocations.so video-balancer …
// FILE holds three native 64-bit numbers: allocations of the fast loops; of all threads, which shows that counting works; and those of the
// fast loops that came through Swift's runtime, which are the balancer's own: a library in C calls malloc itself.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static struct counts {
    _Atomic uint64_t fast, all, ours;
} *counts;
static uintptr_t runtime_start, runtime_end;

static int find_runtime(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size, (void)unused;
    if (!strstr(object->dlpi_name, "libswiftCore")) return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        runtime_start = object->dlpi_addr + part->p_vaddr;
        runtime_end = runtime_start + part->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void map(void) {
    const char *path = getenv("ALLOCATIONS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (file < 0 || ftruncate(file, sizeof *counts) != 0) return;
    void *page = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    dl_iterate_phdr(find_runtime, NULL);
    if (page != MAP_FAILED) counts = page;
    close(file);
}

static void count(const void *caller) {
    static __thread int is_fast __attribute__((tls_model("initial-exec")));
    if (!counts) return;
    int error = errno;
    char name[16] = "";
    // A thread gets its name after its first allocations, so it is asked until it is a fast one.
    if (!is_fast && prctl(PR_GET_NAME, name) == 0 && strncmp(name, "fast-", 5) == 0) is_fast = 1;
    if (is_fast) atomic_fetch_add_explicit(&counts->fast, 1, memory_order_relaxed);
    if (is_fast && (uintptr_t)caller >= runtime_start && (uintptr_t)caller < runtime_end)
        atomic_fetch_add_explicit(&counts->ours, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->all, 1, memory_order_relaxed);
    errno = error;
}

void *malloc(size_t size) { return count(__builtin_return_address(0)), __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return count(__builtin_return_address(0)), __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { return count(__builtin_return_address(0)), __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { return count(__builtin_return_address(0)), __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return count(__builtin_return_address(0)), __libc_memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    *out = __libc_memalign(alignment, size);
    return *out || !size ? 0 : ENOMEM;
}
