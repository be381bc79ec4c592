import { render } from "preact";
import { readBrowserFacts } from "./state/browser.ts";
import { findServedModels } from "./state/served-models.ts";
import "./style/tokens.css";
import "./style/page.css";
import "./style/controls.css";
import "./style/decoding.css";
import { App } from "./view/app.tsx";

render(<App />, document.getElementById("app")!);
readBrowserFacts();
findServedModels();
