import {
  type Drafter,
  type Drafting,
  type DraftState,
  type Model,
  type ProposeContext,
  parseOptions,
  type Session,
  type TokenId,
  type TokenLaw,
  TokenTree,
} from "@foretoken/core";
import { type RankTree, rankTree } from "@foretoken/drafting";
import { networkSource, PASS_COST } from "./chimera-draft.ts";
import { Networks } from "./network.ts";
import { type ChimeraOptions, optionsSchema } from "./options.ts";

const NAME = "chimera";

/**
 * Drafts with a small network that joins the last three tokens of a drafted path with the target's own states. The shape of the tree is
 * settled by how often guesses of each rank were right; the network fills it level by level.
 *
 * @throws `INVALID_OPTION`
 * @see Zeng et al. 2024, "Chimera", https://arxiv.org/abs/2402.15758
 */
export function chimera(options: ChimeraOptions): Drafter {
  const { head, nodes: most } = parseOptions(NAME, optionsSchema, options);
  const networks = new Networks(head, NAME);
  const source = networkSource(NAME, networks);
  const shapes = new Map<number, RankTree>();
  const shapeOf = (nodes: number): RankTree => {
    const size = Math.min(nodes, most);
    const shape = shapes.get(size) ?? rankTree(networks.accuracy, size);
    shapes.set(size, shape);
    return shape;
  };
  return {
    name: NAME,
    proposal: "deterministic",
    defaultLimit: most,
    cost: (_: Model, nodes) => PASS_COST * Math.max(...shapeOf(nodes).map(({ depth }) => depth)),
    requirements: (model) => source.requirements(model),
    unsupported: (model) => source.unsupported?.(model) ?? [],
    prepare: async (model, prepareOptions) => source.prepare?.(model, prepareOptions),
    start: (context) => new ChimeraDrafting(shapeOf, source.start(context)),
  };
}

class ChimeraDrafting implements Drafting {
  readonly #shapeOf: (nodes: number) => RankTree;
  readonly #state: DraftState;

  constructor(shapeOf: (nodes: number) => RankTree, state: DraftState) {
    this.#shapeOf = shapeOf;
    this.#state = state;
  }

  async propose(root: TokenId, limit: number, context: ProposeContext): Promise<TokenTree> {
    const { depth: levels = Number.POSITIVE_INFINITY } = context;
    const shape = this.#shapeOf(limit);
    const ranks = 1 + Math.max(...shape.map(({ rank }) => rank));
    // As the network sees it, level by level.
    const grown = new TokenTree(root);
    /** For each place its node in the grown tree, where it has one. */
    const nodes: (number | undefined)[] = [0];
    this.#state.begin(grown, context, { topK: ranks });
    for (let depth = 1; depth <= levels; depth++) {
      const level = [...shape.entries()].filter(([, place]) => place.depth === depth);
      const parents = [...new Set(level.flatMap(([, { parent }]) => nodes[parent] ?? []))];
      if (parents.length === 0) break;
      const laws = await this.#state.expand(parents);
      const guesses = new Map(parents.map((parent, index) => [parent, likeliest(laws[index])]));
      for (const [index, { parent, rank, chance }] of level) {
        const above = nodes[parent];
        if (above === undefined) continue;
        const token = guesses.get(above)?.[rank];
        if (token !== undefined) nodes[index] = grown.add(above, token, "point", NAME, chance);
      }
    }
    return likeliestFirst(grown, shape, nodes);
  }

  observe(round: Parameters<Drafting["observe"]>[0]): Promise<void> | void {
    return this.#state.observe(round);
  }

  fork(session: Session): Drafting {
    return new ChimeraDrafting(this.#shapeOf, this.#state.fork(session));
  }

  truncate(length: number): void {
    this.#state.truncate(length);
  }

  dispose(): void {
    this.#state.dispose();
  }
}

/** The tokens of a law, most probable first, the lower id first among equals. */
function likeliest(law: TokenLaw | undefined): readonly TokenId[] {
  const tokens: { readonly token: TokenId; readonly probability: number }[] = [];
  law?.forEach((token, probability) => {
    tokens.push({ token, probability });
  });
  return tokens.sort((a, b) => b.probability - a.probability).map(({ token }) => token);
}

/** The grown tree in the order of its shape: a budget keeps the first nodes. */
function likeliestFirst(
  grown: TokenTree,
  shape: RankTree,
  nodes: readonly (number | undefined)[],
): TokenTree {
  const tree = new TokenTree(grown.nodes[0].token);
  const places: (number | undefined)[] = [0];
  for (const [index, { parent, chance }] of shape.entries()) {
    const node = nodes[index];
    const above = places[parent];
    if (index === 0 || node === undefined || above === undefined) continue;
    places[index] = tree.add(above, grown.nodes[node].token, "point", NAME, chance);
  }
  return tree;
}
