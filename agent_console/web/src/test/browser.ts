import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';

/** What jsdom does not have and the component library asks for, and a clean browser after each test. */
export function inBrowser(): void {
  // Parts of the page are loaded when needed, which takes its time on a busy machine.
  configure({ asyncUtilTimeout: 10_000 });
  beforeEach(() => {
    vi.stubGlobal('matchMedia', (query: string) => ({
      matches: false,
      media: query,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    }));
    Object.defineProperty(document, 'fonts', { configurable: true, value: new EventTarget() });
    vi.stubGlobal(
      'ResizeObserver',
      class {
        observe() {}
        unobserve() {}
        disconnect() {}
      },
    );
  });
  afterEach(() => {
    cleanup();
    localStorage.clear();
    window.location.hash = '';
    vi.unstubAllGlobals();
  });
}
