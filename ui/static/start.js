// The page's security policy lets no script stand in the page itself, so this file starts the program.
import init from "./ui.js";

init({ module_or_path: "./ui_bg.wasm" });
