// Block efficiency of decoders that `foretoken bench speed` measured, and paired ratios with 95 % intervals:
//
//   node scripts/efficiency-table.mjs result.json "RSD-S 6/RSD-C 6" "RSD-C 6/chain 6"
//
// Takes the file of --out or of --resume. Ratios are geometric means over prompts inside groups and over groups; intervals are
// bootstraps over prompts inside groups. Efficiencies are sums over a group's prompts, geometric means over groups.
import { readFile } from "node:fs/promises";
import { bootstrapInterval } from "@foretoken/bench";

const [path, ...pairs] = process.argv.slice(2);
if (path === undefined) {
  console.error('node scripts/efficiency-table.mjs result.json ["one/other" …]');
  process.exit(2);
}
const { measurements } = JSON.parse(await readFile(path, "utf8"));
const told = measurements.filter(({ tokens }) => tokens.length > 1);
const groups = [...new Set(told.map(({ group }) => group))];
const names = [...new Set(told.map(({ contestant }) => contestant))];
const of = (name) => told.filter(({ contestant }) => contestant === name);
const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const overGroups = (strata) => geometricMean(strata.filter(({ length }) => length > 0).map(geometricMean));

console.log(`${new Set(told.map(({ prompt }) => prompt)).size} prompts\n`);
console.log(`| decoder | ${groups.join(" | ")} | all | nodes a pass | rows a pass | tokens/s over plain |`);
console.log(`| --- |${" ---: |".repeat(groups.length + 4)}`);
for (const name of names) {
  const own = of(name);
  const efficiencies = groups.map((group) => {
    const members = own.filter((one) => one.group === group);
    return sum(members, ({ tokens }) => tokens.length - 1) / sum(members, ({ targetPasses }) => targetPasses);
  });
  const passes = sum(own, ({ targetPasses }) => targetPasses);
  const nodes = sum(own, ({ drafted }) => drafted) / passes;
  const rows = sum(own, (one) => one.rows) / passes;
  const cells = [...efficiencies, geometricMean(efficiencies)].map((value) => value.toFixed(2));
  const speed = overGroups(ratios(name, "plain", ({ tokensPerSecond }) => tokensPerSecond));
  console.log(
    `| ${name} | ${cells.join(" | ")} | ${nodes.toFixed(1)} | ${rows.toFixed(1)} | ${speed.toFixed(2)} |`,
  );
}
if (pairs.length > 0) {
  console.log("\n| tokens a pass of | over | 95 % interval |\n| --- | ---: | --- |");
  for (const pair of pairs) {
    const strata = ratios(
      ...pair.split("/"),
      ({ tokens, targetPasses }) => (tokens.length - 1) / targetPasses,
    );
    const [low, high] = bootstrapInterval(strata, overGroups);
    console.log(
      `| ${pair.replace("/", " over ")} | ${overGroups(strata).toFixed(3)} | ${low.toFixed(3)} to ${high.toFixed(3)} |`,
    );
  }
}

/** By group, how one decoder's figure compares with another's on the same prompt and repeat. */
function ratios(name, other, figure) {
  const own = of(name);
  const others = of(other);
  if (own.length === 0 || others.length === 0)
    throw new Error(`${path} has no ${own.length === 0 ? name : other}.`);
  return groups.map((group) =>
    own
      .filter((one) => one.group === group)
      .flatMap((one) => {
        const pair = others.find(({ prompt, repeat }) => prompt === one.prompt && repeat === one.repeat);
        const ratio = pair === undefined ? Number.NaN : figure(one) / figure(pair);
        return Number.isFinite(ratio) && ratio > 0 ? [ratio] : [];
      }),
  );
}

function sum(list, figure) {
  return list.reduce((total, one) => total + figure(one), 0);
}
