/** Which GPU a run of a grid sees. */

/** The device of a slot: slots take the devices in turn, so that with as many of both each device has one run. */
export function deviceOfSlot(slot: number, devices: readonly string[] | undefined): string | undefined {
  return devices?.length ? devices[slot % devices.length] : undefined;
}

/**
 * What makes a process see one GPU alone by CUDA and ROCm; nothing where all are to be seen. Vulkan's loader tells GPUs apart by their model
 * only, so that engines on it are not told.
 */
export function deviceEnvironment(device: string | undefined): Record<string, string> {
  if (device === undefined) return {};
  return {
    CUDA_VISIBLE_DEVICES: device,
    HIP_VISIBLE_DEVICES: device,
    // By number, numbers must mean the same to drivers and to people: the order of the slots that they are in.
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
  };
}
