#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What sched_getattr(2) and sched_setattr(2) speak of; not every C library declares it. */
struct longspan_sched_attr {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

/* Makes the calling thread nicer by so much, and asks for slices of so many nanoseconds (0: the system's own), where it
   has ordinary scheduling: whoever gave it another knew why. Kernels before 6.12 take the niceness only. */
static inline void longspan_schedule(int nicer, uint64_t slice) {
  struct longspan_sched_attr wish = {0};
  if (syscall(SYS_sched_getattr, 0, &wish, sizeof(wish), 0) != 0 || wish.policy != SCHED_OTHER) return;
  wish.nice = wish.nice + nicer > 19 ? 19 : wish.nice + nicer;
  wish.runtime = slice;
  syscall(SYS_sched_setattr, 0, &wish, 0);
}

/* The number of cores that this process may run on; 0 where the system does not say. */
static inline int longspan_allowed_cores(void) {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 0;
}
