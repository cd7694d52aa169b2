import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { firstLoadBudget } from './scripts/first-load.mjs';

/** Where a development console finds the running product; its web process by default. */
const backend = process.env.CONSOLE_BACKEND ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/',
  plugins: [react(), firstLoadBudget()],
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2022',
    // The policy is script-src 'self': nothing may be inlined into the page.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: { host: '127.0.0.1', proxy: { '/api': { target: backend, ws: true } } },
  preview: { host: '127.0.0.1', proxy: { '/api': { target: backend, ws: true } } },
  test: { environment: 'node', include: ['src/**/*.test.{ts,tsx}'], testTimeout: 30_000 },
});
