import type {
  DraftState,
  DraftWarp,
  ProposeContext,
  Round,
  Session,
  TokenId,
  TokenLaw,
  TokenTree,
} from "@foretoken/core";
import { sharedLength, TargetStates } from "@foretoken/drafting";
import { ChimeraRound } from "./chimera-round.ts";
import type { Network } from "./network.ts";

/** Chimera on one text. The network's text follows the target's; it catches up when it is next asked. */
export class ChimeraState implements DraftState {
  readonly #network: Network;
  readonly #target: Session;
  readonly #session: Session;
  readonly #states: TargetStates;
  readonly #endTokens: ReadonlySet<TokenId>;
  #round: ChimeraRound | undefined;

  /** @param session - The network's; disposed with the state. */
  constructor(
    network: Network,
    target: Session,
    session = network.model.createSession(),
    states = new TargetStates(),
  ) {
    this.#network = network;
    this.#target = target;
    this.#session = session;
    this.#states = states;
    this.#endTokens = new Set(target.model.tokenizer?.endTokens);
  }

  begin(tree: TokenTree, context: ProposeContext, warp?: DraftWarp): void {
    const text = this.#target.tokens;
    this.#session.truncate(sharedLength(text, this.#session.tokens));
    this.#round = new ChimeraRound({
      network: this.#network,
      session: this.#session,
      text,
      states: this.#states,
      tree,
      context,
      warp,
      endTokens: this.#endTokens,
    });
  }

  async expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]> {
    return this.#round!.expand(nodes);
  }

  /** Keeps the target's states of what became text, and drops the network's own, which stood for them. */
  async observe(round: Round): Promise<void> {
    this.#round = undefined;
    this.#session.discard();
    await this.#states.observe(round);
  }

  fork(session: Session): DraftState {
    return new ChimeraState(this.#network, session, this.#session.branch(), this.#states.fork());
  }

  truncate(length: number): void {
    this.#session.truncate(Math.min(length, this.#session.tokens.length));
    this.#states.truncate(length);
    this.#round = undefined;
  }

  dispose(): void {
    this.#session.dispose();
  }
}
