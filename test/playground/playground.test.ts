import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { HEADS } from "../../examples/playground/src/parts.ts";
import { longestTasks } from "./main-thread.ts";
import { pictures, type ServedPlayground, servePlayground } from "./served-playground.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const executablePath = process.env.FORETOKEN_CHROMIUM ?? "/usr/bin/chromium";
const QUESTION = "the cat sat on the mat, the cat sat on the mat, the cat";

// Each test opens a page, starts a worker, and loads a model.
vi.setConfig({ testTimeout: 90_000 });

let served: ServedPlayground;
let browser: Browser;
/** What no page may do: complain, or ask another host for anything. */
let complaints: string[] = [];
/** Chromium says this of its own accord where a page asks for WebGPU. */
const NO_ADAPTER = "No available adapters.";

beforeAll(async () => {
  [served, browser] = await Promise.all([
    servePlayground(),
    chromium.launch({ executablePath, args: [...FLAGS, "--enable-unsafe-webgpu"] }),
  ]);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(complaints.filter((text) => text !== NO_ADAPTER)).toEqual([]);
  complaints = [];
});

interface PageOptions {
  readonly on?: Browser;
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

async function openPage({
  on = browser,
  width = 1440,
  colorScheme = "light",
}: PageOptions = {}): Promise<Page> {
  const context = await on.newContext({
    viewport: { width, height: width < 600 ? 740 : 900 },
    colorScheme,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(served.address) && !/^(blob|data):/.test(url)) complaints.push(`asked for ${url}`);
  });
  await page.goto(served.address);
  return page;
}

async function loadFile(page: Page, device: string, dtype = "auto"): Promise<void> {
  await page.getByLabel("Device").selectOption(device);
  await page.getByLabel("Weights").selectOption(dtype);
  await page.locator("input[type=file]").setInputFiles(served.modelFile);
  await page.getByLabel("Your message").waitFor();
}

/** @returns The answer's text as the page shows it. */
async function ask(page: Page, question = QUESTION): Promise<string> {
  const answers = await page.locator(".summary").count();
  await page.getByLabel("Your message").fill(question);
  await page.getByLabel("Your message").press("Enter");
  await page.locator(".summary").nth(answers).waitFor();
  return (await page.locator(".turn .answer-text").last().textContent())!;
}

const scrollsSideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

test("can be used within two seconds, without a model", async () => {
  const page = await openPage();
  const began = Date.now();
  await page.reload();
  await page.getByLabel("Temperature").fill("0.5");
  await page.getByRole("button", { name: "Load tiny" }).waitFor();
  expect(Date.now() - began).toBeLessThan(2_000);
  await page.screenshot({ path: join(pictures, "start.png") });
});

test("the server has the trained parts beside the worker", async () => {
  const worker = readdirSync(join(served.folder, "assets")).find((name) => /^model-worker.*\.js$/.test(name));
  const folder = new URL(`assets/${worker}`, served.address);
  for (const head of HEADS) {
    const answer = await fetch(new URL(`heads/${head}/manifest.json`, folder));
    expect(await answer.json(), head).toMatchObject({ format: "foretoken-head" });
  }
});

test("its own script is under 150 kB gzip", () => {
  const assets = join(served.folder, "assets");
  const html = readFileSync(join(served.folder, "index.html"), "utf8");
  const scripts = readdirSync(assets).filter((name) => name.endsWith(".js") && html.includes(name));
  expect(scripts.length).toBeGreaterThan(0);
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);
  expect(bytes).toBeLessThan(150_000);
  for (const name of readdirSync(assets)) expect(statSync(join(assets, name)).size, name).toBeGreaterThan(0);
});

test("loads a file, answers, and shows where tokens came from", async () => {
  const page = await openPage();
  await loadFile(page, "wasm");
  expect(await page.locator(".model-line").textContent()).toContain("wasm · fp32");
  const text = await ask(page);
  expect(text.length).toBeGreaterThan(50);
  expect(await page.locator(".answer-text .token:not([data-mark=own])").count()).toBeGreaterThan(5);
  const legend = await page.getByRole("list", { name: "Tokens by where they came from" }).textContent();
  expect(legend).toMatch(/the target itself.*prompt-lookup/);

  // The slider is the keyboard's way to a pass.
  const slider = page.getByRole("slider");
  await slider.press("Home");
  expect(await slider.getAttribute("aria-valuetext")).toMatch(/^Pass 1 of \d+: end of the prompt/);
  await slider.press("ArrowRight");
  expect(await slider.getAttribute("aria-valuetext")).toMatch(/^Pass 2 of \d+: \d+ of \d+ drafted accepted/);
  // And a click into the text the mouse's.
  await page.locator(".answer-text .token").last().click();
  const pass = await page.locator(".pass[data-chosen]").first().getAttribute("data-pass");
  expect(await slider.inputValue()).toBe(String(Number(pass) + 1));

  const tree = page.getByRole("tree");
  const nodes = tree.getByRole("treeitem");
  expect(await nodes.first().getAttribute("aria-label")).toMatch(/the root/);
  await nodes.first().focus();
  await page.keyboard.press("ArrowRight");
  expect(await page.evaluate(() => document.activeElement!.getAttribute("aria-label"))).toMatch(
    /depth 1, by [a-z -]+, (accepted|rejected)/,
  );
  await page.getByText("As a list").click();
  expect(await page.locator(".draft-tree li:not(.fork)").count()).toBe(await nodes.count());
  expect(await page.locator("table.acceptance tbody tr").count()).toBeGreaterThan(0);
  expect(await scrollsSideways(page)).toBe(false);
  await page.screenshot({ path: join(pictures, "desktop.png") });
});

test("gives a run away as JSON and as a program", async () => {
  const page = await openPage();
  await loadFile(page, "wasm");
  const text = await ask(page);
  await page.getByRole("button", { name: "Copy as JSON" }).click();
  await page.getByText("JSON is in the clipboard.").waitFor();
  const run = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(run.passes.flatMap(({ pieces }: { pieces: string[] }) => pieces).join("")).toBe(text);
  expect(run.generation.report.tokens).toBe(
    run.passes.flatMap((pass: { tokens: number[] }) => pass.tokens).length,
  );
  expect(run.model.device).toBe("wasm");
  await page.getByRole("button", { name: "Copy as TypeScript" }).click();
  await page.getByText("TypeScript is in the clipboard.").waitFor();
  const program = await page.evaluate(() => navigator.clipboard.readText());
  expect(program).toContain('loadModel("./tiny.gguf", { dtype: "fp32" })');
});

test("makes its form of the registry, and says what is wrong", async () => {
  const page = await openPage();
  const decoder = page.getByRole("combobox", { name: "Decoder", exact: true });
  expect(await decoder.locator("option").allTextContents()).toEqual(["cntp", "lud", "plain", "speculative"]);
  await page.getByText("Options of prompt-lookup").click();
  await page.getByLabel("Min ngram").fill("9");
  await page.getByLabel("Max ngram").fill("4");
  expect(await page.getByRole("alert").textContent()).toMatch(/INVALID_OPTION.*maxNgram.*at least minNgram/);
  await page.getByLabel("Max ngram").fill("");
  await page.getByLabel("Drafter 2").selectOption("");
  expect(await page.getByRole("alert").count()).toBe(0);
  await page.getByText("As JSON", { exact: true }).click();
  expect(JSON.parse(await page.getByLabel("Decoder as JSON").inputValue())).toEqual({
    use: "speculative",
    drafters: [{ use: "prompt-lookup", minNgram: 9 }],
    budget: "auto",
  });
  await page.getByLabel("Verifier").selectOption("rejection");
  expect(await page.locator(".promise").textContent()).toContain("distribution");
  await decoder.selectOption("plain");
  expect(await page.locator(".promise").textContent()).toContain("identical");
});

test("refuses what is no model, with a fix", async () => {
  const page = await openPage();
  const wrong = join(pictures, "no-model.gguf");
  writeFileSync(wrong, "This is a text.");
  await page.locator("input[type=file]").setInputFiles(wrong);
  const alert = page.getByRole("alert");
  await alert.waitFor();
  expect(await alert.textContent()).toMatch(/NOT_A_MODEL|CORRUPT_MODEL/);
  expect(await alert.locator(".fix").textContent()).toMatch(/\S/);
});

test("stops, goes on, and begins anew; the main thread is never held up", async () => {
  const page = await openPage();
  await loadFile(page, "wasm");
  await page.getByLabel("Most tokens").fill("700");
  const tasks = await longestTasks(browser, page, async () => {
    await ask(page, "once upon a time");
  });
  expect(tasks[0]).toBeLessThan(50);
  const held = await longestTasks(browser, page, () =>
    page.evaluate(() => {
      for (const end = performance.now() + 400; performance.now() < end; );
    }),
  );
  expect(held[0], "the trace sees what holds the thread up").toBeGreaterThan(50);

  await page.getByRole("combobox", { name: "Decoder", exact: true }).selectOption("plain");
  await page.getByLabel("Most tokens").fill("");
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByLabel("Your message").fill("and then");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.locator(".pass").nth(3).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("; stopped.").waitFor();
  await page.getByLabel("Most tokens").fill("20");
  await ask(page, "go on");
  expect(await page.locator(".turn").count()).toBe(2);
  await page.getByRole("button", { name: "New chat" }).click();
  expect(await page.locator(".turn").count()).toBe(0);
});

test("compares with plain decoding, in turns", async () => {
  const page = await openPage();
  await loadFile(page, "wasm");
  await page.getByLabel("Most tokens").fill("60");
  await ask(page);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText(/times plain's speed, median of 3 rounds\. Both texts are the same\./).waitFor();
});

test("measures what a pass costs", async () => {
  const page = await openPage();
  await loadFile(page, "wasm");
  expect(await page.getByText("Assumed, not measured").count()).toBe(1);
  await page.getByRole("button", { name: "Calibrate" }).click();
  await page.getByText("Measured on this machine.").waitFor();
  await page.locator("details", { hasText: "As a table" }).locator("summary").last().click();
  expect(await page.locator("table td", { hasText: "ms" }).count()).toBeGreaterThan(10);
});

test("fits a phone, in the dark, and comes back after a reload without a second download", async () => {
  const page = await openPage({ width: 360, colorScheme: "dark" });
  await page.screenshot({ path: join(pictures, "phone-start.png") });
  expect(await scrollsSideways(page)).toBe(false);
  const downloads: string[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith("tiny.gguf") && response.request().method() === "GET")
      downloads.push(response.url());
  });
  const load = async () => {
    await page.getByLabel("Device").selectOption("wasm");
    await page.getByRole("button", { name: "Load tiny" }).click();
    await page.getByLabel("Your message").waitFor();
  };
  await load();
  await ask(page);
  expect(await scrollsSideways(page)).toBe(false);
  await page.screenshot({ path: join(pictures, "phone-dark.png"), fullPage: true });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  expect(await ground()).toBe("rgb(23, 24, 27)");
  await page.getByLabel("Theme").selectOption("light");
  expect(await ground()).toBe("rgb(252, 251, 248)");
  await page.screenshot({ path: join(pictures, "phone-light.png") });
  await page.reload();
  await load();
  expect(downloads).toHaveLength(1);
});

test("says the same on WebGPU as on WebAssembly", async () => {
  const page = await openPage();
  await page.getByLabel("Most tokens").fill("60");
  await loadFile(page, "webgpu", "fp32");
  expect(await page.locator(".model-line").textContent()).toContain("webgpu · fp32");
  const onGpu = await ask(page);
  await page.getByText("Why, and what else").click();
  await page.getByRole("button", { name: "Unload" }).click();
  await page.getByRole("button", { name: "New chat" }).or(page.getByText("Load a model")).first().waitFor();
  await loadFile(page, "wasm", "fp32");
  await page.getByRole("button", { name: "New chat" }).click();
  expect(await ask(page)).toBe(onGpu);
}, 120_000);

test("does with less where there is no WebGPU and no isolation, and says so", async () => {
  const bare = await chromium.launch({ executablePath, args: [...FLAGS, "--disable-features=WebGPU"] });
  try {
    const page = await openPage({ on: bare });
    await page.route(served.address, async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      delete headers["cross-origin-opener-policy"];
      delete headers["cross-origin-embedder-policy"];
      await route.fulfill({ response, headers });
    });
    await page.reload();
    await page.getByText("the page is not cross-origin isolated").waitFor();
    await page.getByText(/not there: .*WebAssembly takes its place/).waitFor();
    await loadFile(page, "auto");
    expect(await page.locator(".model-line").textContent()).toContain("wasm · fp32 · 1 thread");
    await page.getByText("Why, and what else").click();
    expect(await page.locator(".about-model").textContent()).toMatch(/WebGPU/i);
    expect((await ask(page)).length).toBeGreaterThan(0);
  } finally {
    await bare.close();
  }
});

test("says that its worker is gone, and loads again", async () => {
  const page = await openPage();
  await page.addInitScript(() => {
    const started: Worker[] = [];
    Object.assign(window, { started });
    window.Worker = class extends Worker {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given);
        started.push(this);
      }
    };
  });
  await page.reload();
  await loadFile(page, "wasm");
  await page.getByRole("combobox", { name: "Decoder", exact: true }).selectOption("plain");
  await page.getByLabel("Most tokens").fill("");
  await page.getByLabel("Your message").fill("and then");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.locator(".pass").nth(3).waitFor();
  await page.evaluate(() => (window as unknown as { started: Worker[] }).started[0]!.terminate());
  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").first().textContent()).toContain("WORKER_LOST");
  await loadFile(page, "wasm");
  await page.getByLabel("Most tokens").fill("20");
  expect((await ask(page, "and now")).length).toBeGreaterThan(0);
});
