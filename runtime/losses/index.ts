/**
 * The objectives by method. A new one is a file beside this one, a line here, and a preset.
 */
import type { Method } from '../../configs/schema.ts';
import { simdino } from './simdino.ts';

export const losses = { simdino } satisfies Record<Method, unknown>;
