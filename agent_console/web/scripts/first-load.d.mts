import type { Plugin } from 'vite';

export function firstLoadBudget(): Plugin;
