import { speculative } from "@foretoken/core";
import { testDecoder } from "@foretoken/testing";
import { followLast } from "../examples/follow-last.ts";

// Its tokens equal plain decoding's, so counting them to compare laws would add nothing.
testDecoder("follow-last", () => speculative({ drafters: followLast() }), { draws: 0 });
