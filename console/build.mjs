// Builds the console into the API's package. The same source gives the same bytes: CI compares them with those in git.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const HERE = new URL(".", import.meta.url);
const OUT = new URL(process.argv[2] ?? "../services/api/nightmail_api/console/", HERE);

// `node build.mjs DIRECTORY/` writes elsewhere; the test of freshness does.
const { metafile, outputFiles } = await build({
  absWorkingDir: HERE.pathname,
  entryPoints: ["src/main.tsx", "src/main.css", "src/icon.svg"],
  loader: { ".svg": "copy" },
  assetNames: "[name]",
  outdir: "out",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  chunkNames: "[name]",
  metafile: true,
  write: false,
});
const assets = outputFiles.map((file) => [file.path.split("/").at(-1), file.contents]);
assets.sort(([one], [other]) => (one < other ? -1 : 1));

// The assets have stable names, so that git shows changes; their address has the version, so that browsers may keep them.
const hash = createHash("sha256");
for (const [name, contents] of assets) hash.update(name).update("\0").update(contents).update("\0");
const version = hash.digest("hex").slice(0, 12);

const page = await readFile(new URL("src/index.html", HERE), "utf8");
await rm(OUT, { recursive: true, force: true });
await mkdir(new URL("assets/", OUT), { recursive: true });
for (const [name, contents] of assets) await writeFile(new URL(`assets/${name}`, OUT), contents);
await writeFile(new URL("index.html", OUT), page.replaceAll("{{version}}", version));
await writeFile(new URL("version.txt", OUT), `${version}\n`);
await writeFile(new URL("THIRD-PARTY.txt", OUT), await licences(metafile));

/** Returns the licence of each package that is part of an asset. */
async function licences({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const found = inputs.map((input) => input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]);
  const texts = [];
  for (const name of [...new Set(found)].filter(Boolean).sort()) {
    const folder = new URL(`node_modules/${name}/`, HERE);
    const { version, license } = JSON.parse(await readFile(new URL("package.json", folder), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : await readFile(new URL(file, folder), "utf8");
    texts.push(`${name} ${version} (${license})\n\n${text.replaceAll("\r\n", "\n").trim()}\n`);
  }
  return `The console's assets contain these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
