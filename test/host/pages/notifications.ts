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

  /** Presses a button of a modal question. */
  async answerDialog(button: string): Promise<void> {
    await this.page
      .locator('.monaco-dialog-box .monaco-button', { hasText: button })
      .first()
      .click({ timeout: 30_000 });
  }
}
