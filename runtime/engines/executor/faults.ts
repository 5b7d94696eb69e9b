/** What engines say when something fails, told apart. */
import { errors, isSimdinoError } from '../../../protocol/errors.ts';

/** Whether smaller programs may do: the step was too large for the device, and nothing of the state has changed. */
export function isForLackOfRoom(error: unknown, engine: string): boolean {
  const known = isSimdinoError(error) ? error : namedFault(error, engine);
  return known?.code === 'outOfMemory' || known?.code === 'arrayTooLarge';
}

/** ONNX Runtime, TensorFlow and drivers report exhaustion and lost devices in words only. */
export function namedFault(error: unknown, engine: string) {
  const text = error instanceof Error ? error.message : String(error);
  if (
    /bad_alloc|failed to allocate|out[ _]?of[ _]?(device[ _]?)?memory|OOM when allocating|RESOURCE_EXHAUSTED/i.test(
      text,
    )
  )
    return errors.outOfMemory(engine, firstLine(text));
  if (/device (was |is )?lost|DeviceLost|VK_ERROR_DEVICE_LOST/i.test(text))
    return errors.deviceLost(engine, firstLine(text));
  return undefined;
}

const firstLine = (text: string): string => text.split('\n')[0]!.trim().slice(0, 300);
