import { type Browser, chromium } from 'playwright-core';

/** A headless browser that asks nobody but 127.0.0.1 for anything. */
export async function launchBrowser(executablePath: string): Promise<Browser> {
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  const calm = [
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--force-color-profile=srgb',
  ];
  // The sandbox needs user namespaces, which root inside a container seldom has; the only page is our own server's.
  return chromium.launch({ executablePath, headless: true, args: [...quiet, ...calm, '--no-sandbox'] });
}
