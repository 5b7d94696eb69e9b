import type { Page } from 'playwright-core';

/**
 * Texts of a page of which a part can't be seen or scrolled to, and whose whole no tooltip tells. Text is cut by an ancestor
 * that hides what overflows it, with or without an ellipsis, or by the edge of a page that does not scroll. Within elements
 * that match `evenIfTold` a tooltip does not excuse.
 */
export function cutTexts(page: Page, { evenIfTold = 'never' } = {}): Promise<string[]> {
  return page.evaluate((strictly) => {
    const slackPx = 1.5;
    const isHidden = (element: Element): boolean =>
      !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) ||
      element.closest('.visually-hidden, [aria-hidden="true"], option, title, script, style') !== null;
    const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim().toLowerCase();
    const isTold = (element: Element, text: string): boolean => {
      if (element.closest(strictly)) return false;
      for (let at: Element | null = element; at; at = at.parentElement) {
        const title = squeezed(at.getAttribute('title') ?? '');
        if (title.includes(text)) return true;
      }
      return false;
    };
    /** The words for what cuts a rectangle, or undefined. */
    const cutBy = (parent: Element, { left, right, top, bottom }: DOMRect): string | undefined => {
      for (let at: Element | null = parent; at && at !== document.body; at = at.parentElement) {
        const { overflowX, overflowY, display, position } = getComputedStyle(at);
        if (display === 'inline' || display === 'contents') continue;
        const box = at.getBoundingClientRect();
        const [cutsX, cutsY] = [overflowX, overflowY].map((overflow) => overflow === 'hidden' || overflow === 'clip');
        const [scrollsX, scrollsY] = [overflowX, overflowY].map((o) => o === 'auto' || o === 'scroll');
        if (cutsX && (right > box.right + slackPx || left < box.left - slackPx)) return `${at.tagName}.${at.className}`;
        if (cutsY && (bottom > box.bottom + slackPx || top < box.top - slackPx)) return `${at.tagName}.${at.className}`;
        // What scrolls can be brought into sight; beyond it nothing is known of this rectangle.
        if (scrollsX || scrollsY || position === 'fixed') return undefined;
      }
      const { scrollWidth } = document.documentElement;
      return right > Math.max(scrollWidth, innerWidth) + slackPx || left < -slackPx ? 'the page' : undefined;
    };
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = squeezed(node.textContent ?? '');
      const parent = node.parentElement;
      if (text === '' || !parent || isHidden(parent)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const cutter = [...range.getClientRects()].map((rect) => cutBy(parent, rect)).find(Boolean);
      if (cutter !== undefined && !isTold(parent, text)) found.push(`"${text}" cut by ${cutter}`);
    }
    // What is chosen of a list, and what stands in a field, is no text node.
    for (const field of document.querySelectorAll<HTMLSelectElement | HTMLInputElement>(
      'select, input:not([type]), input[type=search], input[type=text]',
    )) {
      if (isHidden(field)) continue;
      const text = field instanceof HTMLSelectElement ? (field.selectedOptions[0]?.text ?? '') : field.value;
      const { font, paddingLeft, paddingRight } = getComputedStyle(field);
      const context = document.createElement('canvas').getContext('2d')!;
      context.font = font;
      const arrowPx = field instanceof HTMLSelectElement ? 16 : 0;
      const room = field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - arrowPx;
      const isReachable = field instanceof HTMLInputElement; // its text scrolls under the cursor
      if (!isReachable && context.measureText(text).width > room + slackPx && !isTold(field, squeezed(text)))
        found.push(`"${text}" cut by ${field.tagName}`);
    }
    return [...new Set(found)];
  }, evenIfTold);
}
