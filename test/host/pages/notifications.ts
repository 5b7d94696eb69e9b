import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually.ts';

/** The messages at the lower right. */
export class NotificationPages {
  constructor(private readonly page: Page) {}

  async messages(): Promise<string[]> {
    return this.page.locator('.notification-toast .notification-list-item-message').allInnerTexts();
  }

  async message(text: RegExp, timeoutMs = 30_000): Promise<string> {
    return eventually(`a notification like ${text}`, timeoutMs, async () =>
      (await this.messages()).find((message) => text.test(message)),
    );
  }

  /** Presses a button of the notification that matches. */
  async press(text: RegExp, button: string): Promise<void> {
    await this.message(text);
    const toast: Locator = this.page.locator('.notification-toast', { hasText: text }).first();
    await toast.hover();
    await toast.locator('.monaco-button', { hasText: button }).first().click();
  }

  /** Takes away all that are in sight. */
  async clear(): Promise<void> {
    const closes = this.page.locator('.notification-toast .codicon-notifications-clear');
    while ((await closes.count()) > 0) {
      await this.page.locator('.notification-toast').first().hover();
      await closes.first().click();
    }
    // Where the pointer is, a tooltip would stand in the picture: the middle of the status bar has none.
    await this.page.mouse.move(720, 890);
    await this.page.locator('.workbench-hover-container').waitFor({ state: 'detached', timeout: 10_000 });
    await this.page.locator('.notification-toast').first().waitFor({ state: 'detached', timeout: 10_000 });
  }

  /** Presses a button of a modal question. */
  async answerDialog(button: string): Promise<void> {
    await this.page
      .locator('.monaco-dialog-box .monaco-button', { hasText: button })
      .first()
      .click({ timeout: 30_000 });
  }
}
