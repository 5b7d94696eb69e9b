import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where fetched data sets are kept: SIMDINO_CACHE, else the platform's cache folder. */
export function cacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { SIMDINO_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (SIMDINO_CACHE) return SIMDINO_CACHE;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, 'simdino-studio');
  if (platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'simdino-studio', 'cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'simdino-studio');
  return join(homedir(), '.cache', 'simdino-studio');
}
