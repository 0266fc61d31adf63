// The source editor: CodeMirror with this app's look, mounted into an element that the page owns.
import { autocompletion } from "@codemirror/autocomplete";
import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorView } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { tags } from "@lezer/highlight";

const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--bg)", color: "var(--text)" },
  ".cm-scroller": { font: "var(--code)" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--muted)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selected) !important" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete": { border: "0", borderRadius: "8px", boxShadow: "var(--overlay)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "var(--code)", maxWidth: "560px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "4px 8px", display: "flex", gap: "12px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--selected)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "auto", overflow: "hidden", textOverflow: "ellipsis" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
});

// Keys stay text: the accent means "press me".
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--text)" },
  { tag: [tags.string, tags.content, tags.number, tags.bool, tags.null, tags.keyword], color: "var(--code-value)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--muted)" },
]);

// What may stand at the caret is known to the page: `complete(text, at)` gives `{ from, options }`, or nothing.
const offering = (complete) => async (context) => {
  const found = await complete(context.state.doc.toString(), context.pos);
  if (!found || context.aborted) return null;
  return { from: found.from, options: found.options.map(({ label, detail, apply }) => ({ label, detail, apply })), validFor: found.is_whole ? /^[\w./-]*$/ : undefined };
};

window.iwEditor = {
  /** Mounts an editor; `changed` is called with the whole text after each change. */
  mount(parent, text, format, changed, complete) {
    const view = new EditorView({
      doc: text,
      parent,
      extensions: [
        basicSetup,
        format === "json" ? json() : yaml(),
        look,
        syntaxHighlighting(colours),
        lintGutter(),
        complete ? autocompletion({ override: [offering(complete)], icons: false }) : [],
        EditorView.contentAttributes.of({ "aria-label": "Source", tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    });
    return view;
  },
  /** Replaces the text, keeping the caret where it can stay. */
  write(view, text) {
    const head = Math.min(view.state.selection.main.head, text.length);
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: head } });
  },
  /** Shows findings in the text: `[{ line, column, severity, message }]`. */
  mark(view, findings) {
    const at = ({ line, column }) => {
      const found = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
      return { from: Math.min(found.from + Math.max(0, column - 1), found.to), to: found.to };
    };
    const shown = findings.map((f) => ({ ...at(f), severity: f.severity === "error" ? "error" : "warning", message: f.message }));
    view.dispatch(setDiagnostics(view.state, shown));
  },
  /** Puts the caret on a line. */
  go(view, line) {
    const found = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
    view.focus();
    view.dispatch({ selection: { anchor: found.from }, effects: EditorView.scrollIntoView(found.from, { y: "center" }) });
  },
  destroy(view) {
    view.destroy();
  },
};
