import "slack-blocks-to-jsx/dist/style.css";
import "./styles/page.css";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { begin } from "./wire/gestures";
import { guardLinks } from "./wire/guard-links";

guardLinks();
begin();
createRoot(document.getElementById("root")!).render(<App />);
