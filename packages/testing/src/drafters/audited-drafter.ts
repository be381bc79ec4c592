import type { Drafter, Drafting, Random, Round, Session, TokenId, TokenTree } from "@foretoken/core";
import { expect } from "vitest";

/** Counts of what an {@link auditedDrafter} saw. */
export interface DraftAudit {
  proposals: number;
  prefills: number;
  verifications: number;
  /** Draftings started or forked and not disposed. */
  live: number;
}

/**
 * The same drafter under watch, on both sides: the loop must call it as {@link Drafting} says, and it must answer within the
 * limit, draw draft noise only, and leave the session alone. The first breach fails the test.
 *
 * @param audit - Gets the counts.
 */
export function auditedDrafter(inner: Drafter, audit: DraftAudit): Drafter {
  return {
    ...inner,
    start: (context) => watch(inner, inner.start(context), context.session, audit),
  };
}

/** Counts that start at 0. */
export function newAudit(): DraftAudit {
  return { proposals: 0, prefills: 0, verifications: 0, live: 0 };
}

function watch(drafter: Drafter, drafting: Drafting, session: Session, audit: DraftAudit): Drafting {
  let root: TokenId | undefined;
  let isDisposed = false;
  audit.live++;
  const watched: Drafting = {
    get needsPrefix() {
      return drafting.needsPrefix;
    },
    propose: async (next, limit, context) => {
      audit.proposals++;
      root = next;
      if (!(limit >= 1)) expect.fail(`${drafter.name} was asked for ${limit} nodes.`);
      const before = [session.tokens.length, session.pendingCount];
      const tree = await drafting.propose(next, limit, {
        ...context,
        random: draftOnly(context.random, drafter),
      });
      checkProposal(drafter, tree, next, limit);
      expect([session.tokens.length, session.pendingCount], `${drafter.name} changed the session`).toEqual(
        before,
      );
      return tree;
    },
    observe: async (round) => {
      checkRound(round, session, root);
      // A drafter with a limit of 0 is not asked in a round, but sees it.
      root = undefined;
      if (round.kind === "prefill") audit.prefills++;
      else audit.verifications++;
      await drafting.observe(round);
    },
    fork: (branch) => {
      if (branch === session) expect.fail(`${drafter.name} was forked onto its own session.`);
      return watch(drafter, drafting.fork(branch), branch, audit);
    },
    truncate: (length) => {
      if (length !== session.tokens.length)
        expect.fail(`Truncated to ${length}, but the session has ${session.tokens.length}.`);
      drafting.truncate(length);
    },
    dispose: () => {
      if (isDisposed) expect.fail(`${drafter.name} was disposed twice.`);
      isDisposed = true;
      audit.live--;
      drafting.dispose();
    },
  };
  if (drafting.probes === undefined) return watched;
  return {
    ...watched,
    // A spread reads a getter once: hand it on.
    get needsPrefix() {
      return drafting.needsPrefix;
    },
    probes: (tree, limit) => {
      const probes = drafting.probes!(tree, limit);
      if (probes.length > limit)
        expect.fail(`${drafter.name} gave ${probes.length} probes, at most ${limit} fit.`);
      for (const [index, { node, row }] of probes.entries()) {
        const isPlaced = node === undefined ? index > 0 : node >= 0 && node <= tree.size;
        if (!isPlaced)
          expect.fail(`Probe ${index} of ${drafter.name} hangs under node ${node} of ${tree.size}.`);
        if ((row.token === undefined) === (row.embedding === undefined)) {
          expect.fail(`Probe ${index} of ${drafter.name} feeds not exactly one of token and embedding.`);
        }
      }
      return probes;
    },
  };
}

function draftOnly(random: Random, drafter: Drafter): Random {
  const used = new Set<string>();
  return {
    uniform: (position, purpose, index = 0) => {
      if (purpose !== "draft") expect.fail(`${drafter.name} drew a number for ${purpose}.`);
      const key = `${position} ${index}`;
      if (used.has(key)) expect.fail(`${drafter.name} used draft number ${key} twice in one proposal.`);
      used.add(key);
      return random.uniform(position, purpose, index);
    },
    fork: (position, trial) => random.fork(position, trial),
  };
}

function checkProposal(drafter: Drafter, tree: TokenTree, root: TokenId, limit: number): void {
  if (tree.nodes[0]!.token !== root)
    expect.fail(`${drafter.name} drafted behind ${tree.nodes[0]!.token}, not ${root}.`);
  if (tree.size > limit)
    expect.fail(`${drafter.name} drafted ${tree.size} nodes, at most ${limit} were allowed.`);
  for (const node of tree.nodes) {
    let hasChosen = false;
    for (const { proposal, source } of node.trials) {
      if (source === "") expect.fail(`${drafter.name} drafted a trial without a source.`);
      if (proposal !== "point" && drafter.proposal === "deterministic") {
        expect.fail(`${drafter.name} says its trials are chosen, but drew one.`);
      }
      if (proposal !== "point" && hasChosen)
        expect.fail(`${drafter.name} put a drawn trial behind a chosen one.`);
      hasChosen ||= proposal === "point";
    }
  }
}

/** What the loop owes a drafter. */
function checkRound(round: Round, session: Session, root: TokenId | undefined): void {
  const { kind, pass, position, rowTokens, parents, committed, next } = round;
  expect(position, "the round's position is the end of the text").toBe(session.tokens.length);
  expect(parents.length).toBe(rowTokens.length);
  expect(pass.rows.slice(0, rowTokens.length).map((row) => row.token)).toEqual(rowTokens);
  let above = -1;
  for (const row of committed) {
    if (parents[row] !== above) expect.fail(`Committed rows ${committed} are no chain.`);
    above = row;
  }
  for (const row of round.probes) {
    if (row < rowTokens.length || row >= pass.rows.length)
      expect.fail(`Probe row ${row} is none of the pass.`);
  }
  if (kind === "prefill") {
    expect(committed).toEqual(rowTokens.map((_, row) => row));
    return;
  }
  if (root !== undefined) expect(rowTokens[0], "row 0 is the root that was drafted behind").toBe(root);
  expect(next, "a verification knows the next root").toBeDefined();
}
