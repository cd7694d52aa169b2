import { describe, expect, it } from 'vitest';
import { moved, PAGES_KEPT, type TwoWayPage } from './use-window';

const page = (number: number): TwoWayPage<number> => ({
  items: [number],
  next_cursor: `older ${number}`,
  previous_cursor: `newer ${number}`,
});
const numbers = (pages: readonly TwoWayPage<number>[]) => pages.flatMap((each) => each.items);

describe('a window on a long list', () => {
  it('lets go of the newest pages on the way down and takes them up again on the way back', () => {
    let pages: readonly TwoWayPage<number>[] = [page(0)];
    for (let number = 1; number < 1_000; number += 1) pages = moved(pages, page(number), 'older');
    expect(numbers(pages)).toEqual([992, 993, 994, 995, 996, 997, 998, 999]);
    pages = moved(pages, page(991), 'newer');
    expect(numbers(pages)).toEqual([991, 992, 993, 994, 995, 996, 997, 998]);
    expect(pages).toHaveLength(PAGES_KEPT);
  });
});
