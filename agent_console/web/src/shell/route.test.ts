import { describe, expect, it } from 'vitest';
import { addressOf, parseRoute, type Route } from './route';

describe('routes', () => {
  it('are the same after a way through the address', () => {
    const routes: Route[] = [
      { page: 'desk' },
      { page: 'floor' },
      { page: 'customers' },
      { page: 'voicemail' },
      { page: 'duplicates' },
      { page: 'import' },
      { page: 'audit' },
      { page: 'customer', customerId: 'a b/ü' },
    ];
    for (const route of routes) expect(parseRoute(addressOf(route))).toEqual(route);
  });

  it('are none for addresses that name no page', () => {
    for (const address of ['', '#/', '#/nowhere', '#/desk/1', '#/customers/1/2', '#/customers/%E0%A4%A']) {
      expect(parseRoute(address)).toBeNull();
    }
  });
});
