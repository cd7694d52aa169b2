import { createTheme, type MantineColorsTuple } from '@mantine/core';

const lagoon: MantineColorsTuple = [
  '#e8f6f6',
  '#d2eaeb',
  '#a6d6d8',
  '#77c1c4',
  '#4fb0b4',
  '#35a3a8',
  '#1c9298',
  '#117b81',
  '#0f6e74',
  '#0a585d',
];

/** Greys for the dark scheme, tinted like its ground. */
const dark: MantineColorsTuple = [
  '#e8edf1',
  '#c3ccd4',
  '#a3b0bb',
  '#7d8b97',
  '#4a5863',
  '#37444e',
  '#242e37',
  '#182027',
  '#131a20',
  '#10161b',
];

/** Colours, type and sizes; the shades of states live in tokens.css, because they differ between light and dark. */
export const theme = createTheme({
  primaryColor: 'lagoon',
  primaryShade: { light: 8, dark: 7 },
  colors: { lagoon, dark },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  headings: { fontWeight: '650' },
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'pointer',
});
