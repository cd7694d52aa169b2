// @vitest-environment jsdom
import { afterEach, describe, expect, test } from 'vitest';
import { chooseDevice, chosenDevice, pickDevice } from './devices';

const SYSTEM = { id: 'default', label: 'Headset' };
const HEADSET = { id: 'a1', label: 'Headset' };
const LAPTOP = { id: 'b2', label: 'Laptop' };

describe('the device to use', () => {
  test.each([
    ['the chosen one, where it is plugged in', HEADSET, [LAPTOP, HEADSET], 'a1', null],
    ['one of its name in another socket', HEADSET, [SYSTEM, { id: 'c3', label: 'Headset' }], 'c3', null],
    ["the system's own while the chosen one is not there", HEADSET, [SYSTEM, LAPTOP], '', HEADSET],
    ["the system's own where nothing was chosen", { id: '', label: '' }, [SYSTEM, HEADSET], '', null],
    ['the chosen one as long as the browser tells no devices', HEADSET, [{ id: '', label: '' }], 'a1', null],
  ])('is %s', (_, chosen, plugged, id, missing) => {
    expect(pickDevice(chosen, plugged)).toEqual({ id, missing });
  });
});

describe('the choice', () => {
  afterEach(() => localStorage.clear());

  test('is remembered with its name, and that of an earlier release without one', () => {
    chooseDevice('speaker', HEADSET);
    expect(chosenDevice('speaker')).toEqual(HEADSET);
    localStorage.setItem('console.ringer', 'b2');
    expect(chosenDevice('ringer')).toEqual({ id: 'b2', label: '' });
    chooseDevice('speaker', { id: '', label: '' });
    expect(chosenDevice('speaker')).toEqual({ id: '', label: '' });
  });
});
