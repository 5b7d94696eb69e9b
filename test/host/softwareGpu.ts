import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { onPath } from './chromium.ts';
import { runCommand } from './runCommand.ts';

/** SwiftShader, a GPU played by the processor, as Debian's chromium brings it along. */
const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/**
 * The environment in which WebGPU finds the software GPU: Debian's chromium for the driver, libvulkan1 for its loader, installed where this
 * process may.
 */
export async function findSoftwareGpu(
  log: (line: string) => void,
): Promise<{ env: NodeJS.ProcessEnv } | { missing: string }> {
  const env = { VK_ICD_FILENAMES: driver };
  if (isComplete()) return { env };
  const isRoot = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !isRoot || onPath('apt-get') === undefined)
    return {
      missing: 'no software GPU: it takes Debian\u2019s chromium and libvulkan1, which this process may not install',
    };
  log("Installing Debian's chromium and libvulkan1 ...");
  const apt = { cwd: '/', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
  await runCommand('apt-get', ['update', '-qq'], apt);
  const packages = ['chromium', 'fonts-liberation', 'libvulkan1'];
  const install = await runCommand('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], apt);
  return isComplete()
    ? { env }
    : { missing: `apt-get could not install a software GPU:\n${install.output.slice(-1000)}` };
}

function isComplete(): boolean {
  return process.platform === 'linux' && existsSync(driver) && hasVulkanLoader();
}

function hasVulkanLoader(): boolean {
  try {
    return execFileSync('ldconfig', ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(
      'libvulkan.so.1',
    );
  } catch {
    return false; // a system without ldconfig is none that has Debian's packages
  }
}
