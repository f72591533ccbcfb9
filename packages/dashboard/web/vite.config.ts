import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { precompress } from './precompress.ts'

/** Built into the package's `dist-web`, beside the compiled server: `dist` belongs to the compiler. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react(), precompress()],
  build: {
    outDir: '../dist-web',
    emptyOutDir: true,
    // The browsers of the last three years; nothing is translated for older ones.
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
