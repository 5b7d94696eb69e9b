/* A stand-in for NVIDIA's management library: two GPUs, of which the second trains. */
#include <stdlib.h>
#include <string.h>

int nvmlInit_v2(void) { return getenv("FAKE_NVML_BROKEN") ? 9 : 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  static char devices[2];
  *device = &devices[index];
  devices[index] = (char)index;
  return 0;
}
static int index_of(void *device) { return *(char *)device; }
int nvmlDeviceGetName(void *device, char *name, unsigned length) {
  strncpy(name, index_of(device) ? "NVIDIA Fake 2000" : "NVIDIA Fake 1000", length);
  return 0;
}
struct rates { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(void *device, struct rates *rates) {
  if (getenv("FAKE_NVML_MIG")) return 3;
  rates->gpu = index_of(device) ? 73 : 99;
  rates->memory = 10;
  return 0;
}
struct memory { unsigned long long total, free, used; };
int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory) {
  memory->total = 80ull << 30;
  memory->used = index_of(device) ? 5ull << 30 : 7ull << 30;
  memory->free = memory->total - memory->used;
  return 0;
}
struct process { unsigned pid; unsigned long long memory; unsigned instance, compute; };
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, struct process *found) {
  const char *pid = getenv("FAKE_NVML_PID");
  *count = 0;
  if (index_of(device) && pid) {
    memset(found, 0, 2 * sizeof *found);
    found[0].pid = 1;
    found[1].pid = (unsigned)atoi(pid);
    *count = 2;
  }
  return 0;
}
