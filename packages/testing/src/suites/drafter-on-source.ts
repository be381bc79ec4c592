import { type Drafter, type DraftSource, type DraftState, type Session, TokenTree } from "@foretoken/core";

/** Draws behind each node of a level, without replacement. */
const BRANCHING = [2, 2, 1];

/** A drafter that draws small trees from a source, one draft pass for each level: a strategy to test sources with. */
export function drafterOnSource(source: DraftSource): Drafter {
  const drafting = (session: Session, state: DraftState): ReturnType<Drafter["start"]> => ({
    propose: async (root, limit, context) => {
      const tree = new TokenTree(root);
      state.begin(tree, context);
      let draws = 0;
      let level = [0];
      for (const width of BRANCHING) {
        if (level.length === 0 || draws === limit) break;
        const next: number[] = [];
        for (const [index, law] of (await state.expand(level)).entries()) {
          let rest = law;
          for (let sibling = 0; sibling < width && draws < limit && rest !== undefined; sibling++) {
            const token = rest.draw(context.random.uniform(session.tokens.length + 1, "draft", draws++));
            next.push(tree.add(level[index]!, token, rest, source.name));
            rest = rest.without(token);
          }
        }
        level = next;
      }
      return tree;
    },
    observe: (round) => state.observe(round),
    fork: (branch) => drafting(branch, state.fork(branch)),
    truncate: (length) => state.truncate(length),
    dispose: () => state.dispose(),
  });
  return {
    name: source.name,
    proposal: "sampled",
    defaultLimit: 6,
    requirements: (model) => source.requirements(model),
    unsupported: (model) => source.unsupported?.(model) ?? [],
    prepare: async (model, options) => source.prepare?.(model, options),
    start: (context) => drafting(context.session, source.start(context)),
  };
}
