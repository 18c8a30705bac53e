/**
 * The program as it is shipped: from src/main.ts to dist/program, the libraries inside, so that a start opens two hundred
 * files and not twelve hundred.
 */
import { join } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  ssr: {
    noExternal: true,
    // They look for files and for optional parts beside themselves.
    external: ["graphile-worker", "pg"],
  },
  build: {
    ssr: join(import.meta.dirname, "src/main.ts"),
    outDir: join(import.meta.dirname, "dist/program"),
    emptyOutDir: true,
    target: "node24",
    license: { fileName: "licenses-of-libraries.md" },
    reportCompressedSize: false,
    // Beside each other: the pages are found from where a file stands.
    rolldownOptions: { output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" } },
  },
});
