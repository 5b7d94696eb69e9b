import type { ReadConfig } from './readConfig.ts';
import type { ResolvedConfig } from './schema.ts';
import { validateConfig } from './validateConfig.ts';

/**
 * What `extends:` names, as a configuration of its own: what it leaves open has its default, what is wrong with it is left
 * out. Undefined without `extends:`.
 */
export function extendedConfig({ base }: Pick<ReadConfig, 'base'>): ResolvedConfig | undefined {
  return base === undefined ? undefined : validateConfig(base).tentative;
}
