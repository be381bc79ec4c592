import { expect, test } from "vitest";
import { runScripted } from "../__fixtures__/run-scripted.ts";

test("lines of a pipe are turns, and each answer follows from all before", async () => {
  const { code, stdout, stderr } = await runScripted(["chat"], { stdin: "one\ntwo\n", answer: "yes." });
  expect(code).toBe(0);
  expect(stdout).toBe("yes.\nyes.\n");
  expect(stderr.match(/tokens \(end\)/g)).toHaveLength(2);
});

test("a second turn runs only what is new", async () => {
  const { stderr } = await runScripted(["chat", "--report"], { stdin: "one\ntwo", answer: "yes." });
  const [first, second] = [...stderr.matchAll(/prompt +(\d+) tokens, (\d+) of them cached/g)].map(
    ([, all, cached]) => [Number(all), Number(cached)],
  );
  expect(first![1]).toBe(0);
  expect(second![1]).toBeGreaterThanOrEqual("[user:one]".length);
});

test("/reset forgets, /exit leaves", async () => {
  const { code, stdout, stderr } = await runScripted(["chat", "--report"], {
    stdin: "one\n/reset\none\n/exit\nnever\n",
    answer: "yes.",
  });
  expect(code).toBe(0);
  expect(stdout).toBe("yes.\nyes.\n");
  const prompts = [...stderr.matchAll(/prompt +(\d+) tokens/g)].map(([, tokens]) => tokens);
  expect(prompts[0]).toBe(prompts[1]);
});

test("E1: Ctrl-C ends one answer and the conversation goes on", async () => {
  let isPressed = false;
  const { code, stdout } = await runScripted(["chat", "-d", "plain"], {
    stdin: "one\ntwo\n",
    onOutput: (text, interruption) => {
      if (text !== "the" || isPressed) return;
      isPressed = true;
      interruption.interrupt();
    },
  });
  expect(code).toBe(0);
  const [cut, whole] = stdout.split("\n");
  expect(cut!.length).toBeLessThan(8);
  expect(whole).toBe("the cat sat on the cat sat.");
});

test("a conversation that grows beyond the context says so and can begin anew", async () => {
  const { code, stdout, stderr } = await runScripted(["chat"], {
    stdin: `${"x".repeat(600)}\n/reset\nhi\n`,
    answer: "yes.",
  });
  expect(code).toBe(0);
  expect(stderr).toContain("/reset begins anew");
  expect(stdout).toBe("yes.\n");
});
